"""Arrow as DuckDB gives it, in BigQuery's types: the values stay as they were."""

from typing import Any

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from tarn_bigquery.storage_api.arrow import converted, schema_of

FIELDS: list[dict[str, Any]] = [
    {"name": "i", "type": "INTEGER", "mode": "NULLABLE"},
    {"name": "a", "type": "STRING", "mode": "REPEATED"},
    {
        "name": "r",
        "type": "RECORD",
        "mode": "NULLABLE",
        "fields": [
            {"name": "b", "type": "BYTES", "mode": "NULLABLE"},
            {
                "name": "c",
                "type": "RECORD",
                "mode": "REPEATED",
                "fields": [{"name": "f", "type": "FLOAT", "mode": "NULLABLE"}],
            },
        ],
    },
]
STORED = pa.schema(
    {
        "i": pa.int64(),
        "a": pa.list_(pa.string()),
        "r": pa.struct({"b": pa.binary(), "c": pa.list_(pa.struct({"f": pa.float64()}))}),
    }
)
_RECORD = st.fixed_dictionaries(
    {
        "b": st.none() | st.binary(max_size=3),
        "c": st.lists(st.fixed_dictionaries({"f": st.none() | st.floats(allow_nan=False)}), max_size=3),
    }
)
_ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "i": st.none() | st.integers(-(2**63), 2**63 - 1),
            "a": st.lists(st.text(max_size=3), max_size=3),
            "r": st.none() | _RECORD,
        }
    ),
    max_size=20,
)


@given(_ROWS, st.integers(0, 20), st.integers(0, 20))
def test_any_slice_of_any_rows_keeps_its_values(rows: list[dict[str, Any]], start: int, length: int) -> None:
    batch = pa.RecordBatch.from_pylist(rows, STORED).slice(start, length)
    result = converted(batch, FIELDS)
    result.validate(full=True)
    assert result.schema.equals(schema_of(FIELDS), check_metadata=True)
    assert result.to_pylist() == rows[start : start + length]


def test_an_array_that_is_null_is_empty() -> None:
    batch = pa.RecordBatch.from_pylist([{"a": None}, {"a": ["x"]}], pa.schema({"a": pa.list_(pa.string())}))
    assert converted(batch, [FIELDS[1]]).to_pylist() == [{"a": []}, {"a": ["x"]}]


def test_a_range_has_bigquerys_names() -> None:
    kind = pa.struct({"_range_start": pa.date32(), "_range_end": pa.date32()})
    field = {"name": "r", "type": "RANGE", "mode": "NULLABLE", "rangeElementType": {"type": "DATE"}}
    batch = pa.RecordBatch.from_pylist(
        [{"r": {"_range_start": None, "_range_end": 3}}, {"r": None}], pa.schema({"r": kind})
    )
    result = converted(batch, [field])
    assert [f.name for f in result.schema.field("r").type] == ["start", "end"]
    assert result.column("r").is_null().to_pylist() == [False, True]
    assert result.column("r")[0].as_py()["start"] is None
