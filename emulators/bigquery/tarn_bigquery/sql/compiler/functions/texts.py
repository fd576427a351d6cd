"""FORMAT, and the casts that have functions of their own."""

from tarn_bigquery.sql.compiler import casts
from tarn_bigquery.sql.compiler.functions.registry import Call, function
from tarn_bigquery.sql.compiler.kinds import NULL, STRING
from tarn_bigquery.sql.compiler.values import Value, coerce, null


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
    """An argument of FORMAT: its type, its text, and the literal that stands for it in GoogleSQL (for `%T`)."""
    kind = value.type.name
    shown = null(STRING) if value.type == NULL else casts.cast(value, STRING) if kind != "JSON" else value
    plain = shown.sql if shown is not None and kind != "ARRAY" else _literal(value)
    if kind == "JSON":
        plain = f"CAST({value.sql} AS VARCHAR)"
    return f"struct_pack(kind := '{kind}', v := {plain}, literal := {_literal(value)})"


def _literal(value: Value) -> str:
    kind, sql = value.type.name, value.sql
    if kind == "NULL":
        return "'NULL'"
    if kind == "ARRAY" and value.type.element is not None:
        inner = _literal(Value("x", value.type.element))
        return f"('[' || array_to_string(list_transform({sql}, lambda x: {inner}), ', ') || ']')"
    if kind == "STRUCT":
        names = [name or f"_field_{i}" for i, (name, _) in enumerate(value.type.fields, 1)]
        parts = [
            _literal(Value(f"struct_extract({sql}, '{name}')", inner))
            for name, (_, inner) in zip(names, value.type.fields, strict=True)
        ]
        joined = " || ', ' || ".join(parts)
        return f"('(' || {joined} || ')')"
    plain = casts.cast(value, STRING)
    text = plain.sql if plain is not None else f"CAST({sql} AS VARCHAR)"
    if kind == "BYTES":
        text = f"googlesql_escape_bytes({sql})"
    return f"coalesce(googlesql.literal_text('{kind}', {text}), 'NULL')"


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
