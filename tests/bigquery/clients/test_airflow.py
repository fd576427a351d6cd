"""Airflow's operators, sensors and hook. Airflow reads its home when it is imported, so it runs beside the tests."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.bigquery.clients.conftest import ROWS
from tests.bigquery.conftest import PROJECT, Bucket, Emulator

pytestmark = pytest.mark.slow
STEPS = Path(__file__).with_name("airflow_steps.py")
CONNECTION = {"conn_type": "google_cloud_platform", "extra": {"project": PROJECT, "is_anonymous": True}}


@pytest.fixture(scope="module")
def report(
    emulator: Emulator, bucket: Bucket, trips_uri: str, numbers: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What came of every step."""
    pytest.importorskip("airflow.providers.google")
    csv = bucket.put("airflow/names.csv", b"id,name\n1,one\n2,two\n")
    environment = os.environ | {
        "AIRFLOW_HOME": str(tmp_path_factory.mktemp("airflow")),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": json.dumps(CONNECTION),
        "BIGQUERY_EMULATOR_HOST": emulator.url,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
        "STORAGE_EMULATOR_HOST": bucket.endpoint,
    }
    command = [sys.executable, str(STEPS), PROJECT, "airflow_steps", trips_uri, csv, numbers]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    return json.loads(line.removeprefix("REPORT "))


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("dataset_is_made", []),
        ("bucket_is_loaded", [["1", "one"], ["2", "two"]]),
        ("parameters_are_bound", [{"name": "two"}]),
        ("external_table_is_made", [2]),
        ("tables_are_changed", {"description": "Days.", "labels": {"kind": "days"}}),
        ("sensors_see", [True, False, True, False]),
        ("many_rows_are_paged", ROWS * (ROWS + 1) // 2),
    ],
)
def test_steps(step: str, outcome: Any, report: dict[str, Any]) -> None:
    assert report[step] == outcome


def test_errors(report: dict[str, Any]) -> None:
    query, drop = report["errors_are_told"]
    assert "Unrecognized name: nothing" in query
    assert "Not found: Table" in drop
