"""The programs in scripts/, as a shell runs them."""

import os
import subprocess
import sys

import pytest

from tarn.dataset import find_dataset
from tarn.partition import Partition
from tarn.receipt import Artifact, Receipt
from tarn.settings import CHECKOUT, Settings
from tarn.staging import Workspace

TRIPS = """
name: trips
description: Trips, one row a trip.
publisher: a test
sources:
  - {format: csv, url: "http://example.org/{month}.csv", mirror: "{month}.csv", from: 2024-01}
columns:
  - {name: id, type: INT64, description: the trip}
"""

STEPS = ("download", "parquetize", "upload", "load", "validate")


@pytest.fixture
def lake(settings: Settings) -> Settings:
    settings.datasets_folder.mkdir(parents=True)
    (settings.datasets_folder / "trips.yaml").write_text(TRIPS)
    return settings


def run(step: str, settings: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    tarn = {f"TARN_{name.upper()}": str(getattr(settings, name)) for name in settings.model_fields_set}
    command = [sys.executable, str(CHECKOUT / "scripts" / f"{step}.py"), *arguments]
    return subprocess.run(command, env=os.environ | tarn, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("step", STEPS)
def test_each_step_has_a_script_that_explains_itself(lake: Settings, step: str) -> None:
    answer = run(step, lake, "--help")
    assert answer.returncode == 0
    assert "dataset partition" in answer.stdout


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("buses", "2024-01"), "There is no dataset 'buses'"),
        (("trips", "January"), "'January' is not a month"),
        (("trips",), "the following arguments are required: partition"),
    ],
)
def test_a_wrong_command_line_is_code_2_and_no_traceback(
    lake: Settings, arguments: tuple[str, ...], words: str
) -> None:
    answer = run("upload", lake, *arguments)
    assert answer.returncode == 2
    assert words in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_step_out_of_turn_is_code_1_and_says_what_to_run(lake: Settings, step: str) -> None:
    answer = run(step, lake, "trips", "2024-01")
    assert answer.returncode == 1
    assert "first." in answer.stderr
    assert "Traceback" not in answer.stderr


def test_a_month_that_is_not_published_is_code_3(lake: Settings) -> None:
    answer = run("download", lake, "trips", "2023-12")
    assert answer.returncode == 3
    assert "has not published 2023-12" in answer.stderr


def test_a_wrong_setting_is_code_1_and_names_its_variable(lake: Settings) -> None:
    answer = run("upload", lake.model_copy(update={"target": "moon"}), "trips", "2024-01")
    assert answer.returncode == 1
    assert "TARN_TARGET='moon'" in answer.stderr


def test_it_tells_what_it_did_and_that_there_was_nothing_left_to_do(lake: Settings, any_gcs: str) -> None:
    lake = lake.model_copy(update={"gcs_endpoint": any_gcs})
    workspace = Workspace.of(find_dataset("trips", lake.datasets_folder), Partition.parse("2024-01"), lake)
    workspace.parquet.parent.mkdir(parents=True)
    workspace.parquet.write_bytes(b"PAR1")
    Receipt(
        step="parquetize",
        dataset="trips",
        partition="2024-01",
        writes=(Artifact.of(workspace.parquet),),
        rows_written=1_000,
        seconds=0.1,
        finished_at="2024-02-01T00:00:00Z",
    ).save(workspace.receipt("parquetize"))
    uri = f"gs://{lake.bucket}/trips/month=2024-01-01/trips_2024-01.parquet"
    answers = [run("upload", lake, "trips", "2024-01", *more).stdout for more in ((), (), ("--force",))]
    assert answers[0].startswith(f"trips 2024-01 upload: 1,000 rows, {uri} (4 bytes), ")
    assert answers[1] == f"trips 2024-01 upload: 1,000 rows, {uri} (4 bytes), unchanged\n"
    assert "unchanged" not in answers[2]


def test_a_script_can_be_run_by_its_name() -> None:
    for step in STEPS:
        assert os.access(CHECKOUT / "scripts" / f"{step}.py", os.X_OK)
