"""The DAG ``customers`` as Airflow reads it."""

import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tarn.airflow.tasks import WINDOW_OF_RUN
from tarn.settings import CHECKOUT

ORDER = ["plan_lanes", "clean", "load", "validate", "dbt_window"]
MODELS = ["stg_customer_transactions", "dim_customers", "dim_products", "fact_transactions", "agg_monthly_sales"]


@pytest.fixture(scope="module")
def customers(airflow_home: Path) -> Any:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(str(CHECKOUT / "dags" / "customers.py"))
    assert bag.import_errors == {}
    return bag.dags["customers"]


def upstream(dag: Any, task: str) -> set[str]:
    return {name for name in dag.task_dict[task].get_flat_relative_ids(upstream=True) if name.startswith("dbt.")}


def test_the_stages_follow_one_another_and_a_group_for_each_model_follows_them(customers: Any) -> None:
    groups = {f"dbt.{model}.{part}" for model in MODELS for part in ("run", "test")}
    assert set(customers.task_dict) == {*ORDER, *groups}
    for before, after in pairwise([*ORDER, "dbt.stg_customer_transactions.run"]):
        assert after in customers.task_dict[before].downstream_task_ids
    assert {f"dbt.{model}" for model in MODELS} < set(customers.task_group_dict)


def test_each_model_is_tested_before_anything_reads_it_and_the_dimensions_stand_side_by_side(customers: Any) -> None:
    for model in MODELS:
        assert customers.task_dict[f"dbt.{model}.test"].upstream_task_ids == {f"dbt.{model}.run"}
    staging = {f"dbt.stg_customer_transactions.{part}" for part in ("run", "test")}
    dims = {f"dbt.dim_{name}.{part}" for name in ("customers", "products") for part in ("run", "test")}
    facts = {f"dbt.fact_transactions.{part}" for part in ("run", "test")}
    assert upstream(customers, "dbt.dim_customers.run") == upstream(customers, "dbt.dim_products.run") == staging
    assert upstream(customers, "dbt.fact_transactions.run") == staging | dims
    assert upstream(customers, "dbt.agg_monthly_sales.run") == staging | dims | facts


def test_a_missing_delivery_holds_back_no_other(customers: Any) -> None:
    rules = {name: customers.task_dict[name].trigger_rule for name in ORDER}
    assert rules == dict.fromkeys(ORDER, "none_failed") | dict.fromkeys(("plan_lanes", "clean"), "all_success")


def test_dbt_works_in_the_task_s_own_process_on_the_days_that_were_loaded(customers: Any) -> None:
    for model in MODELS:
        task = customers.task_dict[f"dbt.{model}.run"]
        assert (task.invocation_mode.value, task.install_deps) == ("dbt_runner", False)
        assert task.vars is None
        assert {name: value for name, value in task.env.items() if "dbt_window" in value} == WINDOW_OF_RUN
        assert task.select == model


def test_the_schedule_is_the_day_before_and_makes_up_for_nothing(customers: Any) -> None:
    assert repr(customers.timetable).startswith("CronPartitionTimetable(expression='0 0 * * *', timezone='UTC'")
    assert "run_offset=-1, key_format='%Y-%m-%d'" in repr(customers.timetable)
    assert (customers.catchup, customers.max_active_runs) == (False, 1)
    assert list(customers.params) == ["start_day", "end_day", "datasets", "force"]


def test_its_page_explains_every_task_and_every_param(customers: Any) -> None:
    names = [*ORDER, *(f"dbt.{model}" for model in MODELS), *customers.params]
    assert all(f"`{name}`" in customers.doc_md for name in names)
    assert customers.tags == {"lake", "customers"}


def test_the_table_and_each_mart_are_assets(customers: Any) -> None:
    outlets = {
        name: [asset.name for asset in task.outlets] for name, task in customers.task_dict.items() if task.outlets
    }
    marts = {f"dbt.{model}.test": [f"marts.{model}"] for model in MODELS[1:]}
    assert outlets == {"validate": ["lake.customers_transactions"]} | marts


def test_reading_the_dag_loads_no_dbt_and_no_library_of_the_steps(airflow_home: Path) -> None:
    code = (
        "import runpy, sys; runpy.run_path(sys.argv[1]); "
        "print([m for m in ('dbt.cli', 'dbt.adapters', 'pyarrow', 'pandas', 'duckdb') if m in sys.modules])"
    )
    command = [sys.executable, "-c", code, str(CHECKOUT / "dags" / "customers.py")]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[-1] == "[]"
