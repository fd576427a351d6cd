"""Compiled expressions, and what they turn into where another type is wanted."""

import math
from dataclasses import dataclass, replace
from decimal import Decimal

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.compiler.kinds import (
    BIGNUMERIC,
    BOOL,
    BYTES,
    EMPTY_ARRAY,
    FLOAT64,
    INT64,
    NULL,
    NUMERIC,
    NUMERIC_NAMES,
    STRING,
    Type,
    named_fields,
    struct_of,
    supertype,
)

MACRO = "googlesql."
_MOST_MACROS = 2
TIME_NAMES = ("DATE", "DATETIME", "TIMESTAMP", "TIME")


class NotCoercible(ApiError):
    """A value assigned to what is of a type that it does not coerce to."""


@dataclass(frozen=True)
class Value:
    """DuckDB SQL, enclosed so that it can stand anywhere, and the GoogleSQL type of what it yields.

    `literal` is the constant as written, for literals and parameters, which coerce to more types than others.
    `parts` are the members of a STRUCT or ARRAY that was built on the spot: they coerce one by one.
    """

    sql: str
    type: Type
    literal: str | int | float | None = None
    parts: tuple["Value", ...] | None = None


def once(template: str, *operands: str) -> str:
    """The template filled with operands, of which those that are deep stand in the SQL once.

    Macros name their operands several times: calls within calls would grow by a power at every level.
    """
    if max((sql.count(MACRO) for sql in operands), default=0) <= _MOST_MACROS:
        return template.format(*operands)
    bound = {f"x{i}": sql for i, sql in enumerate(operands) if MACRO in sql or "SELECT" in sql}
    names = [f"bound.x{i}" if f"x{i}" in bound else sql for i, sql in enumerate(operands)]
    members = ", ".join(f"{name}: {sql}" for name, sql in bound.items())
    # DuckDB has no other way to name a value within an expression.
    return f"list_transform([{{{members}}}], lambda bound: {template.format(*names)})[1]"


def null(kind: Type = NULL) -> Value:
    return Value("NULL", NULL) if kind == NULL else Value(f"CAST(NULL AS {kind.duck})", kind)


def text(value: str) -> str:
    """A DuckDB string literal."""
    return "'" + value.replace("'", "''").replace("\0", "' || chr(0) || '") + "'"


def string(value: str) -> Value:
    return Value(text(value), STRING, value)


def integer(value: int) -> Value:
    if not -(2**63) <= value < 2**63:
        raise invalid_query(f"Invalid integer literal: {value}")
    # -2^63 cannot be written as a negated literal.
    sql = f"CAST('{value}' AS BIGINT)" if value < 0 else f"CAST({value} AS BIGINT)"
    return Value(sql, INT64, value)


def floating(written: str) -> Value:
    value = float(written)
    if math.isinf(value):
        raise invalid_query(f"Invalid floating point literal: {written}")
    return Value(f"CAST({text(written)} AS DOUBLE)", FLOAT64, value)


def boolean(value: bool) -> Value:
    return Value("true" if value else "false", BOOL)


def blob(value: bytes) -> Value:
    escaped = "".join(f"\\x{byte:02X}" for byte in value)
    return Value(f"'{escaped}'::BLOB", BYTES)


def struct(fields: list[tuple[str, Value]]) -> Value:
    """A struct built of its fields; a name may be empty."""
    kind = struct_of((name, settled(value).type) for name, value in fields)
    members = zip(named_fields(kind), (value for _, value in fields), strict=True)
    packed = ", ".join(f"{quote(name)} := {settled(value).sql}" for (name, _), value in members)
    return Value(f"struct_pack({packed})", kind, parts=tuple(value for _, value in fields))


def array(items: list[Value], element: Type | None = None) -> Value:
    """An array of the items, of their common type where no other is given. Raises ApiError where there is none."""
    if element is None:
        element = common_type(items)
    if element is None:
        found = ", ".join(sorted({str(item.type) for item in items}))
        raise invalid_query(f"Array elements of types {{{found}}} do not have a common supertype")
    if element.name == "ARRAY":
        raise invalid_query(
            f"Cannot construct array with element type {element} because nested arrays are not supported"
        )
    if not items and element == NULL:
        return Value("CAST([] AS BIGINT[])", EMPTY_ARRAY, parts=())
    kind = Type("ARRAY", element)
    members = ", ".join(coerced(item, element).sql for item in items)
    return Value(f"CAST([{members}] AS {kind.duck})", kind, parts=tuple(items))


def common_type(values: list[Value]) -> Type | None:
    """The type in which the values can stand side by side: literals follow the others."""
    structs = [value for value in values if value.type != NULL]
    if any(value.parts is not None for value in structs) and {value.type.name for value in structs} == {"STRUCT"}:
        return _common_struct(structs)
    common = supertype(value.type for value in values if value.literal is None)
    if common is None:
        return None
    loose = [value for value in values if value.literal is not None]
    if common == NULL:
        return supertype(value.type for value in loose)
    for value in loose:
        wider = supertype([common, value.type])
        if coerce(value, common) is None or (common == INT64 and wider == FLOAT64):
            if wider is None:
                return None
            common = wider
    return common


