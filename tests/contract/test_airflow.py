"""Airflow's BigQuery operators, sensors and hook, and its transfer from Cloud Storage."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from google.cloud import bigquery

from .conftest import Tape, Wire
from .test_clients import bigquery_client, put_trips, storage_client

pytestmark = pytest.mark.slow

PROJECT = "lake"
STEPS = Path(__file__).parents[1] / "bigquery" / "clients" / "airflow_steps.py"
CONNECTION = {"conn_type": "google_cloud_platform", "extra": {"project": PROJECT, "is_anonymous": True}}
METHODS = {
    "bigquery.datasets.insert", "bigquery.jobs.get", "bigquery.jobs.insert", "bigquery.tabledata.list",
    "bigquery.tables.delete", "bigquery.tables.get", "bigquery.tables.insert", "bigquery.tables.list",
    "bigquery.tables.patch",
}  # fmt: skip


@pytest.fixture(scope="module")
def tape(wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """What the operators' own suite does, in a process like a worker's."""
    bucket = storage_client(wire).create_bucket("contract-airflow")
    trips = put_trips(bucket)
    bucket.blob("names.csv").upload_from_string(b"id,name\n1,one\n2,two\n")
    numbers = _numbers(bigquery_client(wire))
    wire.tape()
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(CONNECTION),
        "BIGQUERY_EMULATOR_HOST": wire.bigquery.url,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "STORAGE_EMULATOR_HOST": wire.storage.url,
    }
    csv = f"gs://{bucket.name}/names.csv"
    command = [sys.executable, str(STEPS), PROJECT, "contract_airflow", trips, csv, numbers]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return wire.tape()


def _numbers(client: bigquery.Client) -> str:
    client.create_dataset("contract_many")
    table = f"{client.project}.contract_many.numbers"
    client.query_and_wait(f"CREATE TABLE `{table}` AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, 5000)) AS x")
    return table


def test_the_requests_are_the_apis(tape: Tape) -> None:
    assert tape.request_violations() == []
    assert tape.methods().keys() >= METHODS


def test_the_emulator_s_answers_are_the_apis(tape: Tape) -> None:
    assert tape.answer_violations() == []
