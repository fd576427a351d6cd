"""Aggregate functions. Every one may be over a window; DuckDB's types are brought back to BigQuery's."""

from sqlglot import exp

from tarn_bigquery.sql.compiler.functions.registry import FUNCTIONS, Call, function
from tarn_bigquery.sql.compiler.kinds import (
    BIGNUMERIC,
    BOOL,
    BYTES,
    FLOAT64,
    INT64,
    INTERVAL,
    NULL,
    NUMERIC,
    STRING,
    Type,
    array_of,
    struct_of,
)
from tarn_bigquery.sql.compiler.values import Value, coerce, null, settled

# The mark in the `meta` of a call of a user's own aggregate function.
AGGREGATE = "aggregate"


def is_aggregate(call: exp.Expr) -> bool:
    """Whether a call is that of an aggregate function."""
    if call.meta_get(AGGREGATE):
        return True
    handler = FUNCTIONS.get(call.name.upper())
    return handler is not None and getattr(handler, "__module__", "") == __name__


@function("COUNT")
def count(call: Call) -> Value:
    node = call.nodes[0] if call.nodes else None
    if node is None or node.is_star:
        return Value(call.aggregate("count(*)"), INT64)
    return Value(call.aggregate(f"count({call.distinct}{call.args[0].sql})"), INT64)


@function("COUNTIF")
def countif(call: Call) -> Value:
    call.check_arity(1, 1)
    condition = _as(call, 0, BOOL).sql
    if call.modifiers.distinct:
        return Value(call.aggregate(f"count(DISTINCT CASE WHEN {condition} THEN TRUE END)"), INT64)
    return Value(call.aggregate("count(*)", condition), INT64)


@function("SUM")
def total(call: Call) -> Value:
    call.check_arity(1, 1)
    value = settled(call.args[0])
    if not value.type.is_numeric and value.type != INTERVAL:
        raise call.no_match([])
    if value.type == INTERVAL:
        parts = (f"googlesql.interval_{part}({value.sql})" for part in ("months", "day", "us"))
        sums = ", ".join(f"CAST({call.aggregate(f'sum({part})')} AS BIGINT)" for part in parts)
        return Value(f"googlesql.make_interval({sums})", INTERVAL)
    summed = call.aggregate(f"sum({call.distinct}{value.sql})")
    # DuckDB adds integers up to a HUGEINT; the cast raises where BigQuery's sum overflows.
    return Value(f"CAST({summed} AS BIGINT)" if value.type == INT64 else summed, value.type)


@function("AVG")
def average(call: Call) -> Value:
    call.check_arity(1, 1)
    value = settled(call.args[0])
    if value.type == INTERVAL:
        return Value(f"googlesql.interval_divide({total(call).sql}, {call.aggregate(f'count({value.sql})')})", INTERVAL)
    if value.type in {INT64, FLOAT64}:
        return Value(call.aggregate(f"avg({call.distinct}{value.sql})"), FLOAT64)
    if value.type not in {NUMERIC, BIGNUMERIC}:
        raise call.no_match([])
    summed = call.aggregate(f"sum({call.distinct}{value.sql})")
    counted = call.aggregate(f"count({call.distinct}{value.sql})")
    name = "numeric_divide" if value.type == NUMERIC else "bignumeric_divide"
    return Value(f"googlesql.{name}({summed}, CAST(nullif({counted}, 0) AS {value.type.duck}))", value.type)


@function("MIN", "MAX")
def extreme(call: Call) -> Value:
    call.check_arity(1, 1)
    value = settled(call.args[0])
    if value.type.name in {"STRUCT", "JSON", "ARRAY"}:
        raise call.wrong(f"{call.name} is not defined for arguments of type {value.type}")
    if call.name == "MIN" and value.type == FLOAT64:
        # NaN is the largest number to DuckDB, and what comes of any aggregation that meets it to BigQuery.
        most, least = call.aggregate(f"max({value.sql})"), call.aggregate(f"min({value.sql})")
        return Value(f"(CASE WHEN isnan({most}) THEN {most} ELSE {least} END)", FLOAT64)
    return Value(call.aggregate(f"{call.name.lower()}({value.sql})"), value.type)


