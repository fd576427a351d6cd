"""Rows as the REST API writes them: `{"f": [{"v": ...}]}`, every scalar a string.

Columns are turned into text by Arrow and joined by Arrow: Python sees whole rows, and single values only where
they are nested.
"""

import base64
import json
import math
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from tarn_bigquery.sql.types import RANGE_END, RANGE_START, Field

Values = list[Any]

_PLAIN_FLOATS = (1e-4, 1e10)
"""Between these Arrow and Python both write a number without an exponent."""

_MUST_BE_ESCAPED = r'["\\\x00-\x1f]'


def rows_json(table: pa.Table, schema: list[Field], *, int64_timestamps: bool = True) -> str:
    """A page of rows as a JSON array.

    Timestamps are microseconds since the epoch, or seconds as a float where those are not asked for.
    """
    cells = [_json_cells(table.column(i).combine_chunks(), field, int64_timestamps) for i, field in enumerate(schema)]
    values = pc.binary_join_element_wise(*cells, '},{"v":') if len(cells) > 1 else cells[0]
    rows = pc.binary_join_element_wise('{"f":[{"v":', values, "}]}", "")
    return f"[{','.join(rows.to_pylist())}]"


def _json_cells(array: pa.Array, field: Field, int64_timestamps: bool) -> pa.Array:
    """Each value as JSON text; `null` for one that is not there."""
    if field.get("mode") == "REPEATED" or field["type"] in {"RECORD", "RANGE"}:
        values = _column(array, field, int64_timestamps)
        return pa.array([json.dumps(value, separators=(",", ":")) for value in values], pa.string())
    text = _texts(array, field, int64_timestamps)
    if field["type"] in {"STRING", "JSON", "GEOGRAPHY"}:
        text = _escaped(text)
    return pc.fill_null(pc.binary_join_element_wise('"', text, '"', ""), "null")


def _escaped(text: pa.Array) -> pa.Array:
    if not pc.any(pc.match_substring_regex(text, _MUST_BE_ESCAPED)).as_py():
        return text
    return pa.array(
        [v if v is None else json.dumps(v, ensure_ascii=False)[1:-1] for v in text.to_pylist()], pa.string()
    )


def _column(array: pa.Array, field: Field, int64_timestamps: bool) -> Values:
    """Each value as the object that JSON shall hold."""
    if field.get("mode") == "REPEATED":
        return _lists(array, {**field, "mode": "NULLABLE"}, int64_timestamps)
    if field["type"] == "RECORD":
        return _structs(array, field["fields"], int64_timestamps)
    if field["type"] == "RANGE":
        return _ranges(array, field)
    return _texts(array, field, int64_timestamps).to_pylist()


def _lists(array: pa.Array, element: Field, int64_timestamps: bool) -> Values:
    values = _column(array.flatten(), element, int64_timestamps)
    result: Values = []
    start = 0
    # An array is never NULL once it has left a query.
    for length in pc.fill_null(pc.list_value_length(array), 0).to_pylist():
        result.append([{"v": value} for value in values[start : start + length]])
        start += length
    return result


def _structs(array: pa.Array, fields: list[Field], int64_timestamps: bool) -> Values:
    columns = [_column(child, field, int64_timestamps) for child, field in _members(array, fields)]
    present = array.is_valid().to_pylist()
    cells = zip(*columns, strict=True) if columns else iter([()] * len(array))
    return [{"f": [{"v": v} for v in row]} if there else None for row, there in zip(cells, present, strict=True)]


def _members(array: pa.Array, fields: list[Field]) -> Iterator[tuple[pa.Array, Field]]:
    """The fields of a record that are wanted, each with its values: the schema may have fewer than the values do."""
    children = array.flatten()
    if len(children) == len(fields):
        return zip(children, fields, strict=True)
    by_name = {child.name.lower(): values for child, values in zip(array.type, children, strict=True)}
    return ((by_name[field["name"].lower()], field) for field in fields)


def _ranges(array: pa.Array, field: Field) -> Values:
    element = {"type": field["rangeElementType"]["type"]}
    starts, ends = (_column(array.field(name), element, True) for name in (RANGE_START, RANGE_END))
    unbounded = "UNBOUNDED"
    return [
        f"[{start or unbounded}, {end or unbounded})" if there else None
        for start, end, there in zip(starts, ends, array.is_valid().to_pylist(), strict=True)
    ]