def _common_struct(values: list[Value]) -> Type | None:
    """The type of structs some of which were built on the spot: their members follow the others' one by one."""
    fields = [_members(value) for value in values]
    if len({len(members) for members in fields}) > 1:
        return None
    kinds = [common_type([value for _, value in members]) for members in zip(*fields, strict=True)]
    names = [next((name for name, _ in members if name), "") for members in zip(*fields, strict=True)]
    found = [
        (name, INT64 if kind == NULL else kind) for name, kind in zip(names, kinds, strict=True) if kind is not None
    ]
    return struct_of(found) if len(found) == len(names) else None


def _members(value: Value) -> list[tuple[str, Value]]:
    """The fields of a struct with their values: those that it was built of, where they are known."""
    parts = value.parts or tuple(Value("", kind) for _, kind in value.type.fields)
    return [(name, part) for (name, _), part in zip(value.type.fields, parts, strict=True)]


def coerced(value: Value, kind: Type) -> Value:
    """The value as the type. Raises ApiError `invalidQuery` where it does not coerce to it."""
    result = coerce(value, kind)
    if result is None:
        raise mismatch(value.type, kind)
    return result


def mismatch(found: Type, wanted: Type) -> ApiError:
    return invalid_query(f"Type {found} is not coercible to expected type {wanted}")


def settled(value: Value) -> Value:
    """The value with a type that a column can have: a bare NULL is an INT64."""
    return coerced(value, INT64) if value.type == NULL else value


def coerce(value: Value, kind: Type) -> Value | None:
    """The value as the type where GoogleSQL coerces it of its own accord, else None."""
    source = value.type
    if source == kind or kind == NULL:
        return value
    if source == NULL:
        # What has no type need not be a bare NULL: ERROR() fits anywhere and raises there.
        return null(kind) if value.sql == "NULL" else Value(f"CAST({value.sql} AS {kind.duck})", kind)
    if source.is_numeric and kind.is_numeric:
        return _coerce_number(value, kind)
    if source == STRING and kind.name in TIME_NAMES and value.literal is not None:
        return _from_text(value, kind)
    if source == STRING and kind == BYTES and value.literal is not None:
        return Value(f"encode({value.sql})", BYTES)
    if source.name == "DATE" and kind.name == "DATETIME":
        return Value(f"CAST({value.sql} AS TIMESTAMP)", kind)
    if source.name == kind.name == "ARRAY":
        return _coerce_array(value, kind)
    if source.name == kind.name == "STRUCT":
        return _coerce_struct(value, kind)
    return None


def number(value: Value, kind: Type) -> str:
    """SQL that turns a number into another type of number, rounding half away from zero."""
    if value.type == kind:
        return value.sql
    if value.type == FLOAT64 and kind == INT64:
        return f"CAST(round({value.sql}) AS BIGINT)"
    return f"CAST({value.sql} AS {kind.duck})"


def _coerce_number(value: Value, kind: Type) -> Value | None:
    widens = NUMERIC_NAMES.index(value.type.name) < NUMERIC_NAMES.index(kind.name)
    from_float_literal = value.type == FLOAT64 and kind in {NUMERIC, BIGNUMERIC} and value.literal is not None
    if from_float_literal:
        exact = Decimal(repr(value.literal))
        return Value(f"CAST('{exact:f}' AS {kind.duck})", kind, value.literal) if exact.is_finite() else None
    if not widens:
        return None
    return replace(value, sql=number(value, kind), type=kind)


def _from_text(value: Value, kind: Type) -> Value:
    name = kind.name.lower()
    return Value(f"googlesql.{name}_of_string({value.sql})", kind)


def _coerce_array(value: Value, kind: Type) -> Value | None:
    element = kind.element
    if element is None:
        return None
    if value.parts is not None:
        items = [coerce(part, element) for part in value.parts]
        return None if None in items else array([item for item in items if item is not None], element)
    source = value.type.element
    if source is None or coerce(Value("x", source), element) is None:
        return None
    item = coerce(Value("x", source), element)
    if item is None or item.sql == "x":
        return Value(value.sql, kind)
    return Value(f"list_transform({value.sql}, lambda x: {item.sql})", kind)


def _coerce_struct(value: Value, kind: Type) -> Value | None:
    if len(value.type.fields) != len(kind.fields):
        return None
    parts = value.parts
    if parts is None:
        sources = named_fields(value.type)
        parts = tuple(Value(f"struct_extract({value.sql}, {text(name)})", source) for name, source in sources)
    members = []
    for (name, wanted), part in zip(kind.fields, parts, strict=True):
        member = coerce(part, wanted)
        if member is None:
            return None
        members.append((name, member))
    built = struct(members)
    if value.parts is None:
        return Value(f"CASE WHEN {value.sql} IS NOT NULL THEN {built.sql} END", kind)
    return replace(built, type=kind)
