"""The taxi DAG on two Celery workers that share no folder: each has a home of its own, and a bucket is between them."""

import dataclasses
import os
import secrets
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tarn.airflow.client import AirflowClient, RunState
from tarn.bigquery import bigquery_client
from tarn.local import processes
from tarn.local.airflow import airflow_environment, airflow_services, login
from tarn.local.emulators import emulators
from tarn.local.service import Service
from tarn.local.supervisor import Supervisor
from tarn.settings import Settings
from tests.ports import free_ports

pytestmark = pytest.mark.slow

WORKERS = ("worker-1", "worker-2")
REQUEST = {"start_month": "2020-04-01", "end_month": "2020-05-01", "datasets": ["taxi_green", "taxi_zones"]}


@dataclass(frozen=True)
class Cluster:
    """A lake whose tasks run on two workers, and the folder that each worker has for itself."""

    settings: Settings
    homes: dict[str, Path]

    def run(self) -> RunState:
        """Two months of two datasets, to their end."""
        address = f"http://{self.settings.host}:{self.settings.airflow_port}"
        client = AirflowClient(address, *login(self.settings))
        client.await_dag("taxi")
        *_, state = client.follow("taxi", client.trigger("taxi", REQUEST))
        return state


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, gcs_endpoint: str | None) -> Iterator[Cluster]:
    if not shutil.which("redis-server"):
        pytest.skip("there is no redis-server: on Debian and Ubuntu, `apt install redis-server`")
    names = ("airflow_port", "bigquery_port", "gcs_port", "publishers_port")
    redis_port, *others = free_ports(len(names) + 1)
    ports = dict(zip(names, others, strict=True))
    staging = "gs://tarn-lake/.staging"
    home = tmp_path_factory.mktemp("cluster")
    settings = Settings(home=home, sample_rows=2000, gcs_endpoint=gcs_endpoint, staging=staging, **ports)
    homes = {name: tmp_path_factory.mktemp(name) for name in WORKERS}
    celery = celery_environment(redis_port)
    services = [
        redis(redis_port, tmp_path_factory.mktemp("redis")),
        *emulators(settings),
        *(with_variables(service, celery) for service in airflow_services(settings)),
        *(worker(name, folder, airflow_environment(settings) | celery) for name, folder in homes.items()),
    ]
    supervisor = Supervisor(home)
    try:
        supervisor.start(services, lambda _service, _seconds: None)
        yield Cluster(settings, homes)
    finally:
        supervisor.stop(services)
    for service in services:
        assert not processes.family(None, processes.mark(home.resolve(), service.name))


def celery_environment(port: int) -> dict[str, str]:
    """What makes Airflow hand its tasks to Celery, over a Redis of the test's own."""
    return {
        "AIRFLOW__CORE__EXECUTOR": "airflow.providers.celery.executors.celery_executor.CeleryExecutor",
        "AIRFLOW__CORE__FERNET_KEY": "",
        "AIRFLOW__API__SECRET_KEY": secrets.token_urlsafe(24),
        "AIRFLOW__CELERY__BROKER_URL": f"redis://127.0.0.1:{port}/0",
        "AIRFLOW__CELERY__RESULT_BACKEND": f"redis://127.0.0.1:{port}/1",
    }


def redis(port: int, folder: Path) -> Service:
    options = ("--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(folder))
    return Service("redis", ("redis-server", *options))


def worker(name: str, home: Path, environment: dict[str, str]) -> Service:
    """A worker that knows no folder but its own: neither the scheduler's, nor its database."""
    own = {"TARN_HOME": str(home), "AIRFLOW_HOME": str(home), "AIRFLOW__LOGGING__BASE_LOG_FOLDER": str(home / "logs")}
    program = str(Path(sys.executable).with_name("airflow"))
    command = (program, "celery", "worker", "--concurrency", "1", "--celery-hostname", name, "--skip-serve-logs")
    return Service(name, command, environment=environment | own)


def with_variables(service: Service, variables: dict[str, str]) -> Service:
    return dataclasses.replace(service, environment={**service.environment, **variables})


def test_both_workers_do_tasks_and_leave_nothing_in_their_folders(cluster: Cluster) -> None:
    state = cluster.run()
    assert state.state == "success", [(task.task, task.label, task.state) for task in state.tasks]
    rows = bigquery_client(cluster.settings).query_and_wait(
        "SELECT month, COUNT(*) FROM lake.taxi_green GROUP BY month ORDER BY month"
    )
    assert [f"{row[0]:%Y-%m}" for row in rows if row[1]] == ["2020-04", "2020-05"]
    logs = {
        name: {path.parent.name for path in (home / "logs").rglob("attempt=*.log")}
        for name, home in cluster.homes.items()
    }
    assert all(logs.values()), logs
    for home in (cluster.settings.home, *cluster.homes.values()):
        assert not (home / "staging").exists()
        assert [path for path in home.rglob("scratch/*") if os.path.lexists(path)] == []
