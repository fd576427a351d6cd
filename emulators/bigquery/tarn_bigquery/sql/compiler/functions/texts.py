"""FORMAT, and the casts that have functions of their own."""

from tarn_bigquery.sql.compiler import casts
from tarn_bigquery.sql.compiler.functions.registry import Call, function
from tarn_bigquery.sql.compiler.kinds import STRING, named_fields
from tarn_bigquery.sql.compiler.values import Value, coerce, text


@function("FORMAT")
def formatted(call: Call) -> Value:
    call.check_arity(1)
    pattern = coerce(call.args[0], STRING)
    if pattern is None:
        raise call.no_match([])
    items = ", ".join(_item(value) for value in call.args[1:])
    return Value(
        f"googlesql_format({pattern.sql}, CAST([{items}] AS STRUCT(kind VARCHAR, v VARCHAR, literal VARCHAR)[]))",
        STRING,
    )


def _item(value: Value) -> str:
    """An argument of FORMAT: its type, its text for `%t`, and the literal that stands for it in GoogleSQL (`%T`)."""
    kind = value.type.name
    shown = value.sql if kind == "STRING" else _shown(value, as_literal=False)
    return f"struct_pack(kind := '{kind}', v := {shown}, literal := {_shown(value, as_literal=True)})"


def _shown(value: Value, *, as_literal: bool) -> str:
    """SQL for the text of a value; NULL where the value is NULL."""
    kind, sql = value.type.name, value.sql
    if kind == "NULL":
        return "CAST(NULL AS VARCHAR)"
    if kind == "ARRAY" and value.type.element is not None:
        inner = _shown(Value("x", value.type.element), as_literal=as_literal)
        items = f"list_transform({sql}, lambda x: coalesce({inner}, 'NULL'))"
        return f"('[' || array_to_string({items}, ', ') || ']')"
    if kind == "STRUCT":
        return _shown_struct(value, as_literal=as_literal)
    if kind == "BYTES":
        return f"googlesql_escape_bytes({sql}, {'true' if as_literal else 'false'})"
    plain = casts.cast(value, STRING)
    text = plain.sql if plain is not None else f"CAST({sql} AS VARCHAR)"
    if kind == "FLOAT64":
        return f"googlesql.float_text({text}, {'true' if as_literal else 'false'})"
    if not as_literal or kind in {"INT64", "BOOL"}:
        return text
    behind = " || ' YEAR TO SECOND'" if kind == "INTERVAL" else ""
    before = "" if kind == "STRING" else f"'{value.type} ' || "
    return f"({before}googlesql_string_literal({text}){behind})"


def _shown_struct(value: Value, *, as_literal: bool) -> str:
    fields = named_fields(value.type)
    parts = [
        f"coalesce({_shown(Value(f'struct_extract({value.sql}, {text(name)})', inner), as_literal=as_literal)}, 'NULL')"
        for name, inner in fields
    ]
    joined = " || ', ' || ".join(parts) or "''"
    word = "STRUCT" if as_literal and len(fields) < 2 else ""
    return f"(CASE WHEN {value.sql} IS NOT NULL THEN '{word}(' || {joined} || ')' END)"


@function("STRING")
def to_string(call: Call) -> Value:
    call.check_arity(1, 2)
    value = call.args[0]
    if value.type.name == "JSON":
        return Value(f"googlesql_json_scalar({value.sql}, 'STRING', 'strict')", STRING)
    result = casts.zoned(value, STRING, call.args[1]) if len(call.args) > 1 else casts.cast(value, STRING)
    if result is None:
        raise call.no_match([])
    return result
