"""The DAG customers in a real Airflow, from the shop's deliveries to the marts: once, again, and by backfill."""

import json
from typing import Any

import pytest

from tarn.airflow.client import RunState

pytestmark = pytest.mark.slow

DAYS = ("2023-07-10", "2023-07-11")
REQUEST = {"start_day": DAYS[0], "end_day": DAYS[1]}
LANES = [f"customers_transactions {day}" for day in DAYS]
MARTS = ("dim_customers", "dim_products", "fact_transactions", "agg_monthly_sales")
MODELS = ("stg_customer_transactions", *MARTS)


# What the marts say of these deliveries. A backfill wakes the schedule, whose run brings yesterday's delivery besides:
# it adds customers' last days, other months and transactions of its own.
OURS = f"delivered_on BETWEEN '{DAYS[0]}' AND '{DAYS[1]}'"
ROWS = {
    "fact_transactions": f"SELECT TO_JSON_STRING(t) FROM marts.fact_transactions AS t WHERE {OURS}",
    "agg_monthly_sales": f"SELECT TO_JSON_STRING(t) FROM marts.agg_monthly_sales AS t WHERE month < '{DAYS[1]}'",
    "dim_customers": "SELECT TO_JSON_STRING((customer_id, is_known, first_bought_on)) FROM marts.dim_customers"
    f" WHERE customer_id IN (SELECT customer_id FROM marts.fact_transactions WHERE {OURS})",
    "dim_products": "SELECT TO_JSON_STRING((product_id, product_name, first_sold_on)) FROM marts.dim_products"
    f" WHERE product_id IN (SELECT product_id FROM marts.fact_transactions WHERE {OURS})",
}


def contents_of(lake) -> dict[str, Any]:
    """The objects of the deliveries, and the rows of every mart that come of them."""
    objects = {name: crc for name, crc in lake.objects("customers_").items() if any(day in name for day in DAYS)}
    return {"objects": objects, **{mart: sorted(lake.query(sql)) for mart, sql in ROWS.items()}}


@pytest.fixture(scope="module")
def first_run(lake) -> RunState:
    """Two deliveries, triggered by REST."""
    return lake.run("customers", REQUEST)


@pytest.fixture(scope="module")
def first_contents(lake, first_run: RunState) -> dict[str, Any]:
    """What the first run has left."""
    assert first_run.state == "success", [task for task in first_run.tasks if task.state != "success"]
    return contents_of(lake)


def test_every_stage_and_every_model_succeeds(first_run: RunState) -> None:
    stages = {(stage, lane) for stage in ("clean", "load", "validate") for lane in LANES}
    groups = {(f"dbt.{model}.{part}", "") for model in MODELS for part in ("run", "test")}
    done = {(task.task, task.label) for task in first_run.tasks if task.state == "success"}
    assert done == stages | groups | {("plan_lanes", ""), ("dbt_window", "")}
    assert first_run.state == "success"


def test_each_transaction_is_one_row_and_what_is_written_is_told(
    lake, first_run: RunState, first_contents: dict[str, Any]
) -> None:
    [(rows, transactions)] = lake.query(
        "SELECT COUNT(*), COUNT(DISTINCT transaction_id) FROM lake.customers_transactions"
        f" WHERE day BETWEEN '{DAYS[0]}' AND '{DAYS[1]}'"
    )
    assert rows > transactions == len(first_contents["fact_transactions"])
    assert lake.written(first_run.run_id) == {"lake.customers_transactions", *(f"marts.{mart}" for mart in MARTS)}


def test_a_second_run_and_a_backfill_over_past_dates_leave_the_same_marts(lake, first_contents: dict[str, Any]) -> None:
    assert lake.run("customers", {**REQUEST, "force": True}).state == "success"
    assert contents_of(lake) == first_contents
    dates = ("-s", DAYS[0], "-e", DAYS[1])
    done = lake.airflow("dags", "backfill", "customers", *dates, "--yes", "-c", json.dumps({"force": True}))
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 succeeded" in done.stdout
    assert contents_of(lake) == first_contents
