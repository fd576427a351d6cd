"""The four steps for a month of the taxi lake, and dbt's build of its marts."""

import re
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tarn.dataset import find_dataset
from tarn.marts import build_marts
from tarn.pipeline import run_partition
from tarn.settings import CHECKOUT, Settings

from .conftest import Tape, Wire

pytestmark = pytest.mark.slow

MONTH = "2020-04"
# Jobs and tables that a resource of the API must not have lost on its way through the emulator.
STEPS = {
    "bigquery.datasets.get", "bigquery.datasets.insert", "bigquery.jobs.insert", "bigquery.jobs.getQueryResults",
    "bigquery.tables.get", "bigquery.tables.patch",
    "storage.buckets.insert", "storage.objects.delete", "storage.objects.insert", "storage.objects.list",
}  # fmt: skip
DBT = {"bigquery.datasets.list", "bigquery.tables.list", "bigquery.jobs.insert", "bigquery.tables.get"}


@pytest.fixture(scope="module")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = str(tmp_path_factory.mktemp("publishers"))
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--data-dir", folder, "--rows", "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture(scope="module")
def settings(wire: Wire, publishers: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return Settings(
        home=tmp_path_factory.mktemp("home"),
        publishers=publishers,
        bucket="contract-lake",
        lake_dataset="contract_lake",
        marts_dataset="contract_marts",
        labels="team=data",
        gcs_endpoint=wire.storage.url,
        bigquery_endpoint=wire.bigquery.url,
    )


@pytest.fixture(scope="module")
def steps(settings: Settings, wire: Wire) -> Tape:
    """The steps as they are run the first time, and again with an object too many, for a changed dataset."""
    for name in ("taxi_zones", "taxi_green"):
        dataset = find_dataset(name, CHECKOUT / "datasets")
        list(run_partition(dataset, dataset.partition(MONTH), settings))
    _leave_a_stale_object(settings)
    changed = dataset.model_copy(update={"description": "Other words."})
    list(run_partition(changed, dataset.partition(MONTH), settings, force=True))
    list(run_partition(dataset, dataset.partition(MONTH), settings))
    return wire.tape()


def _leave_a_stale_object(settings: Settings) -> None:
    import requests

    address = f"{settings.gcs_url}/upload/storage/v1/b/{settings.bucket}/o"
    name = f"taxi_green/month={MONTH}-01/left-over.parquet"
    answer = requests.post(address, params={"uploadType": "media", "name": name}, data=b"old", timeout=60)
    answer.raise_for_status()


@pytest.fixture(scope="module")
def marts(steps: Tape, settings: Settings, wire: Wire) -> Tape:
    partition = find_dataset("taxi_green", CHECKOUT / "datasets").partition(MONTH)
    build_marts(settings, partition, partition, pipeline="taxi", say=lambda _: None)
    return wire.tape()


def test_the_steps_requests_are_the_apis(steps: Tape) -> None:
    assert steps.request_violations() == []
    assert steps.methods().keys() >= STEPS


@pytest.mark.usefixtures("our_answers")
def test_the_emulators_answers_to_the_steps_are_the_apis(steps: Tape) -> None:
    assert steps.answer_violations() == []


def test_dbt_s_requests_are_the_apis(marts: Tape) -> None:
    assert marts.request_violations() == []
    assert marts.methods().keys() >= DBT


def test_the_emulator_s_answers_to_dbt_are_the_apis(marts: Tape) -> None:
    assert marts.answer_violations() == []


def test_an_upload_names_what_it_replaces_and_its_checksum(steps: Tape) -> None:
    """Preconditions make a retried upload safe: https://cloud.google.com/storage/docs/request-preconditions"""
    starts = [one for one in steps.storage if "ifGenerationMatch" in dict(one.query) and one.method == "POST"]
    assert len(starts) >= 3
    assert all(b'"crc32c"' in one.body for one in starts)


def test_every_job_has_the_lake_s_labels(steps: Tape) -> None:
    jobs = [one for one in steps.bigquery if one.method == "POST" and one.path.endswith("/jobs")]
    assert jobs
    assert all(re.search(rb'"team": ?"data"', one.body) for one in jobs)
