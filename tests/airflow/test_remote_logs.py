"""Airflow's task logs in the lake's bucket: written and read by the Google provider's own handler."""

import os
import subprocess
import sys

import pytest
import requests

from tarn.local.airflow import airflow_environment, airflow_services
from tarn.local.bucket import ensure_bucket
from tarn.settings import LogFormat, Settings

TASK_LOG = "dag_id=taxi/run_id=manual/task_id=plan_lanes/attempt=1.log"
HANDLER = f"""
from pathlib import Path
from types import SimpleNamespace
from airflow.logging_config import get_remote_task_log, load_logging_config
load_logging_config()
handler = get_remote_task_log()
local = Path(handler.base_log_folder) / {TASK_LOG!r}
local.parent.mkdir(parents=True)
for line in ("first", "second"):
    local.write_text(line)
    handler.upload(local, SimpleNamespace())
messages, logs = handler.read({TASK_LOG!r}, SimpleNamespace())
print("READ", messages, logs)
"""


@pytest.fixture
def kept(settings: Settings, embedded_gcs: str) -> Settings:
    # Not fake-gcs-server: of an object that is not there it says so in other words than Google, which the provider's
    # handler takes for a failure, and keeps the log to itself.
    return settings.model_copy(update={"gcs_endpoint": embedded_gcs, "remote_logs": True})


@pytest.mark.slow
def test_a_task_s_log_is_readable_from_the_bucket(kept: Settings) -> None:
    ensure_bucket(kept)
    environment = os.environ | airflow_environment(kept)
    done = subprocess.run(
        [sys.executable, "-c", HANDLER], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    url = f"{kept.gcs_url}/download/storage/v1/b/{kept.bucket}/o/{requests.utils.quote(f'logs/{TASK_LOG}', safe='')}"
    answer = requests.get(url, params={"alt": "media"}, timeout=60)
    assert answer.text == "first\nsecond"
    [read] = [line for line in done.stdout.splitlines() if line.startswith("READ ")]
    assert f"gs://{kept.bucket}/logs/{TASK_LOG}" in read
    assert "first\\nsecond" in read


def test_one_setting_has_airflow_keep_its_logs_there(kept: Settings) -> None:
    environment = airflow_environment(kept)
    assert environment["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == f"gs://{kept.bucket}/logs"
    assert environment["AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID"] == "google_cloud_default"
    [scheduler, *_] = airflow_services(kept)
    assert (sys.executable, "-m", "tarn.local.bucket") in scheduler.prepare


def test_without_it_they_stay_in_the_folder(settings: Settings) -> None:
    assert "AIRFLOW__LOGGING__REMOTE_LOGGING" not in airflow_environment(settings)
    assert len(airflow_services(settings)[0].prepare) == 1


def test_on_gcp_they_are_kept_there_unless_one_says_no(settings: Settings) -> None:
    on_gcp = Settings(target="gcp", project="mine", home=settings.home, root=settings.root, connection="my_google")
    environment = airflow_environment(on_gcp)
    assert environment["AIRFLOW__LOGGING__REMOTE_BASE_LOG_FOLDER"] == "gs://mine-lake/logs"
    assert environment["AIRFLOW__LOGGING__REMOTE_LOG_CONN_ID"] == "my_google"
    refused = on_gcp.model_copy(update={"remote_logs": False})
    assert "AIRFLOW__LOGGING__REMOTE_LOGGING" not in airflow_environment(refused)


def test_airflow_s_lines_are_json_where_asked(settings: Settings) -> None:
    assert airflow_environment(settings)["AIRFLOW__LOGGING__JSON_LOGS"] == "False"
    in_json = settings.model_copy(update={"log_format": LogFormat.JSON})
    assert airflow_environment(in_json)["AIRFLOW__LOGGING__JSON_LOGS"] == "True"
