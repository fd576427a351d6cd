"""Functions of arrays."""

from sqlglot import exp

from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, DATE, FLOAT64, INT64, INTERVAL, TIMESTAMP, Type, array_of
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.values import Value, coerce

signature("ARRAY_LENGTH(ARRAY<T>) -> INT64", "CAST(len({0}) AS BIGINT)")
signature("ARRAY_REVERSE(ARRAY<T>) -> ARRAY<T>", "list_reverse({0})")
signature("ARRAY_CONCAT(ARRAY<T>, ...) -> ARRAY<T>", "googlesql.array_concat_all([{args}])")
signature("ARRAY_FIRST(ARRAY<T>) -> T", "googlesql.array_first({0})")
signature("ARRAY_LAST(ARRAY<T>) -> T", "googlesql.array_last({0})")
signature("ARRAY_SLICE(ARRAY<T>, INT64, INT64) -> ARRAY<T>", "googlesql.array_slice({args})")
signature("ARRAY_INCLUDES(ARRAY<T>, T) -> BOOL", "list_contains({args})")
signature("ARRAY_INCLUDES_ANY(ARRAY<T>, ARRAY<T>) -> BOOL", "list_has_any({args})")
signature("ARRAY_INCLUDES_ALL(ARRAY<T>, ARRAY<T>) -> BOOL", "list_has_all({args})")
signature("ARRAY_IS_DISTINCT(ARRAY<T>) -> BOOL", "googlesql.array_is_distinct({0})")
signature("ARRAY_MIN(ARRAY<T>) -> T", "list_min({0})")
signature("ARRAY_MAX(ARRAY<T>) -> T", "list_max({0})")
signature("ARRAY_TO_STRING(ARRAY<STRING>, STRING) -> STRING", "googlesql.array_to_string({args})")
signature("ARRAY_TO_STRING(ARRAY<STRING>, STRING, STRING) -> STRING", "googlesql.array_to_string({args})")
signature("ARRAY_TO_STRING(ARRAY<BYTES>, BYTES) -> BYTES", "googlesql_bytes_join({args})")
signature("GENERATE_ARRAY(INT64, INT64, [INT64]) -> ARRAY<INT64>", "googlesql.generate_array({args})")
signature("GENERATE_ARRAY(NUMERIC, NUMERIC, [NUMERIC]) -> ARRAY<NUMERIC>", "googlesql.generate_numeric_array({args})")
signature("GENERATE_ARRAY(FLOAT64, FLOAT64, [FLOAT64]) -> ARRAY<FLOAT64>", "googlesql.generate_float_array({args})")
signature("FLATTEN(ARRAY<T>) -> T", "flatten({0})")


@function("ARRAY_SUM", "ARRAY_AVG")
def reduce_array(call: Call) -> Value:
    call.check_arity(1, 1)
    element = call.args[0].type.element
    if element is None or not element.is_numeric:
        raise call.no_match([])
    if call.name == "ARRAY_SUM":
        return Value(f"CAST(list_sum({call.args[0].sql}) AS {element.duck})", element)
    kind = FLOAT64 if element == INT64 else element
    return Value(f"CAST(list_avg({call.args[0].sql}) AS {kind.duck})", kind)


@function("GENERATE_DATE_ARRAY")
def generate_date_array(call: Call) -> Value:
    call.check_arity(2, 3)
    start, end = (_as(call, i, DATE).sql for i in (0, 1))
    step = _as(call, 2, INTERVAL).sql if len(call.nodes) > 2 else "INTERVAL 1 DAY"
    return Value(f"googlesql.generate_date_array({start}, {end}, {step})", array_of(DATE))


@function("GENERATE_TIMESTAMP_ARRAY")
def generate_timestamp_array(call: Call) -> Value:
    call.check_arity(3, 3)
    start, end, step = _as(call, 0, TIMESTAMP).sql, _as(call, 1, TIMESTAMP).sql, _as(call, 2, INTERVAL).sql
    return Value(f"googlesql.generate_timestamp_array({start}, {end}, {step})", array_of(TIMESTAMP))


@function("STRUCT")
def struct_call(call: Call) -> Value:
    return call.compiler.value(exp.Struct(expressions=call.nodes))


@function("ARRAY_TRANSFORM", "ARRAY_FILTER")
def with_lambda(call: Call) -> Value:
    """`e -> ...`, or `(e, i) -> ...` with the place that an element has, counted from 0."""
    call.check_arity(2, 2)
    items, function_node = call.compiler.value(call.nodes[0]), call.nodes[1]
    element = items.type.element
    if element is None or not isinstance(function_node, exp.Lambda):
        raise call.wrong(f"{call.name} needs an array and a lambda")
    names = [argument.name for argument in function_node.expressions]
    known = dict(zip((name.lower() for name in names), (Value("e", element), Value("(i - 1)", INT64)), strict=False))
    inner = type(call.compiler)(Scope(values=known, outer=call.compiler.scope), call.compiler.env)
    result = inner.value(function_node.this)
    head = ", ".join(("e", "i")[: len(names)])
    if call.name == "ARRAY_TRANSFORM":
        return Value(f"list_transform({items.sql}, lambda {head}: {result.sql})", array_of(result.type))
    if result.type != BOOL:
        raise call.wrong("The lambda of ARRAY_FILTER must return BOOL")
    return Value(f"list_filter({items.sql}, lambda {head}: {result.sql})", items.type)


def _as(call: Call, index: int, kind: Type) -> Value:
    value = coerce(call.args[index], kind)
    if value is None:
        raise call.no_match([])
    return value
