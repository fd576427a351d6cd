"""Who the lake is on Google Cloud, from each place that may say it."""

import json
from pathlib import Path

import pytest

from tarn.errors import CredentialsMissing
from tarn.gcp.identity import find_identity
from tarn.settings import Settings

from .conftest import ACCOUNT, SECRETS


@pytest.fixture(autouse=True)
def no_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No credentials of the machine that the tests run on, and no server of metadata to ask."""
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path / "gcloud"))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)


@pytest.fixture
def without_key(on_gcp: Settings, tmp_path: Path) -> Settings:
    (tmp_path / "empty").mkdir()
    return on_gcp.model_copy(update={"credentials": tmp_path / "empty", "connection": "my_google"})


def test_the_key_in_the_folder_comes_first(on_gcp: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT", '{"extra": {"key_path": "/nowhere"}}')
    assert find_identity(on_gcp).description == f"{ACCOUNT} ({on_gcp.key_file})"


@pytest.mark.parametrize("form", ["json", "text", "uri"])
def test_a_connection_of_airflow_s_names_a_key(
    on_gcp: Settings, without_key: Settings, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    extra = {"key_path": str(on_gcp.key_file)}
    connection = {
        "json": json.dumps({"conn_type": "google_cloud_platform", "extra": extra}),
        "text": json.dumps({"conn_type": "google_cloud_platform", "extra": json.dumps(extra)}),
        "uri": f"google-cloud-platform://?extra__google_cloud_platform__key_path={on_gcp.key_file}",
    }[form]
    monkeypatch.setenv("AIRFLOW_CONN_MY_GOOGLE", connection)
    assert find_identity(without_key).description.startswith(ACCOUNT)
    assert without_key.environment()["GOOGLE_APPLICATION_CREDENTIALS"] == str(on_gcp.key_file)


def test_a_connection_that_holds_the_key_itself_is_refused_without_telling_it(
    without_key: Settings, key: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_GOOGLE", json.dumps({"extra": {"keyfile_dict": key}}))
    with pytest.raises(CredentialsMissing, match="give its path as key_path") as error:
        find_identity(without_key)
    assert not [secret for secret in SECRETS if secret in str(error.value)]


def test_the_machine_s_own_credentials_come_last(
    on_gcp: Settings, without_key: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(on_gcp.key_file))
    assert find_identity(without_key).description == f"{ACCOUNT} (the machine's default credentials)"


def test_identity_federation_needs_no_key(
    without_key: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A configuration of identity federation names where a token is, and has no secret."""
    configuration = {
        "type": "external_account",
        "audience": "//iam.googleapis.com/locations/global/workforcePools/p/providers/q",
        "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
        "token_url": "https://sts.googleapis.com/v1/token",
        "credential_source": {"file": str(tmp_path / "token")},
    }
    (tmp_path / "federation.json").write_text(json.dumps(configuration))
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "federation.json"))
    assert find_identity(without_key).description == "the machine's default credentials"


def test_with_none_it_says_how_to_get_some(without_key: Settings) -> None:
    with pytest.raises(CredentialsMissing, match=r"put a service account's key .* `gcloud auth application-default"):
        find_identity(without_key)


@pytest.mark.parametrize("content", ["not json", "{}", '{"type": "service_account", "private_key": "PRIVATE KEY"}'])
def test_a_file_that_is_no_key_is_named_without_its_content(on_gcp: Settings, content: str) -> None:
    assert on_gcp.key_file
    on_gcp.key_file.write_text(content)
    with pytest.raises(CredentialsMissing) as error:
        find_identity(on_gcp)
    assert "key.json cannot be used" in str(error.value)
    assert not [secret for secret in SECRETS if secret in str(error.value)]


def test_a_connection_that_cannot_be_read_is_named(without_key: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_MY_GOOGLE", "{broken")
    with pytest.raises(CredentialsMissing, match="AIRFLOW_CONN_MY_GOOGLE is no connection"):
        find_identity(without_key)
