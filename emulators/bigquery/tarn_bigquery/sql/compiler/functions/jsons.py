"""Functions of JSON. A JSON value is DuckDB's JSON: text, as short as it can be written."""

from sqlglot import exp

from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, FLOAT64, INT64, JSON, NULL, STRING, Type, array_of, named_fields
from tarn_bigquery.sql.compiler.values import Value, coerce, text

_QUERIES = {"JSON_QUERY": "standard", "JSON_EXTRACT": "legacy"}
_VALUES = {"JSON_VALUE": "standard", "JSON_EXTRACT_SCALAR": "legacy"}
_QUERY_ARRAYS = {"JSON_QUERY_ARRAY": "standard", "JSON_EXTRACT_ARRAY": "legacy"}
_VALUE_ARRAYS = {"JSON_VALUE_ARRAY": "standard", "JSON_EXTRACT_STRING_ARRAY": "legacy"}


@function(*_QUERIES)
def query(call: Call) -> Value:
    source, path = _source_and_path(call)
    # A part of a JSON string is a STRING; a part of a JSON value is JSON.
    mode = "standard" if source.type == JSON else _QUERIES[call.name]
    found = f"googlesql_json_query({source.sql}, {path}, '{mode}')"
    return Value(f"CAST({found} AS JSON)" if source.type == JSON else found, source.type)


@function(*_VALUES)
def value(call: Call) -> Value:
    source, path = _source_and_path(call)
    return Value(f"googlesql_json_value({source.sql}, {path}, '{_VALUES[call.name]}')", STRING)


@function(*_QUERY_ARRAYS)
def query_array(call: Call) -> Value:
    source, path = _source_and_path(call)
    kind = array_of(source.type)
    found = f"googlesql_json_query_array({source.sql}, {path}, '{_QUERY_ARRAYS[call.name]}')"
    return Value(f"CAST({found} AS {kind.duck})", kind)


@function(*_VALUE_ARRAYS)
def value_array(call: Call) -> Value:
    source, path = _source_and_path(call)
    return Value(f"googlesql_json_value_array({source.sql}, {path}, '{_VALUE_ARRAYS[call.name]}')", array_of(STRING))


def _source_and_path(call: Call) -> tuple[Value, str]:
    call.check_arity(1, 2)
    source = call.args[0] if call.args[0].type == JSON else coerce(call.args[0], STRING)
    path = coerce(call.args[1], STRING) if len(call.args) > 1 else Value("'$'", STRING)
    if source is None or path is None:
        raise call.no_match([])
    return source, path.sql


@function("PARSE_JSON")
def parse_json(call: Call) -> Value:
    plain, options = _arguments(call, 1, 2, ("wide_number_mode",))
    value = coerce(call.compiler.value(plain[0]), STRING)
    if value is None:
        raise call.no_match([])
    mode = options.get("wide_number_mode", "'exact'")
    return Value(f"googlesql_parse_json({value.sql}, {mode})", JSON)


def _arguments(
    call: Call, least: int, most: int | None, names: tuple[str, ...] = ()
) -> tuple[list[exp.Expr], dict[str, str]]:
    """The arguments without names, and the SQL of those with names; what is too much takes the names in turn."""
    plain = [node for node in call.nodes if not isinstance(node, exp.Kwarg)]
    options = {
        node.this.name.lower(): call.compiler.value(node.expression).sql
        for node in call.nodes
        if isinstance(node, exp.Kwarg)
    }
    unknown = set(options) - set(names)
    if unknown or len(plain) < least or (most is not None and len(plain) > most):
        raise call.no_match([])
    positional = plain[most - len(names) :] if most is not None and names else []
    for name, node in zip(names, positional, strict=False):
        options.setdefault(name, call.compiler.value(node).sql)
    return plain, options


@function("TO_JSON")
def to_json(call: Call) -> Value:
    plain, options = _arguments(call, 1, 2, ("stringify_wide_numbers",))
    value = call.compiler.value(plain[0])
    wide = options.get("stringify_wide_numbers", "false")
    written = f"coalesce({to_json_text(value, wide)}, 'null')"
    return Value(f"googlesql_json_in_order({written})" if value.type.fields else f"CAST({written} AS JSON)", JSON)