def file_texts(array: pa.Array, field: Field) -> pa.Array:
    """The values of a scalar column as BigQuery writes them to text files."""
    if field["type"] != "TIMESTAMP":
        return _texts(array, field, int64_timestamps=True)
    utc = array.cast(pa.timestamp("us", tz="UTC")).cast(pa.timestamp("us")).cast(pa.string())
    return pc.binary_join_element_wise(_without_zero_fraction(utc), "UTC", " ")


def _texts(array: pa.Array, field: Field, int64_timestamps: bool) -> pa.Array:
    """The values of a scalar column as an array of strings."""
    if field["type"] == "TIMESTAMP" and not int64_timestamps:
        return _floats(pc.divide(_micros(array).cast(pa.float64(), safe=False), 1e6))
    return _SCALARS[field["type"]](array)


def _mapped(array: pa.Array, encode: Callable[[Any], str]) -> pa.Array:
    return pa.array([None if value is None else encode(value) for value in array.to_pylist()], pa.string())


def _plain(array: pa.Array) -> pa.Array:
    return array.cast(pa.string())


def _float(value: float) -> str:
    if math.isfinite(value):
        return repr(value)
    return "NaN" if math.isnan(value) else ("Infinity" if value > 0 else "-Infinity")


def _floats(array: pa.Array) -> pa.Array:
    """Each number as Python writes it. Arrow does so for most, and lets other threads run meanwhile."""
    text = array.cast(pa.string())
    text = pc.if_else(pc.match_substring(text, "."), text, pc.binary_join_element_wise(text, "0", "."))
    size = pc.abs(array)
    low, high = _PLAIN_FLOATS
    # The comparisons are false for what is no number, too.
    is_plain = pc.or_(pc.and_(pc.greater_equal(size, low), pc.less(size, high)), pc.equal(size, 0.0))
    others = pc.fill_null(pc.invert(is_plain), False)
    if not pc.any(others).as_py():
        return text
    return pc.replace_with_mask(text, others, _mapped(array.filter(others), _float))


def _micros(array: pa.Array) -> pa.Array:
    return array.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64())


def _datetime(array: pa.Array) -> pa.Array:
    text = array.cast(pa.timestamp("us")).cast(pa.string())
    return pc.replace_substring(_without_zero_fraction(text), " ", "T")


def _without_zero_fraction(text: pa.Array) -> pa.Array:
    return pc.replace_substring_regex(text, r"\.0+$", "")


def _decimal(value: Any) -> str:
    text = format(value, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def interval_text(value: pa.MonthDayNano) -> str:
    """An interval in BigQuery's canonical form, `Y-M D H:M:S[.F]`, each part with its own sign."""
    years, months = divmod(abs(value.months), 12)
    micros = abs(value.nanoseconds) // 1000
    seconds, fraction = divmod(micros, 1_000_000)
    tail = f".{fraction:06d}" if fraction % 1000 else f".{fraction // 1000:03d}" if fraction else ""
    hours, rest = divmod(seconds, 3600)
    return (
        f"{'-' if value.months < 0 else ''}{years}-{months} {value.days} "
        f"{'-' if value.nanoseconds < 0 else ''}{hours}:{rest // 60}:{rest % 60}{tail}"
    )


_SCALARS: dict[str, Callable[[pa.Array], pa.Array]] = {
    "INTEGER": _plain,
    "FLOAT": _floats,
    "BOOLEAN": _plain,
    "STRING": _plain,
    "BYTES": lambda array: _mapped(array, lambda value: base64.b64encode(value).decode()),
    "DATE": _plain,
    "DATETIME": _datetime,
    "TIMESTAMP": lambda array: _plain(_micros(array)),
    "TIME": lambda array: _without_zero_fraction(_plain(array)),
    "NUMERIC": lambda array: _mapped(array, _decimal),
    "BIGNUMERIC": lambda array: _mapped(array, _decimal),
    "JSON": _plain,
    "INTERVAL": lambda array: _mapped(array, interval_text),
    "GEOGRAPHY": _plain,
}
