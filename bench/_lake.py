"""A lake with Airflow for the benches that run DAGs: its state in a temporary folder, its ports free ones."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import psutil
from _ports import free_port

from tarn.airflow.client import AirflowClient, RunState
from tarn.local.airflow import login
from tarn.local.lake import lake_services
from tarn.local.service import Service
from tarn.local.supervisor import Supervisor
from tarn.settings import CHECKOUT, Settings

PORTS = ("airflow_port", "bigquery_port", "gcs_port", "publishers_port")


@dataclass(frozen=True)
class Lake:
    """A lake that runs."""

    settings: Settings
    client: AirflowClient
    supervisor: Supervisor
    services: Sequence[Service]

    def run(self, dag: str, conf: Mapping[str, str]) -> tuple[float, RunState]:
        """How many seconds a run of a DAG took from its trigger to its end, and how it ended."""
        self.client.await_dag(dag)
        begun = time.perf_counter()
        *_, state = self.client.follow(dag, self.client.trigger(dag, conf))
        seconds = time.perf_counter() - begun
        if state.state != "success":
            raise SystemExit(f"The run of {dag} ended as {state.state}.")
        return seconds, state

    def processor_seconds(self) -> float:
        """What the lake's processes have used so far, with those of their children that have ended."""
        leaders = [self.supervisor.status(service).pid for service in self.services]
        return sum(_used(leader) for leader in leaders if leader)


@contextmanager
def running_lake(dags: Path | None = None, *, defers: bool = False) -> Iterator[Lake]:
    """A lake, until the block ends: with the DAGs of a folder instead of its own, and a triggerer if tasks defer."""
    with tempfile.TemporaryDirectory(prefix="bench-lake-") as folder:
        ports = {name: free_port() for name in PORTS}
        root = _root_with(dags, Path(folder) / "root") if dags else CHECKOUT
        settings = Settings(home=Path(folder) / "home", root=root, **ports)
        services = lake_services(settings)
        if defers:
            services.append(_triggerer(services))
        supervisor = Supervisor(settings.home)
        try:
            supervisor.start(services, lambda _service, _seconds: None)
            client = AirflowClient(f"http://{settings.host}:{settings.airflow_port}", *login(settings))
            yield Lake(settings, client, supervisor, services)
        finally:
            supervisor.stop(services)


def _root_with(dags: Path, root: Path) -> Path:
    """A checkout with other DAGs."""
    root.mkdir()
    for name in ("datasets", "dbt", "plugins"):
        (root / name).symlink_to(CHECKOUT / name)
    (root / "dags").symlink_to(dags)
    return root


def _triggerer(services: Sequence[Service]) -> Service:
    """The process that waits in the place of deferred tasks; no DAG of the lake's own needs it."""
    [scheduler] = [service for service in services if service.name == "airflow-scheduler"]
    airflow, *_ = scheduler.command
    return replace(scheduler, name="airflow-triggerer", command=(airflow, "triggerer", "--skip-serve-logs"), prepare=())


def _used(leader: int) -> float:
    process = psutil.Process(leader)
    return sum(_own_seconds(one) for one in (process, *process.children(recursive=True)))


def _own_seconds(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system + times.children_user + times.children_system)