@function("ANY_VALUE")
def any_value(call: Call) -> Value:
    value = settled(call.args[0])
    having = call.modifiers.having
    if having is not None:
        by = call.compiler.value(having.expression).sql
        name = "arg_max" if having.args.get("max") else "arg_min"
        return Value(call.aggregate(f"{name}({value.sql}, {by})"), value.type)
    return Value(call.aggregate(f"first({value.sql}{call.order})"), value.type)


@function("MAX_BY", "MIN_BY")
def extreme_by(call: Call) -> Value:
    call.check_arity(2, 2)
    value, by = settled(call.args[0]), call.args[1]
    return Value(call.aggregate(f"{call.name.lower()}({value.sql}, {by.sql})"), value.type)


@function("LOGICAL_AND", "LOGICAL_OR")
def logical(call: Call) -> Value:
    call.check_arity(1, 1)
    name = "bool_and" if call.name == "LOGICAL_AND" else "bool_or"
    return Value(call.aggregate(f"{name}({_as(call, 0, BOOL).sql})"), BOOL)


@function("BIT_AND", "BIT_OR", "BIT_XOR")
def bits(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(call.aggregate(f"{call.name.lower()}({call.distinct}{_as(call, 0, INT64).sql})"), INT64)


_MOMENTS = {
    "STDDEV": "stddev_samp",
    "STDDEV_SAMP": "stddev_samp",
    "STDDEV_POP": "stddev_pop",
    "VARIANCE": "var_samp",
    "VAR_SAMP": "var_samp",
    "VAR_POP": "var_pop",
    "CORR": "corr",
    "COVAR_POP": "covar_pop",
    "COVAR_SAMP": "covar_samp",
}


@function(*_MOMENTS)
def moments(call: Call) -> Value:
    wanted = 2 if call.name.startswith("CO") else 1
    call.check_arity(wanted, wanted)
    args = ", ".join(_as(call, i, FLOAT64).sql for i in range(wanted))
    return Value(call.aggregate(f"{_MOMENTS[call.name]}({call.distinct}{args})"), FLOAT64)


@function("ARRAY_AGG")
def array_agg(call: Call) -> Value:
    call.check_arity(1, 1)
    value = settled(call.args[0])
    if value.type.name == "ARRAY":
        raise call.wrong("The argument to ARRAY_AGG must not be an array type but was " + str(value.type))
    where = f"{value.sql} IS NOT NULL" if call.modifiers.nulls == "IGNORE" else None
    listed = call.aggregate(f"list({call.distinct}{value.sql}{call.order})", where)
    return Value(_first(call, listed), array_of(value.type))


@function("ARRAY_CONCAT_AGG")
def array_concat_agg(call: Call) -> Value:
    call.check_arity(1, 1)
    value = call.args[0]
    if value.type.name != "ARRAY":
        raise call.no_match([])
    listed = call.aggregate(f"list({value.sql}{call.order})", f"{value.sql} IS NOT NULL")
    return Value(f"flatten({_first(call, listed)})", value.type)


@function("STRING_AGG")
def string_agg(call: Call) -> Value:
    call.check_arity(1, 2)
    value = null(STRING) if call.args[0].type == NULL else call.args[0]
    if value.type not in {STRING, BYTES}:
        raise call.no_match([])
    separator = call.args[1].sql if len(call.args) > 1 else "','" if value.type == STRING else "','::BLOB"
    listed = call.aggregate(f"list({call.distinct}{value.sql}{call.order})", f"{value.sql} IS NOT NULL")
    if value.type == BYTES:
        return Value(f"googlesql_bytes_join({_first(call, listed)}, {separator})", BYTES)
    return Value(f"array_to_string({_first(call, listed)}, {separator})", STRING)


@function("APPROX_COUNT_DISTINCT")
def approx_count_distinct(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(call.aggregate(f"count(DISTINCT {call.args[0].sql})"), INT64)


@function("APPROX_QUANTILES")
def approx_quantiles(call: Call) -> Value:
    call.check_arity(2, 2)
    value, parts = settled(call.args[0]), int(call.args[1].literal or 1)
    where = None if call.modifiers.nulls == "RESPECT" else f"{value.sql} IS NOT NULL"
    listed = call.aggregate(f"list({call.distinct}{value.sql} ORDER BY {value.sql})", where)
    return Value(f"googlesql.quantiles({listed}, {parts})", array_of(value.type))


@function("APPROX_TOP_COUNT")
def approx_top_count(call: Call) -> Value:
    call.check_arity(2, 2)
    value, size = settled(call.args[0]), _as(call, 1, INT64).sql
    listed = call.aggregate(f"histogram({value.sql})")
    nulls = call.aggregate("count(*)", f"{value.sql} IS NULL")
    kind = array_of(struct_of([("value", value.type), ("count", INT64)]))
    return Value(f"CAST(googlesql.top_count({listed}, {nulls}, {size}) AS {kind.duck})", kind)


@function("APPROX_TOP_SUM")
def approx_top_sum(call: Call) -> Value:
    call.check_arity(3, 3)
    value, weight, size = settled(call.args[0]), call.args[1], _as(call, 2, INT64).sql
    packed = f'struct_pack(value := {value.sql}, "sum" := {weight.sql})'
    kind = array_of(struct_of([("value", value.type), ("sum", weight.type)]))
    return Value(f"CAST(googlesql.top_sum({call.aggregate(f'list({packed})')}, {size}) AS {kind.duck})", kind)


_LEAST_PRECISION, _MOST_PRECISION = 10, 24


# The sketch is the sorted list of the distinct values' texts. It merges and counts exactly, and is no HLL++ sketch.
@function("HLL_COUNT.INIT")
def hll_init(call: Call) -> Value:
    call.check_arity(1, 2)
    value = call.args[0].sql
    precision = call.args[1].literal if len(call.args) > 1 else _LEAST_PRECISION
    if not isinstance(precision, int) or not _LEAST_PRECISION <= precision <= _MOST_PRECISION:
        raise call.wrong(f"The precision of HLL_COUNT.INIT must be between {_LEAST_PRECISION} and {_MOST_PRECISION}")
    listed = call.aggregate(f"list(DISTINCT CAST({value} AS VARCHAR))", f"{value} IS NOT NULL")
    return Value(f"googlesql.hll_pack({listed})", BYTES)


@function("HLL_COUNT.MERGE")
def hll_merge(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"googlesql.hll_count(googlesql.hll_merge({_sketches(call)}))", INT64)


@function("HLL_COUNT.MERGE_PARTIAL")
def hll_merge_partial(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"googlesql.hll_merge({_sketches(call)})", BYTES)


@function("HLL_COUNT.EXTRACT")
def hll_extract(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"googlesql.hll_count({_as(call, 0, BYTES).sql})", INT64)


@function("GROUPING")
def grouping(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"grouping({call.args[0].sql})", INT64)


def _sketches(call: Call) -> str:
    return call.aggregate(f"list({_as(call, 0, BYTES).sql})")


def _first(call: Call, listed: str) -> str:
    """The list held to the call's LIMIT."""
    limit = call.modifiers.limit
    return f"({listed})[1:{call.compiler.sql(limit, INT64)}]" if limit is not None else listed


def _as(call: Call, index: int, kind: Type) -> Value:
    value = coerce(call.args[index], kind)
    if value is None:
        raise call.no_match([])
    return value
