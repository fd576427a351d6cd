"""The taxi DAG in a real Airflow, from the offline publishers to the marts: once, and again in every way there is."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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

pytestmark = pytest.mark.slow

MONTHS = ("2020-04", "2020-05")
DATASETS = ["taxi_green", "taxi_zones"]
ONLY = {"datasets": DATASETS}
REQUEST = {"start_month": "2020-04-01", "end_month": "2020-05-31", **ONLY}


@dataclass(frozen=True)
class Contents:
    """What is in the lake: each object's checksum, each table's rows by month, and the finished mart."""

    objects: dict[str, str]
    rows: dict[str, list[tuple[Any, ...]]]
    summary: list[tuple[Any, ...]]


class Lake:
    """A running lake with Airflow, and the ways to ask it for work."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.address = f"http://{settings.host}:{settings.airflow_port}"
        self.client = AirflowClient(self.address, *login(settings))
        self.client.await_dag("taxi")

    def run(self, conf: dict[str, Any], **options: Any) -> RunState:
        """Trigger a run by REST and wait for its end."""
        return self.end(self.client.trigger("taxi", conf, **options))

    def end(self, run_id: str) -> RunState:
        """A run once it has ended."""
        *_, state = self.client.follow("taxi", run_id)
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
        return answer.json()

    def contents(self) -> Contents:
        """What is in the lake now, of the two months that the tests load again and again."""
        return Contents(self._objects(), {name: self._rows_by_month(name) for name in DATASETS}, self._summary())

    def _objects(self) -> dict[str, str]:
        url = f"{self.settings.gcs_url}/storage/v1/b/{self.settings.bucket}/o"
        items = requests.get(url, timeout=30).json()["items"]
        return {item["name"]: item["crc32c"] for item in items if any(month in item["name"] for month in MONTHS)}

    def _rows_by_month(self, table: str) -> list[tuple[Any, ...]]:
        where = "month BETWEEN DATE '2020-04-01' AND DATE '2020-05-01'"
        return self._query(f"SELECT month, COUNT(*) FROM lake.{table} WHERE {where} GROUP BY month ORDER BY month")

    def _summary(self) -> list[tuple[Any, ...]]:
        where = "month BETWEEN DATE '2020-04-01' AND DATE '2020-05-01'"
        return self._query(f"SELECT * FROM marts.monthly_summary WHERE {where} ORDER BY month, service")

    def _query(self, sql: str) -> list[tuple[Any, ...]]:
        return [tuple(row.values()) for row in bigquery_client(self.settings).query_and_wait(sql)]


def free_ports(count: int) -> list[int]:
    probes = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports: list[int] = [probe.getsockname()[1] for probe in probes]
    for probe in probes:
        probe.close()
    return ports


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    """One lake for the module; when it has ended, no process of it is left."""
    names = ("airflow_port", "bigquery_port", "gcs_port", "publishers_port")
    ports = dict(zip(names, free_ports(len(names)), strict=True))
    settings = Settings(home=tmp_path_factory.mktemp("lake"), sample_rows=2000, **ports)
    services = lake_services(settings)
    supervisor = Supervisor(settings.home)
    try:
        supervisor.start(services, lambda _service, _seconds: None)
        yield Lake(settings)
    finally:
        supervisor.stop(services)
    for service in services:
        assert not processes.family(None, processes.mark(settings.home.resolve(), service.name))


@pytest.fixture(scope="module")
def first_run(lake: Lake) -> RunState:
    """Two months of two datasets, triggered by REST."""
    return lake.run(REQUEST)


@pytest.fixture(scope="module")
def first_contents(lake: Lake, first_run: RunState) -> Contents:
    """What the first run has left."""
    assert first_run.state == "success"
    return lake.contents()


def test_every_task_of_every_lane_succeeds_and_is_named(first_run: RunState) -> None:
    lanes = {f"{dataset} {month}" for dataset in DATASETS for month in MONTHS}
    steps = ("download", "parquetize", "upload_to_gcs", "load_external_table")
    expected = {(f"lane.{step}", lane) for step in steps for lane in lanes} | {("plan_lanes", ""), ("dbt_build", "")}
    assert {(task.task, task.label) for task in first_run.tasks if task.state == "success"} == expected
    assert first_run.state == "success"


