"""The DAG ``taxi`` as Airflow reads it, and how little another DAG of its kind needs."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CHECKOUT = Path(__file__).parents[2]
STEPS = ["lane.download", "lane.parquetize", "lane.upload_to_gcs", "lane.load_external_table"]

CRYPTO = '''
"""Prices, day by day."""
from airflow.sdk import dag
from tarn.airflow.params import lane_params
from tarn.airflow.tasks import dbt_build, download, lanes, load_external_table, parquetize, upload_to_gcs
from tarn.airflow.timetable import after_each
from tarn.partition import Granularity


@dag(
    schedule=after_each(Granularity.DAY, "0 0 * * *"),
    params=lane_params("taxi", Granularity.DAY),
)
def crypto():
    steps = (download, parquetize, upload_to_gcs, load_external_table)
    loaded = lanes(*steps, pipeline="crypto", granularity=Granularity.DAY)
    dbt_build(loaded, pipeline="crypto", marts=["daily_prices"])


crypto()
'''


def read_dags(folder: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    return DagBag(str(folder))


@pytest.fixture(scope="module")
def taxi(airflow_home: Path) -> Any:
    bag = read_dags(CHECKOUT / "dags")
    assert bag.import_errors == {}
    return bag.dags["taxi"]


def test_every_dag_can_be_written_to_airflows_database(airflow_home: Path) -> None:
    from airflow.serialization.serialized_objects import DagSerialization

    bag = read_dags(CHECKOUT / "dags")
    assert bag.import_errors == {}
    for dag in bag.dags.values():
        assert DagSerialization.to_dict(dag)


def test_every_dag_tells_of_failures_recovery_and_missed_deadlines(airflow_home: Path) -> None:
    for name, dag in read_dags(CHECKOUT / "dags").dags.items():
        assert type(dag.on_failure_callback).__name__ == "FailureNotifier", name
        assert type(dag.on_success_callback).__name__ == "RecoveryNotifier", name
        [deadline] = dag.deadline
        assert deadline.callback.path == "tarn.airflow.alerts.notifier.tell_of_deadline", name


def test_the_steps_follow_one_another_in_each_lane_and_dbt_follows_all(taxi: Any) -> None:
    order = ["plan_lanes", *STEPS, "dbt_build"]
    assert sorted(taxi.task_dict) == sorted(order)
    for before, after in zip(STEPS, [*STEPS[1:], "dbt_build"], strict=True):
        assert taxi.task_dict[before].downstream_task_ids == {after}
    assert taxi.task_dict["plan_lanes"].downstream_task_ids == set(STEPS)


def test_only_lanes_are_mapped(taxi: Any) -> None:
    mapped = {name for name, task in taxi.task_dict.items() if task.get_closest_mapped_task_group()}
    assert mapped == set(STEPS)
    assert all(taxi.task_dict[name].map_index_template for name in STEPS)


def test_a_missing_month_does_not_hold_back_dbt_but_a_failed_one_does(taxi: Any) -> None:
    assert taxi.task_dict["dbt_build"].trigger_rule == "none_failed"
    assert all(taxi.task_dict[name].trigger_rule == "all_success" for name in STEPS)


def test_every_task_is_tried_again_with_growing_delays(taxi: Any) -> None:
    for task in taxi.tasks:
        assert task.retries == 3
        assert task.retry_exponential_backoff > 1
        assert task.max_retry_delay


def test_the_schedule_is_the_month_before_and_makes_up_for_nothing(taxi: Any) -> None:
    assert repr(taxi.timetable).startswith("CronPartitionTimetable(expression='0 0 1 * *', timezone='UTC'")
    assert "run_offset=-1, key_format='%Y-%m'" in repr(taxi.timetable)
    assert not taxi.catchup


def test_the_form_has_date_pickers_a_choice_of_datasets_and_force(taxi: Any) -> None:
    schema = {name: taxi.params.get_param(name).schema for name in taxi.params}
    assert list(schema) == ["start_month", "end_month", "datasets", "force"]
    assert schema["start_month"]["format"] == schema["end_month"]["format"] == "date"
    assert schema["datasets"]["examples"] == ["taxi_fhv", "taxi_green", "taxi_yellow", "taxi_zones"]
    assert schema["force"]["type"] == "boolean"


@pytest.mark.parametrize(
    ("name", "value"),
    [("start_month", "April"), ("datasets", ["taxi_blue"]), ("datasets", []), ("force", "maybe")],
)
def test_a_wrong_param_is_refused_before_a_run_is_made(taxi: Any, name: str, value: Any) -> None:
    from airflow.sdk.exceptions import ParamValidationError

    params = copy.deepcopy(taxi.params)
    with pytest.raises(ParamValidationError, match=name):
        params[name] = value


def test_its_page_explains_every_task_and_every_param(taxi: Any) -> None:
    names = [task_id.removeprefix("lane.") for task_id in taxi.task_dict]
    assert all(f"`{name}`" in taxi.doc_md for name in [*names, *taxi.params])
    assert taxi.tags == {"lake", "taxi"}


def test_each_table_of_the_lake_is_an_asset(taxi: Any) -> None:
    marts = {asset.name for asset in taxi.task_dict["dbt_build"].outlets}
    assert marts == {"marts.trips", "marts.daily_revenue_by_zone", "marts.monthly_summary"}
    tables = {asset.name for asset in taxi.task_dict["lane.load_external_table"].outlets}
    assert tables == {"lake.taxi_fhv", "lake.taxi_green", "lake.taxi_yellow", "lake.taxi_zones"}


def test_another_dag_of_its_kind_is_a_few_lines(airflow_home: Path, tmp_path: Path) -> None:
    (tmp_path / "crypto.py").write_text(CRYPTO, encoding="utf-8")
    bag = read_dags(tmp_path)
    assert bag.import_errors == {}
    crypto = bag.dags["crypto"]
    assert set(STEPS) < set(crypto.task_dict)
    assert list(crypto.params) == ["start_day", "end_day", "datasets", "force"]


def test_reading_the_dags_loads_no_library_of_the_steps(airflow_home: Path) -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print([m for m in ('pyarrow', 'pandas', 'duckdb', 'google.cloud.bigquery', 'gcloud') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(CHECKOUT / "dags" / "taxi.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == "[]"
