"""Types in their three spellings: REST schema fields, DuckDB types, and GoogleSQL types as sqlglot reads them.

A REST field (`{"name", "type", "mode", "fields"}`) is the common tongue of the rooms.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import pyarrow as pa
from duckdb.sqltypes import DuckDBPyType
from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.errors import invalid, invalid_query, unsupported
from tarn_bigquery.sql.dialect import TYPE_NAME

Field = dict[str, Any]

# BIGNUMERIC has 76 digits in BigQuery and 38 here: DuckDB's widest decimal. The scale tells the two apart.
NUMERIC = "DECIMAL(38,9)"
BIGNUMERIC = "DECIMAL(38,18)"
NUMERIC_SCALE = 9

RANGE_START = "_range_start"
RANGE_END = "_range_end"

_ALIASES = {
    "INT64": "INTEGER",
    "INT": "INTEGER",
    "SMALLINT": "INTEGER",
    "BIGINT": "INTEGER",
    "TINYINT": "INTEGER",
    "BYTEINT": "INTEGER",
    "FLOAT64": "FLOAT",
    "BOOL": "BOOLEAN",
    "STRUCT": "RECORD",
    "DECIMAL": "NUMERIC",
    "BIGDECIMAL": "BIGNUMERIC",
}

_TO_DUCK = {
    "INTEGER": "BIGINT",
    "FLOAT": "DOUBLE",
    "BOOLEAN": "BOOLEAN",
    "STRING": "VARCHAR",
    "BYTES": "BLOB",
    "DATE": "DATE",
    "DATETIME": "TIMESTAMP",
    "TIMESTAMP": "TIMESTAMP WITH TIME ZONE",
    "TIME": "TIME",
    "NUMERIC": NUMERIC,
    "BIGNUMERIC": BIGNUMERIC,
    "JSON": "JSON",
    "INTERVAL": "INTERVAL",
    "GEOGRAPHY": "VARCHAR",
}

_FROM_DUCK = {duck: rest for rest, duck in _TO_DUCK.items() if rest != "GEOGRAPHY"}

# What DuckDB computes with and BigQuery does not have, and the type that stands for it in BigQuery.
# A NULL of no type is an INT64 there.
_WIDENED = {
    **dict.fromkeys(
        ("TINYINT", "SMALLINT", "INTEGER", "HUGEINT", "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
        "BIGINT",
    ),
    **dict.fromkeys(("TIMESTAMP_S", "TIMESTAMP_MS", "TIMESTAMP_NS"), "TIMESTAMP"),
    **dict.fromkeys(("UUID", "BIT", "BIGNUM"), "VARCHAR"),
    "FLOAT": "DOUBLE",
    "TIME WITH TIME ZONE": "TIME",
    '"NULL"': "BIGINT",
    "NULL": "BIGINT",
}

_GOOGLESQL_NAMES = {"ARRAY", "BIGDECIMAL", "BIGINT", "BIGNUMERIC", "BOOL", "BOOLEAN", "BYTEINT", "BYTES", "DATE",
                    "DATETIME", "DECIMAL", "FLOAT64", "GEOGRAPHY", "INT", "INT64", "INTEGER", "INTERVAL", "JSON",
                    "NUMERIC", "RANGE", "SMALLINT", "STRING", "STRUCT", "TIME", "TIMESTAMP", "TINYINT"}  # fmt: skip

_FROM_GOOGLESQL = {
    exp.DType.BIGINT: "INTEGER",
    exp.DType.INT: "INTEGER",
    exp.DType.SMALLINT: "INTEGER",
    exp.DType.TINYINT: "INTEGER",
    exp.DType.DOUBLE: "FLOAT",
    exp.DType.FLOAT: "FLOAT",
    exp.DType.BOOLEAN: "BOOLEAN",
    exp.DType.TEXT: "STRING",
    exp.DType.VARCHAR: "STRING",
    exp.DType.BINARY: "BYTES",
    exp.DType.VARBINARY: "BYTES",
    exp.DType.DATE: "DATE",
    exp.DType.DATETIME: "DATETIME",
    exp.DType.TIMESTAMP: "DATETIME",
    exp.DType.TIMESTAMPTZ: "TIMESTAMP",
    exp.DType.TIME: "TIME",
    exp.DType.DECIMAL: "NUMERIC",
    exp.DType.BIGDECIMAL: "BIGNUMERIC",
    exp.DType.JSON: "JSON",
    exp.DType.INTERVAL: "INTERVAL",
    exp.DType.GEOGRAPHY: "GEOGRAPHY",
}


def legacy_name(kind: str) -> str:
    """The name of a type in REST schemas: INTEGER for INT64, RECORD for STRUCT."""
    kind = kind.upper()
    return _ALIASES.get(kind, kind)


def standard_name(kind: str) -> str:
    """The name of a type in GoogleSQL: INT64 for INTEGER, STRUCT for RECORD."""
    return {"INTEGER": "INT64", "FLOAT": "FLOAT64", "BOOLEAN": "BOOL", "RECORD": "STRUCT"}.get(kind, kind)


# https://cloud.google.com/bigquery/docs/schemas#flexible-column-names
_FIELD_NAME = re.compile(r"[^\x00-\x1f!\"$()*,./;?@\[\\\]^`{}~]{1,300}")


def normalized(fields: Iterable[Field]) -> list[Field]:
    """A schema as BigQuery gives it back: legacy names, a mode on every field. Raises ApiError `invalid`."""
    result: list[Field] = []
    known: set[str] = set()
    for field in fields:
        if "name" not in field or "type" not in field:
            raise invalid("A field of the schema lacks its name or its type.")
        if not _FIELD_NAME.fullmatch(field["name"]):
            raise invalid(
                f"Invalid field name '{field['name']}': it is empty, too long, or has a character that no name has."
            )
        if field["name"].lower() in known:
            raise invalid(f"Field {field['name']} already exists in schema")
        known.add(field["name"].lower())
        kind = legacy_name(field["type"])
        body = {**field, "type": kind, "mode": (field.get("mode") or "NULLABLE").upper()}
        if kind == "RECORD":
            body["fields"] = normalized(field.get("fields", []))
            if not body["fields"]:
                raise invalid(f"Field {field['name']} is type RECORD but has no schema")
        elif kind not in _TO_DUCK and kind != "RANGE":
            raise invalid(f"Invalid value for type: {field['type']} is not a valid value")
        result.append(body)
    return result


def duck_type(field: Field) -> str:
    """The DuckDB type that holds a field's values."""
    kind = legacy_name(field["type"])
    if kind == "RECORD":
        inner = ", ".join(f"{quote(f['name'])} {duck_type(f)}" for f in field["fields"])
        base = f"STRUCT({inner})"
    elif kind == "RANGE":
        element = duck_type({"type": field["rangeElementType"]["type"]})
        base = f"STRUCT({RANGE_START} {element}, {RANGE_END} {element})"
    elif kind in _TO_DUCK:
        base = _TO_DUCK[kind]
    else:
        raise unsupported(f"the type {kind}")
    return f"{base}[]" if field.get("mode") == "REPEATED" else base


