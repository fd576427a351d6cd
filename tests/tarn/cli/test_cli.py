"""The command line as a person uses it, on a local cloud of its own without Airflow."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.ports import free_port

TARN = Path(sys.executable).with_name("tarn")


@dataclass(frozen=True)
class Shell:
    """Runs ``tarn`` with settings of its own."""

    environment: dict[str, str]

    def tarn(self, *words: str, code: int = 0, **settings: str) -> str:
        """What the command printed, results first; its exit code must be ``code``."""
        environment = self.environment | settings
        done = subprocess.run([TARN, *words], env=environment, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done.stdout + done.stderr


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TARN_", "AIRFLOW_"))}
    ports = {f"TARN_{name}_PORT": str(free_port()) for name in ("AIRFLOW", "BIGQUERY", "GCS", "PUBLISHERS")}
    own = {"TARN_HOME": str(tmp_path_factory.mktemp("home")), "TARN_SAMPLE_ROWS": "6000", "COLUMNS": "160"}
    return Shell(clean | ports | own)


@pytest.fixture(scope="module")
def lake(shell: Shell) -> Iterator[Shell]:
    shell.tarn("up", "--no-airflow")
    yield shell
    shell.tarn("down")


def test_a_month_runs_through_the_steps_and_is_queried(lake: Shell) -> None:
    told = lake.tarn("run", "taxi_green", "--from", "2020-04", "--no-marts")
    assert re.findall(r"2020-04 +(\w+) +354 ", told) == ["parquetize", "upload", "load"]
    assert re.search(r"^354\b", lake.tarn("query", "SELECT COUNT(*) FROM lake.taxi_green").splitlines()[1])

    again = lake.tarn("run", "taxi_green", "--from", "2020-04", "--no-marts")
    assert len(re.findall("unchanged", again)) == 5


def test_a_month_that_is_not_published_is_skipped_and_the_others_run(lake: Shell) -> None:
    told = lake.tarn("run", "taxi_green", "--from", "2013-07", "--to", "2013-08", "--no-marts")
    assert "skipped" in told
    assert re.search(r"2013-08 +load", told)


def test_status_tells_each_service(lake: Shell) -> None:
    told = lake.tarn("status")
    states = dict(re.findall(r"^([\w-]+) +(ready|stopped)", told, re.MULTILINE))
    assert [name for name, state in states.items() if state == "ready"] == ["publishers", "gcs", "bigquery"]


def test_status_tells_what_is_loaded_of_each_dataset(lake: Shell) -> None:
    lake.tarn("run", "taxi_green", "--from", "2020-04", "--no-marts")
    told = lake.tarn("status")
    assert re.search(r"^taxi_green +\d+ +\S+ +2020-04 +[\d,]+ +[\d.]+ KiB +0 +20\d\d-", told, re.MULTILINE)
    assert re.search(r"^taxi_yellow +0 +0 +0 B +0 *$", told, re.MULTILINE)


def test_show_charts_the_partitions_and_samples_the_rows(lake: Shell) -> None:
    lake.tarn("run", "taxi_green", "--from", "2020-04", "--no-marts")
    told = lake.tarn("show", "taxi_green", "--rows", "2")
    assert re.search(r"^2020-04 +█+.* 354 ", told, re.MULTILINE)
    assert re.search(r"^month +DATE +2020-04-01 +2020-04-01 *$", told, re.MULTILINE)
    assert "Nothing is loaded yet" in lake.tarn("show", "taxi_fhv")
    assert "does not answer" in lake.tarn("show", "taxi_green", code=1, TARN_BIGQUERY_PORT=str(free_port()))


def test_status_and_show_read_a_staging_area_in_a_bucket(lake: Shell) -> None:
    staged = {"TARN_STAGING": "gs://tarn-lake/.staging"}
    assert re.search(r"^taxi_zones +0 ", lake.tarn("status", **staged), re.MULTILINE)
    lake.tarn("run", "taxi_zones", "--from", "2020-04", "--no-marts", **staged)
    assert re.search(r"^taxi_zones +1 +2020-04 +2020-04 +265 ", lake.tarn("status", **staged), re.MULTILINE)
    assert re.search(r"^2020-04 +█+.* 265 ", lake.tarn("show", "taxi_zones", **staged), re.MULTILINE)
    away = lake.tarn("status", TARN_GCS_ENDPOINT=f"http://127.0.0.1:{free_port()}", **staged)
    assert "gs://tarn-lake/.staging: http://127.0.0.1" in away
    assert re.search(r"^publishers +ready", away, re.MULTILINE)


def test_the_logs_of_a_service_are_printed(lake: Shell) -> None:
    assert "SELECT rows=" in lake.tarn("logs", "bigquery", "--lines", "50")
    assert "There is no service 'bigqeury'; there are: publishers" in lake.tarn("logs", "bigqeury", code=1)


def test_mistakes_are_told_without_a_traceback(lake: Shell) -> None:
    assert "There is no dataset 'taxi_gren'" in lake.tarn("run", "taxi_gren", "--from", "2020-04", code=1)
    assert "'April' is not a month" in lake.tarn("run", "taxi_green", "--from", "April", code=1)
    assert "runs backwards" in lake.tarn("run", "taxi_green", "--from", "2020-05", "--to", "2020-04", code=1)
    assert "Not found: Table" in lake.tarn("query", "SELECT * FROM lake.nothing", code=1)
    assert "TARN_BIGQUERY_PORT='x' is wrong" in lake.tarn("status", code=1, TARN_BIGQUERY_PORT="x")
    assert "TARN_PROJECT" in lake.tarn("status", code=1, TARN_TARGET="gcp")


def test_a_lake_that_is_down_is_told_so(shell: Shell) -> None:
    told = shell.tarn("query", "SELECT 1", code=1, TARN_BIGQUERY_PORT=str(free_port()))
    assert "start the local cloud with `tarn up`" in told


def test_a_taken_port_is_named_with_its_setting(shell: Shell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        home = str(Path(shell.environment["TARN_HOME"]) / "other")
        settings = {"TARN_GCS_PORT": port, "TARN_HOME": home, "TARN_PUBLISHERS_PORT": str(free_port())}
        told = shell.tarn("up", "--no-airflow", code=1, **settings)
        assert f"Port {port} on 127.0.0.1 is taken" in told
        assert "set TARN_GCS_PORT to a free port" in told
        shell.tarn("down", **settings)


def test_doctor_finds_this_machine_well(lake: Shell) -> None:
    told = lake.tarn("doctor")
    assert "publishers is running" in told
    assert "free for airflow" in told


def test_doctor_says_what_holds_a_port(shell: Shell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        told = shell.tarn("doctor", code=1, TARN_AIRFLOW_PORT=str(other.getsockname()[1]))
    assert re.search(rf"taken by .+ \(pid {os.getpid()}\)\s+-> end it, or set TARN_AIRFLOW_PORT", told)


def test_a_state_folder_that_cannot_be_made_is_told_so(shell: Shell) -> None:
    told = shell.tarn("doctor", code=1, TARN_HOME="/proc/nowhere")
    assert "set TARN_HOME to a folder of yours" in told
