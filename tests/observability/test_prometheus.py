"""The dashboard's questions answered by a real Prometheus, which has the metrics of a real emulator and of Airflow."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
import yaml
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tarn.local.airflow import airflow_environment
from tarn.settings import Settings
from tests.conftest import SEARCH_PATH, RunningServer
from tests.ports import free_port

from .test_dashboard import FOLDER, SEND, airflow_metrics, asked, expressions, labels_of

OLDEST = 3
"""The first version that takes OpenTelemetry's metrics by the option that the compose file gives it."""

UNDER_WAY = "tarn_bigquery_jobs"
"""Of jobs under way there is no sample here: they are over. test_dashboard.py holds their name."""

ARRIVAL_SECONDS = 60


def program(name: str) -> str:
    """Where one of Prometheus' programs is; skips where there is none that is new enough."""
    found = os.environ.get(f"TARN_{name.upper()}") or shutil.which(name, path=SEARCH_PATH)
    if not found:
        pytest.skip(f"there is no {name}")
    told = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    version = re.search(r"version (\d+)\.", told)
    if not version or int(version[1]) < OLDEST:
        pytest.skip(f"{found} is older than Prometheus {OLDEST}")
    return found


@pytest.fixture(scope="module")
def prometheus(bigquery_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus with our configuration, but for the emulator's address and the pace."""
    folder = tmp_path_factory.mktemp("prometheus")
    config = yaml.safe_load((FOLDER / "prometheus.yml").read_text(encoding="utf-8"))
    config["global"]["scrape_interval"] = "1s"
    [job] = [one for one in config["scrape_configs"] if one["job_name"] == "tarn-bigquery"]
    job["static_configs"] = [{"targets": [bigquery_url.removeprefix("http://")]}]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    address = f"127.0.0.1:{free_port()}"
    options = ["--config.file", str(folder / "prometheus.yml"), "--storage.tsdb.path", str(folder / "data")]
    server = RunningServer(
        [program("prometheus"), *options, "--web.listen-address", address, "--web.enable-otlp-receiver"],
        f"http://{address}",
    )
    try:
        server.await_ready("/-/ready")
        yield server.url
    finally:
        server.kill()


@pytest.fixture(scope="module")
def told(prometheus: str, bigquery_url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """That Prometheus, when the emulator has had jobs and Airflow's sender has sent what the dashboard asks for."""
    client = bigquery.Client("lake", AnonymousCredentials(), client_options={"api_endpoint": bigquery_url})
    client.query_and_wait("SELECT 1 AS one")
    with pytest.raises(BadRequest):
        client.query_and_wait("SELECT nothing")
    known = airflow_metrics()
    wanted = [
        (known[name]["name"], known[name]["type"], dict.fromkeys(labels_of(name), "x")) for name in asked("airflow")
    ]
    settings = Settings(home=tmp_path_factory.mktemp("home"), otlp=f"{prometheus}/api/v1/otlp")
    environment = os.environ | airflow_environment(settings)
    command = [sys.executable, "-c", SEND, json.dumps(wanted)]
    subprocess.run(command, env=environment, capture_output=True, timeout=300, check=True)
    return prometheus


def answer(address: str, query: str) -> list[dict[str, Any]]:
    """What Prometheus says to a query."""
    said = requests.get(f"{address}/api/v1/query", params={"query": query}, timeout=60).json()
    assert said["status"] == "success", said
    result: list[dict[str, Any]] = said["data"]["result"]
    return result


def arrived(address: str, metric: str) -> list[dict[str, Any]]:
    """A metric's samples, as soon as there are any."""
    deadline = time.monotonic() + ARRIVAL_SECONDS
    while not (samples := answer(address, metric)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return samples


def test_the_configuration_is_prometheus_s() -> None:
    checked = subprocess.run(
        [program("promtool"), "check", "config", str(FOLDER / "prometheus.yml")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.slow
@pytest.mark.parametrize("metric", sorted((asked("airflow") | asked("tarn_bigquery")) - {UNDER_WAY}))
def test_every_metric_that_is_asked_for_arrives_with_its_labels(told: str, metric: str) -> None:
    samples = arrived(told, metric)
    assert samples
    assert all(labels_of(metric) <= sample["metric"].keys() for sample in samples)


@pytest.mark.slow
@pytest.mark.parametrize("query", expressions())
def test_every_question_of_the_dashboard_is_understood(told: str, query: str) -> None:
    answer(told, query)
