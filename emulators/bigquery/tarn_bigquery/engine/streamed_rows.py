"""Rows of JSON held against a table's schema: what of them has no place there, and what is no value of its column.

The shape of a row is looked at here, value by value. Whether a text is a date, say, is left to DuckDB, for all rows at
once: only where that fails are the values looked at one column after the other, to tell which of them it was.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import duckdb
import pyarrow as pa

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.errors import invalid
from tarn_bigquery.sql.errors import raised_message
from tarn_bigquery.sql.limits import has_limits, limited
from tarn_bigquery.sql.types import RANGE_END, RANGE_START, Field
from tarn_bigquery.storage.formats.conversion import from_text
from tarn_bigquery.storage.formats.rows import text_literal

Values = dict[str, Any]

_RANGE = re.compile(r"\[(.*), (.*)\)")
_UNBOUNDED = {"UNBOUNDED", "NULL"}
_CPP_NAMES = {"INTEGER": "int64_t", "FLOAT": "double"}
_COMPLAINTS = {
    "INTEGER": "Cannot convert value to integer (bad value): {text}",
    "FLOAT": "Cannot convert value to floating point (bad value): {text}",
    "BOOLEAN": "Cannot convert value to boolean (bad value): {text}",
    "DATE": "Invalid date: '{text}'",
    "DATETIME": 'Invalid datetime string "{text}"',
    "TIME": 'Invalid time string "{text}"',
    "TIMESTAMP": "Could not parse '{text}' as a timestamp. Required format is YYYY-MM-DD HH:MM[:SS[.SSSSSS]]",
    "BYTES": "Could not decode base64 string to bytes. Field: {name}; Value: {text}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a row, and with which of its values."""

    location: str
    message: str

    def proto(self) -> dict[str, str]:
        return {"reason": "invalid", "location": self.location, "debugInfo": "", "message": self.message}


@dataclass(frozen=True, slots=True)
class StreamedRow:
    """A row as its table would have it: by column, every scalar as text. `given` are the keys that it came with."""

    index: int
    insert_id: str
    given: list[str]
    values: Values
    problems: list[Problem]


@dataclass(frozen=True, slots=True)
class Leaf:
    """One scalar of a row."""

    row: int
    location: str
    text: str


def read_row(index: int, row: Values, fields: list[Field], *, ignore_unknown: bool) -> StreamedRow:
    """Raises ApiError `invalid` for a row that is no JSON object."""
    given = row.get("json") or {}
    if not isinstance(given, dict):
        raise invalid(f"Invalid value at 'rows[{index}].json': a row is a JSON object.")
    reader = _Reader(ignore_unknown)
    values = reader.record(given, fields, "")
    return StreamedRow(index, str(row.get("insertId") or ""), list(map(str.lower, given)), values, reader.problems)


@dataclass
class _Reader:
    """Reads one row, and notes what is wrong with it on the way."""

    ignore_unknown: bool
    problems: list[Problem] = field(default_factory=list)

    def record(self, given: Values, fields: list[Field], path: str) -> Values:
        by_name = {name.lower(): (name, value) for name, value in given.items()}
        read = {}
        for each in fields:
            name, value = by_name.pop(each["name"].lower(), (each["name"], None))
            if value is None and each.get("mode") == "REQUIRED":
                self._note(path + name, f"Missing required field: {name}.")
            read[each["name"]] = self._value(value, each, path + name)
        if not self.ignore_unknown:
            for name, _ in by_name.values():
                self._note(path + name, f"no such field: {name}.")
        return read

    def _value(self, value: Any, field: Field, path: str) -> Any:
        if value is None:
            return None
        if field.get("mode") == "REPEATED":
            return self._list(value, field, path)
        name, kind = field["name"], field["type"]
        if kind == "JSON":
            return value if isinstance(value, str) else json.dumps(value)
        if isinstance(value, list):
            return self._note(path, f"Array specified for non-repeated field: {name}.")
        if kind == "RECORD":
            if not isinstance(value, dict):
                return self._note(path, f"This field: {name} is a record.")
            return self.record(value, field["fields"], f"{path}.")
        if kind == "RANGE":
            return self._range(value, field, path)
        if isinstance(value, dict):
            return self._note(path, f"This field: {name} is not a record.")
        if isinstance(value, bool) and kind != "BOOLEAN":
            return self._note(path, f"Conversion from bool to {_CPP_NAMES.get(kind, 'std::string')} is unsupported.")
        return _text(value)

    def _list(self, value: Any, field: Field, path: str) -> Any:
        if not isinstance(value, list):
            kind = "record" if field["type"] == "RECORD" else "value"
            return self._note(path, f"Repeated {kind} added outside of an array.")
        if None in value:
            return self._note(path, f"Only optional fields can be set to NULL. Field: {field['name']}; Value: NULL")
        inner = {**field, "mode": "NULLABLE"}
        return [self._value(item, inner, f"{path}[{index}]") for index, item in enumerate(value)]

    def _range(self, value: Any, field: Field, path: str) -> Any:
        """A range as its two bounds, of `{"start": ..., "end": ...}` or of `[start, end)`."""
        if isinstance(value, str) and (found := _RANGE.fullmatch(value)):
            value = {"start": found[1], "end": found[2]}
        if not isinstance(value, dict):
            return self._note(path, f"Invalid RANGE value for the field {field['name']}: {json.dumps(value)}")
        bounds = {RANGE_START: value.get("start"), RANGE_END: value.get("end")}
        return {name: None if bound in _UNBOUNDED else bound for name, bound in bounds.items()}

    def _note(self, path: str, message: str) -> None:
        self.problems.append(Problem(path, message))


