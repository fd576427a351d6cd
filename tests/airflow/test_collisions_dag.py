"""The DAG ``collisions`` as Airflow reads it, and which partitions a run of it works on."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tarn.airflow.pools import needed_pools
from tarn.settings import CHECKOUT, Settings

ORDER = ["ingest_raw", "transform_clean", "transform_curated", "model_analytics"]


@pytest.fixture(scope="module")
def collisions(airflow_home: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(CHECKOUT / "dags" / "collisions.py"))
    assert bag.import_errors == {}
    return bag.dags["collisions"]


def test_it_is_four_tasks_one_after_the_other(collisions: Any) -> None:
    assert sorted(collisions.task_dict) == sorted(ORDER)
    upstream = {name: task.get_flat_relative_ids(upstream=True) for name, task in collisions.task_dict.items()}
    for number, name in enumerate(ORDER):
        assert upstream[name] == set(ORDER[:number])
    for before, after in pairwise(ORDER):
        assert after in collisions.task_dict[before].downstream_task_ids


def test_only_what_a_partition_needs_for_itself_is_mapped(collisions: Any) -> None:
    assert {name for name, task in collisions.task_dict.items() if task.is_mapped} == {"transform_clean"}


def test_no_two_tasks_build_the_marts_at_once_on_whatever_worker(collisions: Any) -> None:
    pools = {name: task.pool for name, task in collisions.task_dict.items() if task.pool != "default_pool"}
    assert pools == {
        "ingest_raw": "socrata",
        "transform_curated": "collisions_marts",
        "model_analytics": "collisions_marts",
    }
    assert set(pools.values()) <= needed_pools(Settings()).keys()


def test_the_schedule_is_the_day_before_and_makes_up_for_nothing(collisions: Any) -> None:
    assert repr(collisions.timetable).startswith("CronPartitionTimetable(expression='0 0 * * *', timezone='UTC'")
    assert "run_offset=-1, key_format='%Y-%m-%d'" in repr(collisions.timetable)
    assert not collisions.catchup
    assert collisions.max_active_runs == 1


def test_the_form_asks_for_days_of_updates_and_years_of_history(collisions: Any) -> None:
    schema = {name: collisions.params.get_param(name).schema for name in collisions.params}
    assert sorted(schema) == ["datasets", "end_day", "end_year", "force", "start_day", "start_year"]
    assert {schema[f"{edge}_{part}"]["format"] for edge in ("start", "end") for part in ("day", "year")} == {"date"}
    assert schema["datasets"]["examples"] == ["collisions_history", "collisions_updates"]


def test_every_table_is_an_asset(collisions: Any) -> None:
    outlets = {name: {asset.name for asset in task.outlets} for name, task in collisions.task_dict.items()}
    assert outlets["transform_clean"] == {"lake.collisions_history", "lake.collisions_updates"}
    assert {"marts.crashes", "marts.crash_vehicles"} < outlets["transform_curated"]
    assert {f"marts.crashes_by_{what}" for what in ("borough", "hour", "factor", "severity")} == outlets[
        "model_analytics"
    ]


@pytest.mark.parametrize(
    ("params", "key", "lanes"),
    [
        ({}, "2022-04-18", ["collisions_updates 2022-04-18"]),
        (
            {"start_day": "2022-04-18", "end_day": "2022-04-19"},
            None,
            ["collisions_updates 2022-04-18", "collisions_updates 2022-04-19"],
        ),
        (
            {"start_year": "2021-01-01", "end_year": "2022-06-30"},
            None,
            ["collisions_history 2021", "collisions_history 2022"],
        ),
        ({"start_year": "2021-01-01"}, "2022-04-18", ["collisions_history 2021"]),
        (
            {"start_year": "2021-01-01", "start_day": "2022-04-18"},
            None,
            ["collisions_history 2021", "collisions_updates 2022-04-18"],
        ),
        (
            {"start_year": "2021-01-01", "start_day": "2022-04-18", "datasets": ["collisions_updates"]},
            None,
            ["collisions_updates 2022-04-18"],
        ),
    ],
)
def test_a_run_works_on_what_it_was_asked_for(
    collisions: Any, monkeypatch: pytest.MonkeyPatch, params: dict[str, Any], key: str | None, lanes: list[str]
) -> None:
    from types import SimpleNamespace

    from airflow.sdk.exceptions import AirflowSkipException

    import tarn.airflow.collisions as tasks

    values = {name: collisions.params[name] for name in collisions.params} | params
    run = SimpleNamespace(conf=params, partition_key=key, logical_date=None)
    context = {"params": values, "dag": collisions, "dag_run": run}
    asked = []

    def download(lane: dict[str, str]) -> list[str]:
        asked.append(f"{lane['dataset']} {lane['partition']}")
        if len(asked) > 1:
            raise AirflowSkipException("not published")
        return []

    monkeypatch.setattr(tasks, "get_current_context", lambda: context)
    monkeypatch.setattr("tarn.airflow.tasks.get_current_context", lambda: context)
    monkeypatch.setattr(tasks.download, "function", download)
    published = tasks.ingest_raw.function()
    assert asked == lanes
    assert [f"{lane['dataset']} {lane['partition']}" for lane in published] == lanes[:1]


def test_its_page_explains_every_task_and_every_param(collisions: Any) -> None:
    assert all(f"`{name}`" in collisions.doc_md for name in [*collisions.task_dict, *collisions.params])
    assert collisions.tags == {"lake", "collisions"}
