"""Partition elimination never loses a row, and eliminates what it can."""

from __future__ import annotations

from datetime import date, timedelta

import duckdb
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlglot import parse_one

from tarn_bigquery.storage.pruning import PartitionFilter, weaken

DAYS = [date(2024, 1, 1) + timedelta(days=day) for day in range(60)]
CONNECTION = duckdb.connect()


def kept(condition: str) -> list[date]:
    where = PartitionFilter([parse_one(condition, dialect="bigquery")], lambda node: node.sql("duckdb"), CONNECTION)
    positions = where.keep({"day": pa.array([*DAYS, None], pa.date32())})
    return [([*DAYS, None])[position] for position in positions]


@pytest.mark.parametrize(
    ("condition", "days"),
    [
        ("day = '2024-01-05'", ["2024-01-05"]),
        ("t.day = DATE '2024-01-05'", ["2024-01-05"]),
        ("DAY IN ('2024-01-05', '2024-02-05')", ["2024-01-05", "2024-02-05"]),
        ("day BETWEEN '2024-01-01' AND '2024-01-02'", ["2024-01-01", "2024-01-02"]),
        ("NOT (day > '2024-01-01' OR x = 1)", ["2024-01-01"]),
        ("(day = '2024-01-01' AND x = 1) OR (day = '2024-01-03' AND y = 2)", ["2024-01-01", "2024-01-03"]),
        ("DATE_TRUNC(day, MONTH) = '2024-02-01' AND day < '2024-02-03'", ["2024-02-01", "2024-02-02"]),
        ("day = DATE_ADD(DATE '2024-01-01', INTERVAL 2 DAY)", ["2024-01-03"]),
        ("CAST(day AS STRING) LIKE '2024-01-1%' AND EXTRACT(DAY FROM day) > 18", ["2024-01-19"]),
    ],
)
def test_only_possible_partitions_are_kept(condition: str, days: list[str]) -> None:
    assert kept(condition) == [date.fromisoformat(day) for day in days]


@pytest.mark.parametrize(
    "condition",
    [
        "x = 1",
        "day = '2024-01-01' OR x = 1",
        "NOT (day = '2024-01-01' AND x = 1)",
        "day = (SELECT MAX(d) FROM u)",
        "day = @p",
    ],
)
def test_what_cannot_be_known_eliminates_nothing(condition: str) -> None:
    assert weaken(parse_one(condition, dialect="bigquery"), {"day"}) is None


def test_nulls() -> None:
    assert kept("day IS NULL") == [None]
    assert kept("day IS NOT NULL") == DAYS


def test_a_condition_that_fails_is_left_to_the_query() -> None:
    assert len(kept("CAST(CAST(day AS STRING) AS INT64) = 1")) == 61
    assert len(kept("NO_SUCH_FUNCTION(day)")) == 61


_ATOMS = st.sampled_from(
    ["k = 1", "k <> 2", "k IS NULL", "k IN (1, 3)", "k > 2", "x = 1", "x IS NULL", "k = x", "k + 1 < 3", "x > k"]
)
_CONDITIONS = st.recursive(
    _ATOMS,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) AND ({pair[1]})"),
        st.tuples(inner, inner).map(lambda pair: f"({pair[0]}) OR ({pair[1]})"),
        inner.map(lambda condition: f"NOT ({condition})"),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(_CONDITIONS)
def test_every_row_that_passes_is_in_a_kept_partition(condition: str) -> None:
    tree = parse_one(condition, dialect="bigquery")
    keys = [None, 0, 1, 2, 3, 4]
    where = PartitionFilter([tree], lambda node: node.sql("duckdb"), CONNECTION)
    remaining = {keys[position] for position in where.keep({"k": pa.array(keys, pa.int64())})}
    rows = "(SELECT * FROM (VALUES (NULL), (0), (1), (2), (3), (4)) a(k), (VALUES (NULL), (0), (1), (2)) b(x))"
    passing = CONNECTION.execute(f"SELECT DISTINCT k FROM {rows} WHERE {tree.sql('duckdb')}").fetchall()
    assert {k for (k,) in passing} <= remaining
