"""Parquet's types as BigQuery understands them."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from .conftest import Lake, field

NAIVE = datetime(2024, 1, 1, 10, 30)
AWARE = NAIVE.replace(tzinfo=UTC)


def put(lake: Lake, values: pa.Array, **options: Any) -> None:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"x": values}), buffer, **options)
    lake.bucket.put("t/a.parquet", buffer.getvalue())


def detected(lake: Lake, **options: Any) -> dict[str, Any]:
    (found,) = lake.source.resolve_schema(lake.config("t/*", parquetOptions=options)).fields
    return found


@pytest.mark.feature("External tables", "Parquet, every type")
@pytest.mark.parametrize(
    ("values", "kind", "expected"),
    [
        (pa.array([True, None]), "BOOLEAN", True),
        (pa.array([7, None], pa.int8()), "INTEGER", 7),
        (pa.array([7, None], pa.uint64()), "INTEGER", 7),
        (pa.array([0.5, None], pa.float32()), "FLOAT", 0.5),
        (pa.array(["x", None]), "STRING", "x"),
        (pa.array(["x", None]).dictionary_encode(), "STRING", "x"),
        (pa.array([b"x", None]), "BYTES", b"x"),
        (pa.array([date(2024, 1, 1), None]), "DATE", date(2024, 1, 1)),
        (pa.array([time(1, 2, 3), None], pa.time64("us")), "TIME", time(1, 2, 3)),
        (pa.array([NAIVE, None], pa.timestamp("ms")), "DATETIME", NAIVE),
        (pa.array([NAIVE, None], pa.timestamp("ns")), "DATETIME", NAIVE),
        (pa.array([NAIVE, None], pa.timestamp("ms", "UTC")), "TIMESTAMP", AWARE),
        (pa.array([NAIVE, None], pa.timestamp("ns", "UTC")), "TIMESTAMP", AWARE),
        (pa.array([Decimal("1.50"), None], pa.decimal128(10, 2)), "NUMERIC", Decimal("1.50")),
        (pa.array([Decimal("1.5"), None], pa.decimal128(38, 12)), "BIGNUMERIC", Decimal("1.5")),
    ],
)
def test_types(lake: Lake, values: pa.Array, kind: str, expected: Any) -> None:
    put(lake, values)
    found = detected(lake)
    assert (found["type"], found["mode"]) == (kind, "NULLABLE")
    assert lake.rows(lake.config("t/*"), [found]) == [(expected,), (None,)]


def test_int96_is_a_point_in_time(lake: Lake) -> None:
    put(lake, pa.array([NAIVE], pa.timestamp("ns")), use_deprecated_int96_timestamps=True)
    assert detected(lake)["type"] == "TIMESTAMP"
    assert lake.rows(lake.config("t/*"), [field("x", "TIMESTAMP")]) == [(AWARE,)]
    assert lake.rows(lake.config("t/*"), [field("x", "DATETIME")]) == [(NAIVE,)]


@pytest.mark.parametrize(
    ("values", "declared", "expected"),
    [
        (pa.array([NAIVE], pa.timestamp("us")), "TIMESTAMP", AWARE),
        (pa.array([NAIVE], pa.timestamp("ns", "UTC")), "DATETIME", NAIVE),
        (pa.array([b"x"]), "STRING", "x"),
        (pa.array(["x"]), "BYTES", b"x"),
        (pa.array(['{"a": 1}']), "JSON", '{"a": 1}'),
        (pa.array([Decimal("1.5")], pa.decimal128(5, 1)), "STRING", "1.5"),
        (pa.array([None], pa.null()), "STRING", None),
    ],
)
def test_declared_types_that_differ(lake: Lake, values: pa.Array, declared: str, expected: Any) -> None:
    put(lake, values)
    assert lake.rows(lake.config("t/*"), [field("x", declared)]) == [(expected,)]


@pytest.mark.parametrize(
    ("values", "declared", "message"),
    [
        (pa.array([1]), "FLOAT", "has type INT64 which does not match the target cpp_type DOUBLE"),
        (pa.array([1.0]), "INTEGER", "has type DOUBLE which does not match the target cpp_type INT64"),
        (pa.array([1], pa.int32()), "STRING", "has type INT32 which does not match the target cpp_type STRING"),
        (
            pa.array([date(2024, 1, 1)]),
            "TIMESTAMP",
            "has type INT32 which does not match the target cpp_type TIMESTAMP",
        ),
        (pa.array([[1]]), "INTEGER", "has type group which does not match the target cpp_type INT64"),
        (pa.array([{"y": 1}]), "STRING", "has type group which does not match the target cpp_type STRING"),
    ],
)
def test_declared_types_that_cannot_be_read(lake: Lake, values: pa.Array, declared: str, message: str) -> None:
    put(lake, values)
    with pytest.raises(Exception, match=f"Parquet column 'x' {message}"):
        lake.rows(lake.config("t/*"), [field("x", declared)])


def test_a_mismatch_within_a_record_names_the_path(lake: Lake) -> None:
    put(lake, pa.array([{"y": 1}]))
    with pytest.raises(Exception, match=r"Parquet column 'x\.y' has type INT64"):
        lake.rows(lake.config("t/*"), [field("x", "RECORD", fields=[field("y", "STRING")])])


def test_records(lake: Lake) -> None:
    put(lake, pa.array([{"b": 1, "a": {"c": "x"}}, None]))
    found = detected(lake)
    assert lake.rows(lake.config("t/*"), [found]) == [({"b": 1, "a": {"c": "x"}},), (None,)]
    declared = field("x", "RECORD", fields=[field("B", "INTEGER"), field("missing", "STRING")])
    assert lake.rows(lake.config("t/*"), [declared]) == [({"B": 1, "missing": None},), (None,)]


def test_lists_without_inference_show_parquets_groups(lake: Lake) -> None:
    put(lake, pa.array([[1, 2], [], None]))
    found = detected(lake)
    wrapped = field("list", "RECORD", "REPEATED", fields=[field("element", "INTEGER")])
    assert found == field("x", "RECORD", fields=[wrapped])
    assert lake.rows(lake.config("t/*"), [found]) == [
        ({"list": []},),
        ({"list": [{"element": 1}, {"element": 2}]},),
        (None,),
    ]


@pytest.mark.feature("External tables", "parquetOptions")
def test_lists_with_inference(lake: Lake) -> None:
    put(lake, pa.array([[{"y": 1}], None]))
    found = detected(lake, enableListInference=True)
    assert found == field("x", "RECORD", "REPEATED", fields=[field("y", "INTEGER")])
    assert lake.rows(lake.config("t/*"), [found]) == [([{"y": 1}],), (None,)]


def test_maps(lake: Lake) -> None:
    put(lake, pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.int32())))
    found = detected(lake)
    entry = field("key_value", "RECORD", "REPEATED", fields=[field("key", "STRING"), field("value", "INTEGER")])
    assert found == field("x", "RECORD", fields=[entry])
    assert lake.rows(lake.config("t/*"), [found]) == [({"key_value": [{"key": "k", "value": 1}]},), (None,)]


def test_names_that_need_quotes(lake: Lake) -> None:
    lake.bucket.put_parquet("t/it's [a] *?.parquet", {"we\"ird 'name": ["v"]})
    schema = lake.source.resolve_schema(lake.config("t/*")).fields
    assert lake.rows(lake.config("t/*"), schema) == [("v",)]