def _text(value: str | float | bool) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    # A number of JSON knows no kinds: 1.0 is a whole number too.
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _members(field: Field) -> list[Field] | None:
    """The fields within one; None for a scalar."""
    if field["type"] == "RANGE":
        element = field["rangeElementType"]["type"]
        return [{"name": name, "type": element} for name in (RANGE_START, RANGE_END)]
    return field["fields"] if field["type"] == "RECORD" else None


def arrow_table(rows: list[StreamedRow], fields: list[Field]) -> pa.Table:
    """The rows as one column of texts for each field, or of lists and structs of texts."""
    columns = {each["name"]: [row.values[each["name"]] for row in rows] for each in fields}
    return pa.table({each["name"]: pa.array(columns[each["name"]], _arrow_type(each)) for each in fields})


def _arrow_type(field: Field) -> pa.DataType:
    members = _members(field)
    base = pa.string() if members is None else pa.struct([(each["name"], _arrow_type(each)) for each in members])
    return pa.list_(base) if field.get("mode") == "REPEATED" else base


def stored(field: Field) -> str:
    """DuckDB SQL for what a table stores of its column of an `arrow_table`. It fails where a value is none."""
    return limited(_converted(quote(field["name"]), field, 0), field)


def _converted(sql: str, field: Field, depth: int) -> str:
    if field.get("mode") == "REPEATED":
        item = f"item{depth}"
        inner = _converted(item, {**field, "mode": "NULLABLE"}, depth + 1)
        return f"coalesce(list_transform({sql}, lambda {item}: {inner}), [])"
    members = _members(field)
    if members is None:
        conversion = from_text(sql, {**field, "mode": "NULLABLE"})
        return f"CASE WHEN {conversion.is_bad} THEN error('A value is bad.') ELSE {conversion.value} END"
    packed = []
    for each in members:
        member = f"struct_extract({sql}, {text_literal(each['name'])})"
        packed.append(f"{quote(each['name'])} := {_converted(member, each, depth)}")
    return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({', '.join(packed)}) END"


def value_problems(
    cursor: duckdb.DuckDBPyConnection, rows: Iterable[StreamedRow], fields: list[Field]
) -> dict[int, list[Problem]]:
    """What is wrong with values that stand in their place and cannot be stored there, by the rows' indices."""
    leaves: defaultdict[str, list[Leaf]] = defaultdict(list)
    scalars: dict[str, Field] = {}
    for row in rows:
        for path, scalar, leaf in _leaves(row.index, row.values, fields, "", ""):
            leaves[path].append(leaf)
            scalars[path] = scalar
    found: defaultdict[int, list[Problem]] = defaultdict(list)
    for path, scalar in scalars.items():
        for leaf in _bad(cursor, leaves[path], scalar):
            found[leaf.row].append(Problem(leaf.location, _complaint(cursor, leaf.text, scalar)))
    return found


def _leaves(row: int, values: Values, fields: list[Field], path: str, place: str) -> Iterator[tuple[str, Field, Leaf]]:
    """The scalars of a row, each with the path of its field, which lacks the places in arrays that its location has."""
    for each in fields:
        value, members = values[each["name"]], _members(each)
        name, location = path + each["name"], place + each["name"]
        items = enumerate(value or []) if each.get("mode") == "REPEATED" else [(None, value)]
        for index, item in items:
            at = location if index is None else f"{location}[{index}]"
            if item is not None and members is not None:
                yield from _leaves(row, item, members, f"{name}.", f"{at}.")
            elif item is not None:
                yield name, {**each, "mode": "NULLABLE"}, Leaf(row, at, item)


def _bad(cursor: duckdb.DuckDBPyConnection, leaves: list[Leaf], scalar: Field) -> list[Leaf]:
    """Those of the texts that a column cannot store."""
    conversion = from_text("text", scalar)
    is_bad = conversion.is_bad
    if has_limits(scalar):
        is_bad = f"({is_bad} OR TRY({limited(conversion.value, scalar)}) IS NULL)"
    cursor.register("_leaves", pa.table({"text": [leaf.text for leaf in leaves]}))
    try:
        answers = cursor.execute(f"SELECT {is_bad} FROM _leaves").fetchall()  # noqa: S608
    finally:
        cursor.unregister("_leaves")
    return [leaf for leaf, (is_leaf_bad,) in zip(leaves, answers, strict=True) if is_leaf_bad]


def _complaint(cursor: duckdb.DuckDBPyConnection, text: str, scalar: Field) -> str:
    """What is wrong with a text that a column cannot store."""
    value = from_text("text", scalar).value
    try:
        # Too long, or of too many digits: the message says which.
        cursor.execute(f"SELECT {limited(value, scalar)} FROM (SELECT ? AS text)", [text]).fetchall()  # noqa: S608
    except duckdb.Error as error:
        if message := raised_message(error):
            return message
    words = _COMPLAINTS.get(scalar["type"], f"Invalid {scalar['type']} value: {{text}}")
    return words.format(text=text, name=scalar["name"])
