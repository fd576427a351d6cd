"""The taxi DAG in a real Airflow, from the offline publishers to the marts: once, and again in every way there is."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from tarn.airflow.client import RunState

pytestmark = pytest.mark.slow

MONTHS = ("2020-04", "2020-05")
DATASETS = ["taxi_green", "taxi_zones"]
ONLY = {"datasets": DATASETS}
REQUEST = {"start_month": "2020-04-01", "end_month": "2020-05-31", **ONLY}
WHERE = "month BETWEEN DATE '2020-04-01' AND DATE '2020-05-01'"


@dataclass(frozen=True)
class Contents:
    """What is in the lake: each object's checksum, each table's rows by month, and the finished mart."""

    objects: dict[str, str]
    rows: dict[str, list[tuple[Any, ...]]]
    summary: list[tuple[Any, ...]]


def contents_of(lake) -> Contents:
    """What is in the lake now, of the two months that these tests load again and again."""
    objects = lake.objects("taxi_")
    return Contents(
        objects={name: checksum for name, checksum in objects.items() if any(month in name for month in MONTHS)},
        rows={
            name: lake.query(f"SELECT month, COUNT(*) FROM lake.{name} WHERE {WHERE} GROUP BY month ORDER BY month")
            for name in DATASETS
        },
        summary=lake.query(f"SELECT * FROM marts.monthly_summary WHERE {WHERE} ORDER BY month, service"),
    )


@pytest.fixture(scope="module")
def first_run(lake) -> RunState:
    """Two months of two datasets, triggered by REST."""
    return lake.run("taxi", REQUEST)


@pytest.fixture(scope="module")
def first_contents(lake, first_run: RunState) -> Contents:
    """What the first run has left."""
    assert first_run.state == "success"
    return contents_of(lake)


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


def test_each_table_that_is_written_tells_so_as_an_asset(lake, first_run: RunState) -> None:
    assert lake.written(first_run.run_id) == {
        *("lake.taxi_green", "lake.taxi_zones"),
        *("marts.trips", "marts.daily_revenue_by_zone", "marts.monthly_summary"),
    }


def test_clearing_a_task_leaves_the_same_lake(lake, first_run: RunState, first_contents: Contents) -> None:
    cleared = {
        "dry_run": False,
        "dag_run_id": first_run.run_id,
        "task_ids": [["lane.upload_to_gcs", 0]],
        "include_downstream": True,
        "only_failed": False,
        "reset_dag_runs": True,
    }
    assert lake.rest("POST", "/dags/taxi/clearTaskInstances", json=cleared)["total_entries"] >= 2
    assert lake.end("taxi", first_run.run_id).state == "success"
    assert contents_of(lake) == first_contents


def test_dags_backfill_does_the_same_months_anew_and_waits(lake, first_contents: Contents) -> None:
    conf = json.dumps({**ONLY, "force": True})
    dates = ("-s", "2020-04-01", "-e", "2020-05-31")
    done = lake.airflow("dags", "backfill", "taxi", *dates, "--reset-dagruns", "--yes", "-c", conf)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 succeeded" in done.stdout
    assert all(f"{month}      success" in done.stdout for month in MONTHS)
    assert contents_of(lake) == first_contents

    again = lake.airflow("dags", "backfill", "taxi", *dates, "--dry-run")
    assert "would be made: 0" in again.stdout


def test_airflows_own_backfill_leaves_the_same_lake(lake, first_contents: Contents) -> None:
    month = ("--from-date", "2020-05-01", "--to-date", "2020-05-31", "--reprocess-behavior", "completed")
    done = lake.airflow("backfill", "create", "--dag-id", "taxi", *month, "--dag-run-conf", json.dumps(ONLY))
    assert done.returncode == 0, done.stdout + done.stderr
    # The schedule may have made a run of its own meanwhile: on the first day of a month it does.
    latest = {"run_type": "backfill", "order_by": "-id", "limit": 1}
    [run] = lake.rest("GET", "/dags/taxi/dagRuns", params=latest)["dag_runs"]
    assert run["partition_key"] == "2020-05"
    assert lake.end("taxi", run["dag_run_id"]).state == "success"
    assert contents_of(lake) == first_contents


def test_a_month_that_is_not_published_is_skipped_in_a_range_and_the_marts_are_built(lake) -> None:
    state = lake.run("taxi", {"start_month": "2013-07-01", "end_month": "2013-08-01", "datasets": ["taxi_green"]})
    states = {(task.task, task.label): task.state for task in state.tasks}
    assert states["lane.download", "taxi_green 2013-07"] == "skipped"
    assert states["lane.load_external_table", "taxi_green 2013-08"] == "success"
    assert (states["dbt_build", ""], state.state) == ("success", "success")


def test_a_run_for_one_month_that_is_not_published_fails_and_builds_nothing(lake) -> None:
    state = lake.run("taxi", {"datasets": ["taxi_green"]}, partition_key="2009-01")
    states = {task.task: task.state for task in state.tasks}
    assert (states["lane.download"], states["dbt_build"], state.state) == ("skipped", "failed", "failed")


def test_a_backfill_of_a_month_that_is_not_published_is_skipped(lake) -> None:
    conf = '{"datasets": ["taxi_green"]}'
    done = lake.airflow("dags", "backfill", "taxi", "-s", "2010-01-01", "-e", "2010-01-31", "-c", conf)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_unknown_key_fails_the_run_at_once_and_is_named(lake) -> None:
    state = lake.run("taxi", {"month": "2020-04", **REQUEST})
    plan = next(task for task in state.tasks if task.task == "plan_lanes")
    assert (state.state, plan.state) == ("failed", "failed")
    log = lake.rest("GET", f"/dags/taxi/dagRuns/{state.run_id}/taskInstances/plan_lanes/logs/1")
    assert "The run's configuration has 'month', which is unknown" in str(log)