def canonical_duck_type(kind: DuckDBPyType) -> str:
    """The nearest DuckDB type that is also a BigQuery type: BIGINT for HUGEINT, DOUBLE for FLOAT."""
    if kind.id == "list" or kind.id == "array":
        return canonical_duck_type(_element(kind)) + "[]"
    if kind.id == "struct":
        return "STRUCT(" + ", ".join(f"{quote(n)} {canonical_duck_type(t)}" for n, t in _members(kind)) + ")"
    if kind.id == "decimal":
        precision, scale = (int(str(digits)) for _, digits in kind.children)
        return NUMERIC if scale <= NUMERIC_SCALE and precision - scale <= 29 else BIGNUMERIC
    if kind.id == "enum":
        return "VARCHAR"
    return _WIDENED.get(str(kind), str(kind))


def field_of(name: str, kind: DuckDBPyType) -> Field:
    """The REST field of a column of a canonical DuckDB type. Raises ApiError `notImplemented`."""
    if kind.id == "list":
        inner = field_of(name, _element(kind))
        return {**inner, "mode": "REPEATED"}
    if kind.id == "struct":
        children = _members(kind)
        if [child for child, _ in children] == [RANGE_START, RANGE_END]:
            element = field_of("element", children[0][1])["type"]
            return {"name": name, "type": "RANGE", "mode": "NULLABLE", "rangeElementType": {"type": element}}
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": [field_of(n, t) for n, t in children]}
    if str(kind) not in _FROM_DUCK:
        raise unsupported(f"DuckDB's type {kind} of the column {name}")
    return {"name": name, "type": _FROM_DUCK[str(kind)], "mode": "NULLABLE"}


def field_of_googlesql(name: str, kind: exp.DataType) -> Field:
    """The REST field of a type as written in GoogleSQL: `NUMERIC(10, 2)`, `ARRAY<STRUCT<a INT64>>`.

    Raises ApiError for a type that BigQuery does not have, whatever other databases call it.
    """
    written = kind.meta.get(TYPE_NAME)
    if written is not None and written.upper() not in _GOOGLESQL_NAMES:
        raise invalid_query(f"Type not found: {written}")
    dtype = kind.this
    if dtype == exp.DType.ARRAY:
        return {**field_of_googlesql(name, kind.expressions[0]), "mode": "REPEATED"}
    if dtype == exp.DType.STRUCT:
        fields = [_struct_field(i, child) for i, child in enumerate(kind.expressions)]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": fields}
    if dtype == exp.DType.RANGE or str(dtype).upper().endswith("RANGE"):
        if len(kind.expressions) != 1:
            raise invalid_query("Syntax error: RANGE needs one type: RANGE<DATE>, RANGE<DATETIME> or RANGE<TIMESTAMP>")
        element = field_of_googlesql("element", kind.expressions[0])["type"]
        return {"name": name, "type": "RANGE", "mode": "NULLABLE", "rangeElementType": {"type": element}}
    if dtype not in _FROM_GOOGLESQL:
        raise unsupported(f"the type {kind.sql('bigquery')}")
    rest = _FROM_GOOGLESQL[dtype]
    return {"name": name, "type": rest, "mode": "NULLABLE", **_parameters(rest, kind)}