@function("TO_JSON_STRING")
def to_json_string(call: Call) -> Value:
    call.check_arity(1, 2)
    value = call.compiler.value(call.nodes[0])
    written = f"coalesce({to_json_text(value)}, 'null')"
    if len(call.nodes) > 1:
        pretty = call.compiler.sql(call.nodes[1], BOOL)
        return Value(f"(CASE WHEN {pretty} THEN googlesql_json_pretty({written}) ELSE {written} END)", STRING)
    return Value(written, STRING)


def to_json_text(value: Value, wide: str = "") -> str:
    """SQL for the JSON text of a value; NULL where the value is NULL.

    `wide` is SQL for whether numbers that a FLOAT64 cannot hold become texts; without it they do, as TO_JSON_STRING
    has it.
    """
    kind, sql = value.type, value.sql
    if kind.name == "ARRAY" and kind.element is not None:
        item = f"coalesce({to_json_text(Value('x', kind.element), wide)}, 'null')"
        return f"('[' || array_to_string(list_transform({sql}, lambda x: {item}), ',') || ']')"
    if kind.name == "STRUCT":
        return _struct_text(value, wide)
    if wide and kind.name in {"INT64", "NUMERIC", "BIGNUMERIC"}:
        return f"googlesql.json_number({_DIGITS[kind.name].format(sql)}, {wide})"
    return _SCALAR_TEXT.get(kind.name, "CAST(to_json(CAST({0} AS VARCHAR)) AS VARCHAR)").format(sql)


def _struct_text(value: Value, wide: str) -> str:
    members = []
    for i, (name, kind) in enumerate(named_fields(value.type)):
        inner = value.parts[i] if value.parts is not None else Value(f"struct_extract({value.sql}, {text(name)})", kind)
        given = value.type.fields[i][0]
        key = text('"' + given.replace("\\", "\\\\").replace('"', '\\"') + '":')
        members.append(f"{key} || coalesce({to_json_text(inner, wide)}, 'null')")
    joined = " || ',' || ".join(members) or "''"
    built = f"('{{' || {joined} || '}}')"
    return built if value.parts is not None else f"(CASE WHEN {value.sql} IS NOT NULL THEN {built} END)"


_DIGITS = {
    "INT64": "CAST({0} AS VARCHAR)",
    "NUMERIC": "googlesql.string_of_numeric({0})",
    "BIGNUMERIC": "googlesql.string_of_numeric({0})",
}

_SCALAR_TEXT = {
    "NULL": "CAST(NULL AS VARCHAR)",
    "BOOL": "CAST({0} AS VARCHAR)",
    "INT64": "googlesql.json_of_int64({0})",
    "FLOAT64": "googlesql.json_of_float64({0})",
    "NUMERIC": "googlesql.json_of_numeric({0})",
    "BIGNUMERIC": "googlesql.json_of_numeric({0})",
    "JSON": "CAST({0} AS VARCHAR)",
    "BYTES": "('\"' || to_base64({0}) || '\"')",
    "TIMESTAMP": "googlesql.json_of_timestamp({0})",
    "DATETIME": "('\"' || replace(googlesql.string_of_datetime({0}), ' ', 'T') || '\"')",
    "TIME": "('\"' || googlesql.string_of_time({0}) || '\"')",
    "INTERVAL": "('\"' || googlesql.iso_of_interval({0}) || '\"')",
}


@function("JSON_ARRAY")
def json_array(call: Call) -> Value:
    items = " || ',' || ".join(f"coalesce({to_json_text(value, 'false')}, 'null')" for value in call.args) or "''"
    return Value(f"googlesql_json_in_order('[' || {items} || ']')", JSON)


@function("JSON_OBJECT")
def json_object(call: Call) -> Value:
    args = call.args
    if len(args) == 2 and args[0].type.name == "ARRAY":
        keys, values = args
        element = values.type.element or NULL
        item = f"coalesce({to_json_text(Value('x', element), 'false')}, 'null')"
        return Value(f"googlesql_json_object({keys.sql}, list_transform({values.sql}, lambda x: {item}))", JSON)
    if len(args) % 2:
        raise call.no_match([])
    names = ", ".join(_as_string(call, key) for key in args[::2])
    items = ", ".join(f"coalesce({to_json_text(item, 'false')}, 'null')" for item in args[1::2])
    return Value(f"googlesql_json_object(CAST([{names}] AS VARCHAR[]), CAST([{items}] AS VARCHAR[]))", JSON)


