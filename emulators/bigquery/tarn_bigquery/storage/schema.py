"""Columns as a file has them, and how each is read as the column that the table declares."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.types import Field, duck_type, legacy_name

_READABLE_AS = {
    "STRING": {"STRING", "BYTES", "JSON", "NUMERIC", "BIGNUMERIC"},
    "BYTES": {"BYTES", "STRING", "JSON"},
    "JSON": {"JSON", "STRING"},
    "GEOGRAPHY": {"STRING"},
    "NUMERIC": {"NUMERIC", "BIGNUMERIC"},
    "BIGNUMERIC": {"NUMERIC", "BIGNUMERIC"},
    "TIMESTAMP": {"TIMESTAMP", "DATETIME"},
    "DATETIME": {"TIMESTAMP", "DATETIME"},
}
_TEXT_TYPES = {"STRING", "JSON"}
_CPP_TYPES = {"INTEGER": "INT64", "FLOAT": "DOUBLE", "BOOLEAN": "BOOL"}
_NO_TYPE = "NULL"
_INT96 = "INT96"


@dataclass(frozen=True, slots=True)
class SourceColumn:
    """A column of a file, or a field within one.

    `field` is the BigQuery field that it is by itself; type NULL marks one that never holds a value.
    `physical_type` is the file format's own name for it. A record has `children`; a list or a map has
    an `element`, and `wrapping` says which fields BigQuery puts around the elements where it does not infer
    lists: RECORD<list REPEATED RECORD<element>>, or RECORD<key_value REPEATED RECORD<key, value>>.
    """

    field: Field
    physical_type: str
    children: tuple[SourceColumn, ...] = ()
    element: SourceColumn | None = None
    wrapping: tuple[str, ...] = ()
    is_map: bool = False

    @property
    def name(self) -> str:
        return str(self.field["name"])


class TypeMismatchError(Exception):
    """A column cannot be read as its declared type."""

    def __init__(self, column: str, physical_type: str, declared: str) -> None:
        super().__init__(f"{column}: {physical_type} is not {declared}")
        self.column = column
        self.physical_type = physical_type
        self.declared = declared


def null_expression(declared: Field) -> str:
    """What a file that lacks the column gives for it."""
    return f"CAST(NULL AS {duck_type(declared)})"


def find_column(columns: Sequence[SourceColumn], name: str) -> SourceColumn | None:
    """The column of a name; case is ignored."""
    return next((column for column in columns if column.name.lower() == name.lower()), None)


def read_expression(value: str, source: SourceColumn, declared: Field, path: str = "") -> str:
    """DuckDB SQL that reads `value`, of the source's type, as the declared field.

    Raises:
        TypeMismatchError: the types do not fit; it names the column by its dotted path.
    """
    path = f"{path}.{source.name}" if path else source.name
    if source.field["type"] == _NO_TYPE:
        return null_expression(declared)
    if source.element:
        return _read_list(value, source, source.element, declared, path)
    if _is_repeated(declared):
        raise _mismatch(path, source, declared)
    return _read_scalar(value, source, declared, path)


def _read_list(value: str, source: SourceColumn, element: SourceColumn, declared: Field, path: str) -> str:
    items = f"map_entries({value})" if source.is_map else value
    if _is_repeated(declared):
        return _transform(items, element, _element(declared), path)
    wrapper = _only_field(declared)
    if wrapper is None or not _is_repeated(wrapper):
        raise _mismatch(path, source, declared)
    if len(source.wrapping) < 2:
        wrapped = _transform(items, element, _element(wrapper), path)
    else:
        inner = _only_field(wrapper)
        if inner is None:
            raise _mismatch(path, source, declared)
        packed = _pack(inner, read_expression("item", element, inner, path))
        wrapped = f"list_transform({items}, lambda item: {packed})"
    return f"CASE WHEN {value} IS NOT NULL THEN {_pack(wrapper, wrapped)} END"


def _read_scalar(value: str, source: SourceColumn, declared: Field, path: str) -> str:
    actual, wanted = _type_read(source), legacy_name(declared["type"])
    if wanted == "RECORD" and actual == "RECORD":
        return _read_record(value, source, declared, path)
    if actual != wanted and actual not in _READABLE_AS.get(wanted, set()):
        raise _mismatch(path, source, declared)
    if actual == "BYTES" and wanted in _TEXT_TYPES:
        return f"decode({value})"
    if actual in _TEXT_TYPES and wanted == "BYTES":
        return f"encode({value})"
    if {actual, wanted} == {"TIMESTAMP", "DATETIME"}:
        return f"(CAST({value} AS {duck_type({**source.field, 'type': actual})}) AT TIME ZONE 'UTC')"
    return _cast(value, declared)


def _type_read(source: SourceColumn) -> str:
    # An INT96 is a point in time to BigQuery, but DuckDB reads it without a time zone.
    return "DATETIME" if source.physical_type == _INT96 else str(source.field["type"])


def _read_record(value: str, source: SourceColumn, declared: Field, path: str) -> str:
    members = []
    for child in declared["fields"]:
        found = find_column(source.children, child["name"])
        member = null_expression(child)
        if found:
            member = read_expression(f"struct_extract({value}, {_literal(found.name)})", found, child, path)
        members.append(f"{quote(child['name'])} := {member}")
    return f"CASE WHEN {value} IS NOT NULL THEN struct_pack({', '.join(members)}) END"


def _transform(items: str, element: SourceColumn, declared: Field, path: str) -> str:
    expression = read_expression("item", element, declared, path)
    if expression == _cast("item", declared):
        return _cast(items, {**declared, "mode": "REPEATED"})
    return f"list_transform({items}, lambda item: {expression})"


def _only_field(declared: Field) -> Field | None:
    fields = declared.get("fields") or []
    return fields[0] if len(fields) == 1 else None


def _pack(field: Field, value: str) -> str:
    return f"struct_pack({quote(field['name'])} := {value})"


def _is_repeated(field: Field) -> bool:
    return field.get("mode") == "REPEATED"


def _element(field: Field) -> Field:
    return {**field, "mode": "NULLABLE"}


def _cast(value: str, declared: Field) -> str:
    return f"CAST({value} AS {duck_type(declared)})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _mismatch(path: str, source: SourceColumn, declared: Field) -> TypeMismatchError:
    kind = legacy_name(declared["type"])
    kind = _CPP_TYPES.get(kind, kind)
    return TypeMismatchError(path, source.physical_type, kind if not _is_repeated(declared) else f"{kind} REPEATED")