def test_the_lake_holds_both_months(first_contents: Contents) -> None:
    assert len(first_contents.objects) == 4
    for rows in first_contents.rows.values():
        assert [(f"{month:%Y-%m}", count > 0) for month, count in rows] == [(month, True) for month in MONTHS]
    assert [f"{row[0]:%Y-%m}" for row in first_contents.summary] == list(MONTHS)


def test_each_table_that_is_written_tells_so_as_an_asset(lake: Lake, first_run: RunState) -> None:
    events = lake.rest("GET", "/assets/events", params={"limit": 100})["asset_events"]
    written = {event["name"] for event in events if event["source_run_id"] == first_run.run_id}
    assert written == {
        *("lake.taxi_green", "lake.taxi_zones"),
        *("marts.trips", "marts.daily_revenue_by_zone", "marts.monthly_summary"),
    }


def test_clearing_a_task_leaves_the_same_lake(lake: Lake, first_run: RunState, first_contents: Contents) -> None:
    cleared = {
        "dry_run": False,
        "dag_run_id": first_run.run_id,
        "task_ids": [["lane.upload_to_gcs", 0]],
        "include_downstream": True,
        "only_failed": False,
        "reset_dag_runs": True,
    }
    assert lake.rest("POST", "/dags/taxi/clearTaskInstances", json=cleared)["total_entries"] >= 2
    assert lake.end(first_run.run_id).state == "success"
    assert lake.contents() == first_contents


def test_dags_backfill_does_the_same_months_anew_and_waits(lake: Lake, first_contents: Contents) -> None:
    conf = json.dumps({**ONLY, "force": True})
    dates = ("-s", "2020-04-01", "-e", "2020-05-31")
    done = lake.airflow("dags", "backfill", "taxi", *dates, "--reset-dagruns", "--yes", "-c", conf)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 succeeded" in done.stdout
    assert all(f"{month}      success" in done.stdout for month in MONTHS)
    assert lake.contents() == first_contents

    again = lake.airflow("dags", "backfill", "taxi", *dates, "--dry-run")
    assert "would be made: 0" in again.stdout


def test_airflows_own_backfill_leaves_the_same_lake(lake: Lake, first_contents: Contents) -> None:
    month = ("--from-date", "2020-05-01", "--to-date", "2020-05-31", "--reprocess-behavior", "completed")
    done = lake.airflow("backfill", "create", "--dag-id", "taxi", *month, "--dag-run-conf", json.dumps(ONLY))
    assert done.returncode == 0, done.stdout + done.stderr
    # The schedule may have made a run of its own meanwhile: on the first day of a month it does.
    latest = {"run_type": "backfill", "order_by": "-id", "limit": 1}
    [run] = lake.rest("GET", "/dags/taxi/dagRuns", params=latest)["dag_runs"]
    assert run["partition_key"] == "2020-05"
    assert lake.end(run["dag_run_id"]).state == "success"
    assert lake.contents() == first_contents


def test_a_month_that_is_not_published_is_skipped_in_a_range_and_the_marts_are_built(lake: Lake) -> None:
    state = lake.run({"start_month": "2013-07-01", "end_month": "2013-08-01", "datasets": ["taxi_green"]})
    states = {(task.task, task.label): task.state for task in state.tasks}
    assert states["lane.download", "taxi_green 2013-07"] == "skipped"
    assert states["lane.load_external_table", "taxi_green 2013-08"] == "success"
    assert (states["dbt_build", ""], state.state) == ("success", "success")


def test_a_run_for_one_month_that_is_not_published_fails_and_builds_nothing(lake: Lake) -> None:
    state = lake.run({"datasets": ["taxi_green"]}, partition_key="2009-01")
    states = {task.task: task.state for task in state.tasks}
    assert (states["lane.download"], states["dbt_build"], state.state) == ("skipped", "failed", "failed")


def test_a_backfill_of_a_month_that_is_not_published_is_skipped(lake: Lake) -> None:
    conf = '{"datasets": ["taxi_green"]}'
    done = lake.airflow("dags", "backfill", "taxi", "-s", "2010-01-01", "-e", "2010-01-31", "-c", conf)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_key_fails_the_run_at_once_and_is_named(lake: Lake) -> None:
    state = lake.run({"month": "2020-04", **REQUEST})
    plan = next(task for task in state.tasks if task.task == "plan_lanes")
    assert (state.state, plan.state) == ("failed", "failed")
    log = lake.rest("GET", f"/dags/taxi/dagRuns/{state.run_id}/taskInstances/plan_lanes/logs/1")
    assert "The run's configuration has 'month', which is unknown" in str(log)
