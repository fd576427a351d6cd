"""The customers' models on a real emulator: one row a transaction, however often it is delivered and in what order."""

import datetime as dt
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINE, GRANULARITY = "customers", "day"
TABLE = "customers_transactions"
MONDAY, TUESDAY, WEDNESDAY = "2023-07-10", "2023-07-11", "2023-07-12"
MARTS = ("dim_customers", "dim_products", "fact_transactions", "agg_monthly_sales")


def sold(number: int, day: str = MONDAY, **columns: Any) -> dict[str, Any]:
    """A transaction; what is not named is usual."""
    usual = {"customer_id": 501, "product_id": 101, "product_name": "Product A", "quantity": 2}
    amounts = {"price": Decimal("10.25"), "tax": Decimal("1.5")}
    return {"transaction_id": number, "transaction_date": dt.date.fromisoformat(day), **usual, **amounts, **columns}


FIRST = [
    sold(1),
    sold(2, customer_id=None),
    sold(3, product_id=102, product_name="Product B"),
    sold(2, customer_id=None),
]
SECOND = [*FIRST[1:], sold(4, TUESDAY), sold(1, quantity=5)]


@pytest.fixture(scope="module")
def marts(lake, dbt):
    """A lake with two deliveries, of which the second has the first once more, and corrects a transaction."""
    lake.put(TABLE, MONDAY, FIRST)
    lake.put(TABLE, TUESDAY, SECOND)
    dbt.build()
    return lake


def contents(lake) -> dict[str, list[str]]:
    """Every row of every mart."""
    return {name: lake.mart(name) for name in MARTS}


def quantities(lake) -> dict[int, tuple[int, str]]:
    """By transaction its quantity and the delivery that it is of."""
    rows = lake.rows("SELECT transaction_id, quantity, delivered_on FROM fact_transactions")
    return {row["transaction_id"]: (row["quantity"], str(row["delivered_on"])) for row in rows}


def test_a_transaction_is_one_row_and_of_the_latest_delivery(marts) -> None:
    assert marts.rows("SELECT COUNT(*) AS n FROM fact_transactions") == [{"n": 4}]
    assert quantities(marts) == {1: (5, TUESDAY), 2: (2, TUESDAY), 3: (2, TUESDAY), 4: (2, TUESDAY)}


def test_amounts_are_exact_and_customers_that_are_not_known_are_one(marts) -> None:
    found = marts.rows("SELECT * FROM agg_monthly_sales ORDER BY product_id")
    assert [(row["product_id"], row["transactions"], row["known_customers"], row["total_amount"]) for row in found] == [
        (101, 3, 1, Decimal("96.75")),
        (102, 1, 1, Decimal(22)),
    ]
    customers = marts.rows("SELECT customer_id, is_known FROM dim_customers ORDER BY customer_id")
    assert [tuple(row.values()) for row in customers] == [(-1, False), (501, True)]


def test_a_run_for_some_days_in_any_order_gives_what_a_full_refresh_gives(marts, dbt) -> None:
    whole = contents(marts)
    for day in (MONDAY, TUESDAY, MONDAY):
        dbt.build(start=day, end=day)
        assert contents(marts) == whole
    dbt.build("--full-refresh", start=MONDAY, end=TUESDAY)
    assert contents(marts) == whole
    dbt.build()
    assert contents(marts) == whole


def test_a_delivery_that_comes_twice_changes_nothing_but_its_date(marts, dbt) -> None:
    before = contents(marts)
    marts.put(TABLE, WEDNESDAY, SECOND)
    dbt.build(start=WEDNESDAY, end=WEDNESDAY)
    assert {number: quantity for number, (quantity, _) in quantities(marts).items()} == {1: 5, 2: 2, 3: 2, 4: 2}
    after = contents(marts)
    assert {name: rows for name, rows in after.items() if name != "fact_transactions"} == {
        name: rows for name, rows in before.items() if name != "fact_transactions"
    }
    assert len(after["fact_transactions"]) == 4
    dbt.refresh()
    assert contents(marts) == after


def test_a_delivery_that_is_replaced_takes_its_transactions_with_it(marts, dbt) -> None:
    marts.put(TABLE, WEDNESDAY, [sold(5, WEDNESDAY)])
    marts.put(TABLE, TUESDAY, [sold(1, quantity=5)])
    dbt.build(start=TUESDAY, end=WEDNESDAY)
    assert quantities(marts) == {1: (5, TUESDAY), 2: (2, MONDAY), 3: (2, MONDAY), 5: (2, WEDNESDAY)}
    incremental = contents(marts)
    dbt.refresh()
    assert contents(marts) == incremental


def test_unit_tests_hold(marts, dbt) -> None:
    statuses = dbt.statuses("test", "--select", "tag:customers,test_type:unit")
    assert len(statuses) == 4
    assert set(statuses.values()) == {"pass"}


def test_freshness_is_of_the_newest_delivery(marts, dbt) -> None:
    [source] = dbt.results("source", "freshness", "--select", "source:lake.customers_transactions")
    assert str(source.status) == "error"
    assert str(source.max_loaded_at.date()) == "2023-07-13"
