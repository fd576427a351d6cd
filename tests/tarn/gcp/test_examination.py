"""tarn doctor on Google Cloud, against a stand-in for accounts and permissions, and the emulators."""

from collections.abc import Iterator

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage
from typer.testing import CliRunner

from tarn.cli.app import app
from tarn.finding import Finding
from tarn.gcp import examination
from tarn.gcp.examination import Endpoints, examine_gcp
from tarn.gcp.roles import lake_datasets
from tarn.settings import Settings

from .conftest import ACCOUNT, SECRETS, Google


@pytest.fixture
def project(google: Google, on_gcp: Settings) -> Iterator[bigquery.Client]:
    """The bucket and the datasets, as Terraform makes them; the external tables' has a table."""
    nobody = AnonymousCredentials()
    storage.Client(on_gcp.project, nobody, client_options={"api_endpoint": google.storage}).create_bucket(on_gcp.bucket)
    client = bigquery.Client(on_gcp.project, nobody, client_options={"api_endpoint": google.bigquery})
    for name in lake_datasets(on_gcp):
        client.create_dataset(name)
    client.query_and_wait(f"CREATE TABLE `{on_gcp.lake_dataset}.t` (x INT64)")
    yield client
    for name in lake_datasets(on_gcp):
        client.delete_dataset(name, delete_contents=True, not_found_ok=True)


def problems(google: Google, settings: Settings) -> list[Finding]:
    return [finding for finding in examine_gcp(settings, google.endpoints) if finding.remedy]


def test_a_project_that_is_ready_has_no_problem(google: Google, on_gcp: Settings, project: bigquery.Client) -> None:
    findings = list(examine_gcp(on_gcp, google.endpoints))
    assert [finding for finding in findings if finding.remedy] == []
    facts = [f"{finding.subject}: {finding.fact}" for finding in findings]
    assert f"credentials: {ACCOUNT} ({on_gcp.key_file})" in facts
    assert "API: bigquery.googleapis.com is on" in facts
    assert f"bucket {on_gcp.bucket}: lies in US" in facts
    assert f"dataset {on_gcp.lake_dataset}: lies in US" in facts
    assert f"dataset {on_gcp.lake_dataset}: tables may be made in it" in facts
    assert not [path for path in google.asked if "tarn_doctor" in path]
    assert [table.table_id for table in project.list_tables(on_gcp.lake_dataset)] == ["t"]


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("bigquery.jobs.create", "roles/bigquery.jobUser"),
        ("storage.objects.delete", "roles/storage.objectUser"),
        ("storage.buckets.get", "roles/storage.legacyBucketReader"),
        ("bigquery.tables.updateData", "roles/bigquery.dataEditor"),
        ("bigquery.tables.create", "roles/bigquery.dataEditor"),
        ("serviceusage.services.get", "roles/serviceusage.serviceUsageViewer"),
    ],
)
def test_a_permission_that_is_not_held_is_named_with_its_role(
    google: Google, on_gcp: Settings, project: bigquery.Client, permission: str, role: str
) -> None:
    google.permissions.remove(permission)
    found = problems(google, on_gcp)
    assert found
    for finding in found:
        assert permission in finding.fact
        assert f"grant {role} on" in finding.remedy
        assert permission in finding.remedy


def test_an_account_without_any_right_is_told_every_one(
    google: Google, on_gcp: Settings, project: bigquery.Client
) -> None:
    google.permissions.clear()
    told = " ".join(finding.fact for finding in problems(google, on_gcp))
    for permission in ("bigquery.jobs.create", "storage.objects.get", "storage.buckets.get", "bigquery.tables.getData"):
        assert permission in told


def test_an_api_that_is_off_is_named_with_the_command(
    google: Google, on_gcp: Settings, project: bigquery.Client
) -> None:
    google.apis.remove("bigquery.googleapis.com")
    [finding] = problems(google, on_gcp)
    assert finding.fact == "bigquery.googleapis.com is off"
    assert finding.remedy == "gcloud services enable bigquery.googleapis.com --project my-project"


def test_what_is_not_there_is_to_be_made(google: Google, on_gcp: Settings) -> None:
    found = problems(google, on_gcp)
    assert [finding.fact for finding in found] == ["does not exist"] * (1 + len(lake_datasets(on_gcp)))
    assert all("deploy/terraform" in finding.remedy for finding in found)


def test_another_location_is_told(google: Google, on_gcp: Settings, project: bigquery.Client) -> None:
    found = problems(google, on_gcp.model_copy(update={"location": "EU"}))
    assert {finding.fact for finding in found} == {"lies in US, the lake in EU"}
    assert "TARN_LOCATION=US" in found[0].remedy


def test_a_key_that_google_refuses_ends_the_examination(google: Google, on_gcp: Settings) -> None:
    google.refuses_token = True
    *_, last = examine_gcp(on_gcp, google.endpoints)
    assert (last.subject, last.remedy) == ("credentials", "make a new key, or log in again")
    assert "invalid_grant" in last.fact


def test_without_a_network_it_says_so(google: Google, on_gcp: Settings) -> None:
    nowhere = Endpoints(*["http://127.0.0.1:1"] * 4)
    [who, last] = examine_gcp(on_gcp, nowhere)
    assert who.remedy == ""
    assert (last.subject, "does not answer" in last.fact) == ("network", True)
    assert "*.googleapis.com" in last.remedy


def test_the_command_tells_all_and_no_secret(
    google: Google, on_gcp: Settings, project: bigquery.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    google.permissions.remove("storage.objects.list")
    google.apis.remove("storage.googleapis.com")
    for name in ("project", "bucket", "lake_dataset", "marts_dataset", "credentials"):
        monkeypatch.setenv(f"TARN_{name.upper()}", str(getattr(on_gcp, name)))
    monkeypatch.setattr(examination.examine_gcp, "__defaults__", (google.endpoints,))
    told = CliRunner().invoke(app, ["doctor", "--target", "gcp"])
    assert told.exit_code == 1
    assert "storage.objects.list is not held" in told.output
    assert "gcloud services enable storage.googleapis.com" in told.output
    assert not [secret for secret in SECRETS if secret in told.output]