def googlesql_type(field: Field) -> str:
    """A field's type as GoogleSQL spells it, with its parameters."""
    kind = standard_name(legacy_name(field["type"]))
    if kind == "STRUCT":
        kind = "STRUCT<" + ", ".join(f"{f['name']} {googlesql_type(f)}" for f in field["fields"]) + ">"
    elif kind == "RANGE":
        kind = f"RANGE<{field['rangeElementType']['type']}>"
    elif "precision" in field:
        digits = [field["precision"], *([field["scale"]] if "scale" in field else [])]
        kind = f"{kind}({', '.join(digits)})"
    elif "maxLength" in field:
        kind = f"{kind}({field['maxLength']})"
    return f"ARRAY<{kind}>" if field.get("mode") == "REPEATED" else kind


def standard_type(field: Field) -> dict[str, Any]:
    """A field's type as routines have it: https://cloud.google.com/bigquery/docs/reference/rest/v2/StandardSqlDataType"""
    if field.get("mode") == "REPEATED":
        return {"typeKind": "ARRAY", "arrayElementType": standard_type({**field, "mode": "NULLABLE"})}
    kind = standard_name(legacy_name(field["type"]))
    if kind == "STRUCT":
        members = [{"name": f["name"], "type": standard_type(f)} for f in field["fields"]]
        return {"typeKind": "STRUCT", "structType": {"fields": members}}
    if kind == "RANGE":
        return {"typeKind": "RANGE", "rangeElementType": {"typeKind": field["rangeElementType"]["type"]}}
    return {"typeKind": kind}


def field_of_standard(name: str, kind: dict[str, Any]) -> Field:
    """The field of a type as routines have it. Raises ApiError `invalid` for one without a kind."""
    if "typeKind" not in kind:
        raise invalid(f"The type of {name} lacks its typeKind.")
    if kind["typeKind"] == "ARRAY":
        return {**field_of_standard(name, kind["arrayElementType"]), "mode": "REPEATED"}
    field: Field = {"name": name, "type": legacy_name(kind["typeKind"]), "mode": "NULLABLE"}
    if kind["typeKind"] == "STRUCT":
        field["fields"] = [field_of_standard(f.get("name", ""), f["type"]) for f in kind["structType"]["fields"]]
    if kind["typeKind"] == "RANGE":
        field["rangeElementType"] = {"type": kind["rangeElementType"]["typeKind"]}
    return field


def _members(kind: DuckDBPyType) -> list[tuple[str, DuckDBPyType]]:
    return [(name, child) for name, child in kind.children if isinstance(child, DuckDBPyType)]


def _element(kind: DuckDBPyType) -> DuckDBPyType:
    return _members(kind)[0][1]


def _struct_field(index: int, child: exp.Expr) -> Field:
    if isinstance(child, exp.ColumnDef):
        return field_of_googlesql(child.name, child.args["kind"])
    if isinstance(child, exp.DataType):
        return field_of_googlesql(f"_field_{index + 1}", child)
    raise unsupported(f"the field {child.sql('bigquery')} in a STRUCT type")


def _parameters(rest: str, kind: exp.DataType) -> Field:
    values = [parameter.name for parameter in kind.expressions]
    if not values:
        return {}
    if rest in {"NUMERIC", "BIGNUMERIC"}:
        return dict(zip(("precision", "scale"), values, strict=False))
    return {"maxLength": values[0]}


def fields_of_arrow(schema: pa.Schema) -> list[Field]:
    """The REST fields of an Arrow table's columns. Raises ApiError `notImplemented` for a type that has none."""
    return [_field_of_arrow(column.name, column.type) for column in schema]


def _field_of_arrow(name: str, kind: pa.DataType) -> Field:
    if pa.types.is_list(kind):
        return {**_field_of_arrow(name, kind.value_type), "mode": "REPEATED"}
    if pa.types.is_struct(kind):
        children = [_field_of_arrow(child.name, child.type) for child in kind]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": children}
    if pa.types.is_timestamp(kind):
        return {"name": name, "type": "TIMESTAMP" if kind.tz else "DATETIME", "mode": "NULLABLE"}
    for is_kind, rest in _FROM_ARROW:
        if is_kind(kind):
            return {"name": name, "type": rest, "mode": "NULLABLE"}
    raise unsupported(f"the Arrow type {kind} of the column {name}")


_FROM_ARROW: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_string, "STRING"),
    (pa.types.is_large_string, "STRING"),
    (pa.types.is_integer, "INTEGER"),
    (pa.types.is_floating, "FLOAT"),
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_time, "TIME"),
    (pa.types.is_decimal, "NUMERIC"),
    (pa.types.is_binary, "BYTES"),
    (pa.types.is_null, "STRING"),
)
