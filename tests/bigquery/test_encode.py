"""Rows in the API's JSON: whatever the values are, the text is JSON and reads back as they were."""

import base64
import datetime as dt
import decimal
import json
import math
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tarn_bigquery.engine.encode import interval_text, rows_json

KINDS: dict[str, tuple[pa.DataType, st.SearchStrategy[Any], Any]] = {
    "INTEGER": (pa.int64(), st.integers(-(2**63), 2**63 - 1), int),
    "STRING": (pa.string(), st.text(st.characters(exclude_categories=["Cs"])), str),
    "BYTES": (pa.binary(), st.binary(), base64.b64decode),
    "FLOAT": (pa.float64(), st.floats(allow_nan=False), float),
    "BOOLEAN": (pa.bool_(), st.booleans(), {"true": True, "false": False}.__getitem__),
    "DATE": (pa.date32(), st.dates(), dt.date.fromisoformat),
    "DATETIME": (pa.timestamp("us"), st.datetimes(), dt.datetime.fromisoformat),
    "TIME": (pa.time64("us"), st.times(), dt.time.fromisoformat),
    "NUMERIC": (
        pa.decimal128(38, 9),
        st.decimals(-(10**28), 10**28, places=9, allow_nan=False),
        decimal.Decimal,
    ),
}


@pytest.mark.parametrize("kind", KINDS)
@given(data=st.data())
def test_a_column_reads_back_as_it_was(kind: str, data: st.DataObject) -> None:
    arrow, strategy, read = KINDS[kind]
    values = data.draw(st.lists(st.none() | strategy, min_size=1, max_size=20))
    table = pa.table({"x": pa.array(values, arrow), "y": pa.array(["end"] * len(values))})
    schema = [{"name": "x", "type": kind}, {"name": "y", "type": "STRING"}]
    rows = json.loads(rows_json(table, schema))
    cells = [row["f"][0]["v"] for row in rows]
    assert [None if cell is None else read(cell) for cell in cells] == values
    assert all(row["f"][1] == {"v": "end"} for row in rows)


def test_structs_and_arrays_are_nested_rows() -> None:
    kind = pa.list_(pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]))
    table = pa.table({"x": pa.array([[{"a": 1, "b": ["p", "q"]}, None], [], None], kind)})
    inner = [{"name": "a", "type": "INTEGER"}, {"name": "b", "type": "STRING", "mode": "REPEATED"}]
    rows = json.loads(rows_json(table, [{"name": "x", "type": "RECORD", "mode": "REPEATED", "fields": inner}]))
    record = {"f": [{"v": "1"}, {"v": [{"v": "p"}, {"v": "q"}]}]}
    assert [row["f"][0]["v"] for row in rows] == [[{"v": record}, {"v": None}], [], []]


def test_floats_that_are_no_numbers_have_names() -> None:
    table = pa.table({"x": [math.nan, math.inf, -math.inf, 1.0]})
    rows = json.loads(rows_json(table, [{"name": "x", "type": "FLOAT"}]))
    assert [row["f"][0]["v"] for row in rows] == ["NaN", "Infinity", "-Infinity", "1.0"]


@given(st.lists(st.none() | st.floats() | st.integers(-(2**62), 2**62).map(float), min_size=1, max_size=20))
@example([0.0, -0.0, 1.0, 1e-4, 9.999e-5, 1e-5, 5e-324, 1e10, 9_999_999_999.999998, 1e15, 1e16, 0.1 + 0.2, None])
def test_floats_are_written_as_python_writes_them(values: list[float | None]) -> None:
    rows = json.loads(rows_json(pa.table({"x": pa.array(values, pa.float64())}), [{"name": "x", "type": "FLOAT"}]))
    names = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    wanted = [None if value is None else names.get(repr(value), repr(value)) for value in values]
    assert [row["f"][0]["v"] for row in rows] == wanted


@given(st.lists(st.none() | st.integers(-62_135_596_800_000_000, 253_402_300_799_999_999), min_size=1, max_size=20))
def test_timestamps_as_seconds_are_written_as_python_writes_them(micros: list[int | None]) -> None:
    table = pa.table({"x": pa.array(micros, pa.timestamp("us", tz="UTC"))})
    rows = json.loads(rows_json(table, [{"name": "x", "type": "TIMESTAMP"}], int64_timestamps=False))
    assert [row["f"][0]["v"] for row in rows] == [None if value is None else repr(value / 1e6) for value in micros]


def test_timestamps_are_microseconds_or_seconds() -> None:
    table = pa.table({"x": pa.array([1_500_000], pa.timestamp("us", tz="UTC"))})
    schema = [{"name": "x", "type": "TIMESTAMP"}]
    assert json.loads(rows_json(table, schema))[0]["f"][0]["v"] == "1500000"
    assert json.loads(rows_json(table, schema, int64_timestamps=False))[0]["f"][0]["v"] == "1.5"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ((14, 3, 0), "1-2 3 0:0:0"),
        ((-14, -3, -3_661_500_000_000), "-1-2 -3 -1:1:1.500"),
        ((0, 0, 1_000), "0-0 0 0:0:0.000001"),
    ],
)
def test_intervals_have_a_canonical_form(value: tuple[int, int, int], text: str) -> None:
    assert interval_text(pa.MonthDayNano(value)) == text
