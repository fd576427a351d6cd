"""Airflow in the tests' own process, with a home that is not the user's; and one whole lake that runs, with Airflow."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tarn.airflow.client import AirflowClient, RunState
from tarn.bigquery import bigquery_client
from tarn.local import processes
from tarn.local.airflow import airflow_environment, login
from tarn.local.lake import lake_services
from tarn.local.supervisor import Supervisor
from tarn.settings import Settings
from tests.ports import free_ports

CHECKOUT = Path(__file__).parents[2]
HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the tests that need the running lake come last: it takes half of a small machine while it is up."""
    items.sort(key=lambda item: HERE in item.path.parents and "lake" in getattr(item, "fixturenames", ()))


class Lake:
    """A running lake with Airflow, and the ways to ask it for work."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = f"http://{settings.host}:{settings.airflow_port}"
        self.client = AirflowClient(self.address, *login(settings))

    def run(self, dag: str, conf: dict[str, Any], **options: Any) -> RunState:
        """Trigger a run by REST and wait for its end."""
        self.client.await_dag(dag)
        return self.end(dag, self.client.trigger(dag, conf, **options))

    def end(self, dag: str, run_id: str) -> RunState:
        """A run once it has ended."""
        *_, state = self.client.follow(dag, run_id)
        return state

    def airflow(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Airflow's own command line."""
        program = Path(sys.executable).with_name("airflow")
        environment = os.environ | airflow_environment(self.settings)
        return subprocess.run([program, *words], env=environment, capture_output=True, text=True, check=False)

    def rest(self, method: str, path: str, **options: Any) -> Any:
        """A call of Airflow's REST API that the client has no need for."""
        credentials = dict(zip(("username", "password"), login(self.settings), strict=True))
        token = requests.post(f"{self.address}/auth/token", json=credentials, timeout=30).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.request(method, f"{self.address}/api/v2{path}", headers=headers, timeout=30, **options)
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def written(self, run_id: str) -> set[str]:
        """The names of the assets that a run has told of."""
        query: dict[str, str | int] = {"source_run_id": run_id, "limit": 100}
        return {event["name"] for event in self.rest("GET", "/assets/events", params=query)["asset_events"]}

    def objects(self, prefix: str) -> dict[str, str]:
        """The checksum of each object of the bucket whose name begins so."""
        url = f"{self.settings.gcs_url}/storage/v1/b/{self.settings.bucket}/o"
        items = requests.get(url, params={"prefix": prefix}, timeout=30).json().get("items", [])
        return {item["name"]: item["crc32c"] for item in items}

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query's answer."""
        return [tuple(row.values()) for row in bigquery_client(self.settings).query_and_wait(sql)]


@pytest.fixture(scope="session")
def lake(tmp_path_factory: pytest.TempPathFactory, gcs_endpoint: str | None) -> Iterator[Lake]:
    """One lake for the runs of every pipeline; when it has ended, no process of it is left.

    A module of tests works on datasets and marts of its own pipeline only.
    """
    names = ("airflow_port", "bigquery_port", "gcs_port", "publishers_port")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    home = tmp_path_factory.mktemp("lake")
    settings = Settings(home=home, sample_rows=2000, gcs_endpoint=gcs_endpoint, **ports)
    services = lake_services(settings)
    supervisor = Supervisor(settings.home)
    try:
        supervisor.start(services, lambda _service, _seconds: None)
        yield Lake(settings)
    finally:
        supervisor.stop(services)
    for service in services:
        assert not processes.family(None, processes.mark(settings.home.resolve(), service.name))


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where Airflow puts its files; Airflow reads it when it is first imported, so tests import it themselves."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.setenv("AIRFLOW__CORE__PLUGINS_FOLDER", str(CHECKOUT / "plugins"))
        yield home
