"""The DAG collisions in a real Airflow, from the portal to the marts: once, again, and by backfill over past days."""

from typing import Any

import pytest

from tarn.airflow.client import RunState
from tarn.dataset import find_dataset
from tarn.receipt import Receipt
from tarn.staging import Workspace

pytestmark = pytest.mark.slow

REQUEST = {"start_day": "2022-04-19", "end_day": "2022-04-20", "start_year": "2022-01-01"}
TASKS = {"ingest_raw", "transform_clean", "transform_curated", "model_analytics"}
MARTS = (
    "crashes",
    "crash_vehicles",
    "dim_boroughs",
    "dim_dates",
    "crashes_by_borough",
    "crashes_by_hour",
    "crashes_by_factor",
    "crashes_by_severity",
)


def contents_of(lake) -> dict[str, Any]:
    """The objects of the lake, and every row of the marts."""
    marts = {mart: sorted(lake.query(f"SELECT TO_JSON_STRING(t) FROM marts.{mart} AS t")) for mart in MARTS}
    return {"objects": lake.objects("collisions_")} | marts


def receipt_of_download(lake, day: str) -> Receipt:
    """What the download of a day's updates has left."""
    dataset = find_dataset("collisions_updates", lake.settings.datasets_folder)
    workspace = Workspace.of(dataset, dataset.partition(day), lake.settings)
    receipt = Receipt.load(workspace.receipt("download"))
    assert receipt is not None
    return receipt


@pytest.fixture(scope="module")
def first_run(lake) -> RunState:
    """Two days of updates and a year of history, triggered by REST."""
    return lake.run("collisions", REQUEST)


@pytest.fixture(scope="module")
def first_contents(lake, first_run: RunState) -> dict[str, Any]:
    """What the first run has left."""
    assert first_run.state == "success", [task for task in first_run.tasks if task.state != "success"]
    return contents_of(lake)


def test_the_run_is_four_tasks_and_one_partition_is_one_of_the_second(
    lake, first_run: RunState, first_contents: dict[str, Any]
) -> None:
    assert {task.task for task in first_run.tasks} == TASKS
    assert [task.task for task in first_run.tasks].count("transform_clean") == 3
    assert {name.split("/")[1] for name in first_contents["objects"]} == {
        "day=2022-04-19",
        "day=2022-04-20",
        "year=2022-01-01",
    }
    [[crashes, ids]] = lake.query("SELECT COUNT(*), COUNT(DISTINCT collision_id) FROM marts.crashes")
    assert crashes == ids > 1_000


def test_a_second_run_leaves_the_same_marts(lake, first_contents: dict[str, Any]) -> None:
    assert lake.run("collisions", REQUEST).state == "success"
    assert contents_of(lake) == first_contents


def test_a_backfill_brings_past_days_and_keeps_the_others(lake, first_contents: dict[str, Any]) -> None:
    days = ("2022-04-22", "2022-04-23")
    done = lake.airflow("dags", "backfill", "collisions", "-s", days[0], "-e", days[1])
    assert done.returncode == 0, done.stdout + done.stderr
    objects = lake.objects("collisions_")
    assert objects.items() >= first_contents["objects"].items()
    assert {name.split("/")[1] for name in objects} >= {f"day={day}" for day in days}
    first, second = (receipt_of_download(lake, day) for day in days)
    assert second.since == first.mark, "the days were not asked for one after the other"
    # The schedule's own run for yesterday, which the backfill lets begin, may have brought more.
    [[crashes, ids]] = lake.query("SELECT COUNT(*), COUNT(DISTINCT collision_id) FROM marts.crashes")
    assert crashes == ids >= len(first_contents["crashes"])
    lacking = lake.query(
        "SELECT collision_id FROM lake.collisions_updates WHERE day IN ('2022-04-22', '2022-04-23')"
        " EXCEPT DISTINCT SELECT collision_id FROM marts.crashes"
    )
    assert lacking == []
