"""Functions of JSON. A JSON value is DuckDB's JSON: text, as short as it can be written."""

from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, JSON, NULL, STRING, Type, array_of, named_fields
from tarn_bigquery.sql.compiler.values import Value, coerce, text

_QUERIES = {"JSON_QUERY": "standard", "JSON_EXTRACT": "legacy"}
_VALUES = {"JSON_VALUE": "standard", "JSON_EXTRACT_SCALAR": "legacy"}
_QUERY_ARRAYS = {"JSON_QUERY_ARRAY": "standard", "JSON_EXTRACT_ARRAY": "legacy"}
_VALUE_ARRAYS = {"JSON_VALUE_ARRAY": "standard", "JSON_EXTRACT_STRING_ARRAY": "legacy"}


@function(*_QUERIES)
def query(call: Call) -> Value:
    source, path = _source_and_path(call)
    # A part of a JSON string is a STRING; a part of a JSON value is JSON.
    found = f"googlesql_json_query({source.sql}, {path}, '{_QUERIES[call.name]}')"
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
    call.check_arity(1, 2)
    mode = "exact"
    for node in call.nodes[1:]:
        mode = node.args["expression"].name if node.args.get("expression") is not None else node.name
    value = coerce(call.compiler.value(call.nodes[0]), STRING)
    if value is None:
        raise call.no_match([])
    return Value(f"googlesql_parse_json({value.sql}, {text(mode)})", JSON)


@function("TO_JSON")
def to_json(call: Call) -> Value:
    call.check_arity(1, 2)
    value = call.compiler.value(call.nodes[0])
    return Value(f"CAST(coalesce({to_json_text(value)}, 'null') AS JSON)", JSON)


@function("TO_JSON_STRING")
def to_json_string(call: Call) -> Value:
    call.check_arity(1, 2)
    value = call.compiler.value(call.nodes[0])
    written = f"coalesce({to_json_text(value)}, 'null')"
    if len(call.nodes) > 1:
        pretty = call.compiler.sql(call.nodes[1], BOOL)
        return Value(f"(CASE WHEN {pretty} THEN googlesql_json_pretty({written}) ELSE {written} END)", STRING)
    return Value(written, STRING)


def to_json_text(value: Value) -> str:
    """SQL for the JSON text of a value; NULL where the value is NULL."""
    kind, sql = value.type, value.sql
    if kind.name == "ARRAY" and kind.element is not None:
        item = f"coalesce({to_json_text(Value('x', kind.element))}, 'null')"
        return f"('[' || array_to_string(list_transform({sql}, lambda x: {item}), ',') || ']')"
    if kind.name == "STRUCT":
        return _struct_text(value)
    return _SCALAR_TEXT.get(kind.name, "CAST(to_json(CAST({0} AS VARCHAR)) AS VARCHAR)").format(sql)


def _struct_text(value: Value) -> str:
    members = []
    for i, (name, kind) in enumerate(named_fields(value.type)):
        inner = value.parts[i] if value.parts is not None else Value(f"struct_extract({value.sql}, {text(name)})", kind)
        given = value.type.fields[i][0]
        key = text('"' + given.replace("\\", "\\\\").replace('"', '\\"') + '":')
        members.append(f"{key} || coalesce({to_json_text(inner)}, 'null')")
    joined = " || ',' || ".join(members) or "''"
    built = f"('{{' || {joined} || '}}')"
    return built if value.parts is not None else f"(CASE WHEN {value.sql} IS NOT NULL THEN {built} END)"


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
    "INTERVAL": "('\"' || googlesql.string_of_interval({0}) || '\"')",
}


@function("JSON_ARRAY")
def json_array(call: Call) -> Value:
    items = " || ',' || ".join(f"coalesce({to_json_text(value)}, 'null')" for value in call.args) or "''"
    return Value(f"CAST('[' || {items} || ']' AS JSON)", JSON)


@function("JSON_OBJECT")
def json_object(call: Call) -> Value:
    args = call.args
    if len(args) == 2 and args[0].type.name == "ARRAY":
        keys, values = args
        element = values.type.element or NULL
        listed = f"list_transform({values.sql}, lambda x: coalesce({to_json_text(Value('x', element))}, 'null'))"
        return Value(f"googlesql_json_object_of_arrays({keys.sql}, {listed})", JSON)
    if len(args) % 2:
        raise call.no_match([])
    pairs = [
        f"CAST(to_json({key.sql}) AS VARCHAR) || ':' || coalesce({to_json_text(item)}, 'null')"
        for key, item in zip(args[::2], args[1::2], strict=True)
    ]
    joined = " || ',' || ".join(pairs) or "''"
    return Value(f"CAST('{{' || {joined} || '}}' AS JSON)", JSON)


_EDITS = {"JSON_SET": "set", "JSON_ARRAY_INSERT": "insert", "JSON_ARRAY_APPEND": "append"}


@function(*_EDITS)
def edit(call: Call) -> Value:
    call.check_arity(3)
    nodes = [node for node in call.nodes if node.key != "kwarg"]
    options = {
        node.this.name.lower(): call.compiler.value(node.expression).sql for node in call.nodes if node.key == "kwarg"
    }
    target, *rest = [call.compiler.value(node) for node in nodes]
    if target.type != JSON or len(rest) % 2:
        raise call.no_match([])
    paths = ", ".join(path.sql for path in rest[::2])
    items = ", ".join(f"coalesce({to_json_text(item)}, 'null')" for item in rest[1::2])
    flag = options.get("create_if_missing") or options.get("insert_each_element") or "true"
    arrays = ", ".join("true" if item.type.name == "ARRAY" else "false" for item in rest[1::2])
    return Value(
        f"googlesql_json_edit({target.sql}, [{paths}], [{items}], [{arrays}], '{_EDITS[call.name]}', {flag})", JSON
    )


@function("JSON_REMOVE")
def remove(call: Call) -> Value:
    call.check_arity(2)
    paths = ", ".join(path.sql for path in call.args[1:])
    return Value(f"googlesql_json_remove({call.args[0].sql}, [{paths}])", JSON)


@function("JSON_STRIP_NULLS")
def strip_nulls(call: Call) -> Value:
    call.check_arity(1)
    options = {
        node.this.name.lower(): call.compiler.value(node.expression).sql for node in call.nodes if node.key == "kwarg"
    }
    plain = [call.compiler.value(node).sql for node in call.nodes if node.key != "kwarg"]
    path = plain[1] if len(plain) > 1 else "'$'"
    arrays, empty = options.get("include_arrays", "true"), options.get("remove_empty", "false")
    return Value(f"googlesql_json_strip_nulls({plain[0]}, {path}, {arrays}, {empty})", JSON)


signature("JSON_TYPE(JSON) -> STRING", "googlesql_json_type({0})")
signature("JSON_KEYS(JSON) -> ARRAY<STRING>", "googlesql_json_keys({0}, 0)")
signature("JSON_KEYS(JSON, INT64) -> ARRAY<STRING>", "googlesql_json_keys({args})")

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
    call.check_arity(1, 2)
    value = call.compiler.value(call.nodes[0])
    if value.type != JSON:
        raise call.no_match([])
    kind = Type(_SCALARS.get(call.name) or _LAX[call.name])
    mode = "lax" if call.name in _LAX else "strict"
    found = f"googlesql_json_scalar({value.sql}, '{kind}', '{mode}')"
    return Value(f"CAST({found} AS {kind.duck})", kind)