def _as_string(call: Call, value: Value) -> str:
    converted = coerce(value, STRING)
    if converted is None:
        raise call.no_match([])
    return converted.sql


# The way that an edit goes, and the name of its option.
_EDITS = {
    "JSON_SET": ("set", "create_if_missing"),
    "JSON_ARRAY_INSERT": ("insert", "insert_each_element"),
    "JSON_ARRAY_APPEND": ("append", "append_each_element"),
}


@function(*_EDITS)
def edit(call: Call) -> Value:
    way, option = _EDITS[call.name]
    plain, options = _arguments(call, 3, None, (option,))
    first, *rest = [call.compiler.value(node) for node in plain]
    target = coerce(first, JSON)
    if target is None or len(rest) % 2:
        raise call.no_match([])
    paths = ", ".join(_as_string(call, path) for path in rest[::2])
    items = ", ".join(f"coalesce({to_json_text(item, 'false')}, 'null')" for item in rest[1::2])
    arrays = ", ".join("true" if item.type.name == "ARRAY" else "false" for item in rest[1::2])
    flag = options.get(option, "true")
    return Value(f"googlesql_json_edit({target.sql}, [{paths}], [{items}], [{arrays}], '{way}', {flag})", JSON)


@function("JSON_REMOVE")
def remove(call: Call) -> Value:
    call.check_arity(2)
    paths = ", ".join(path.sql for path in call.args[1:])
    return Value(f"googlesql_json_remove({call.args[0].sql}, [{paths}])", JSON)


@function("JSON_STRIP_NULLS")
def strip_nulls(call: Call) -> Value:
    plain, options = _arguments(call, 1, 4, ("include_arrays", "remove_empty"))
    path = call.compiler.sql(plain[1], STRING) if len(plain) > 1 else "'$'"
    arrays, empty = options.get("include_arrays", "true"), options.get("remove_empty", "false")
    target = call.compiler.sql(plain[0], JSON)
    return Value(f"googlesql_json_strip_nulls({target}, {path}, {arrays}, {empty})", JSON)


@function("JSON_KEYS")
def keys(call: Call) -> Value:
    plain, options = _arguments(call, 1, 3, ("mode",))
    depth = call.compiler.sql(plain[1], INT64) if len(plain) > 1 else "0"
    target = call.compiler.sql(plain[0], JSON)
    mode = options.get("mode", "'strict'")
    return Value(f"googlesql_json_keys({target}, {depth}, {mode})", array_of(STRING))


signature("JSON_TYPE(JSON) -> STRING", "googlesql_json_type({0})")
signature("JSON_FLATTEN(JSON) -> ARRAY<JSON>", "CAST(googlesql_json_flatten({0}) AS JSON[])")

_SCALARS = {"BOOL": "BOOL", "INT64": "INT64", "FLOAT64": "FLOAT64", "DOUBLE": "FLOAT64"}
_LAX = {
    "LAX_BOOL": "BOOL",
    "LAX_INT64": "INT64",
    "LAX_FLOAT64": "FLOAT64",
    "LAX_DOUBLE": "FLOAT64",
    "LAX_STRING": "STRING",
}


@function(*_SCALARS, *_LAX)
def scalar(call: Call) -> Value:
    value, kind, mode = _conversion(call, call.name)
    return Value(f"CAST(googlesql_json_scalar({value}, '{kind}', {mode}) AS {kind.duck})", kind)


@function("STRING_ARRAY", *(f"{name}_ARRAY" for name in (*_SCALARS, *_LAX)))
def scalars(call: Call) -> Value:
    value, element, mode = _conversion(call, call.name.removesuffix("_ARRAY"))
    kind = array_of(element)
    return Value(f"CAST(googlesql_json_scalars({value}, '{element}', {mode}) AS {kind.duck})", kind)


def _conversion(call: Call, name: str) -> tuple[str, Type, str]:
    """The JSON value, the type that the function gives, and SQL for the way that it takes."""
    kind = Type(_SCALARS.get(name) or _LAX.get(name) or name)
    names = ("wide_number_mode",) if kind == FLOAT64 and name not in _LAX else ()
    plain, options = _arguments(call, 1, 1 + len(names), names)
    value = coerce(call.compiler.value(plain[0]), JSON)
    if value is None:
        raise call.no_match([])
    return value.sql, kind, "'lax'" if name in _LAX else options.get("wide_number_mode", "'round'")
