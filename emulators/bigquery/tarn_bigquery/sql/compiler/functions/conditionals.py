"""Functions about NULL and about errors."""

from sqlglot import exp

from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import BOOL, INT64, NULL, STRING
from tarn_bigquery.sql.compiler.operators import compare
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.values import Value, coerce, coerced, common_type, null, settled

signature("COALESCE(T, ...) -> T", "coalesce({args})")
signature("IFNULL(T, T) -> T", "coalesce({args})")
signature("GREATEST(T, ...) -> T", "googlesql.greatest([{args}])")
signature("LEAST(FLOAT64, ...) -> FLOAT64", "googlesql.least_float([{args}])")
signature("LEAST(T, ...) -> T", "googlesql.least([{args}])")
signature("SESSION_USER() -> STRING", "'local@tarn.invalid'")
signature("GENERATE_UUID() -> STRING", "CAST(uuid() AS VARCHAR)")
signature("RAND() -> FLOAT64", "random()")
signature("SESSION_ID() -> STRING", "''")


@function("NULLIF")
def nullif(call: Call) -> Value:
    call.check_arity(2, 2)
    left, right = call.args
    kind = common_type([left, right])
    if kind is None:
        raise call.no_match([])
    kind = INT64 if kind == NULL else kind
    return Value(f"nullif({coerced(left, kind).sql}, {coerced(right, kind).sql})", kind)


@function("IF")
def choose(call: Call) -> Value:
    call.check_arity(3, 3)
    condition = coerce(call.args[0], BOOL)
    kind = common_type(call.args[1:])
    if condition is None or kind is None:
        raise call.no_match([])
    yes, no = (coerced(value, kind).sql for value in call.args[1:])
    return Value(f"(CASE WHEN {condition.sql} THEN {yes} ELSE {no} END)", kind)


@function("IFERROR")
def iferror(call: Call) -> Value:
    call.check_arity(2, 2)
    kind = common_type(call.args)
    if kind is None:
        raise call.no_match([])
    tried, other = (coerced(value, kind).sql for value in call.args)
    return Value(f"coalesce(TRY({tried}), {other})", kind)


@function("NULLIFERROR")
def nulliferror(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"TRY({call.args[0].sql})", call.args[0].type)


@function("ISERROR")
def iserror(call: Call) -> Value:
    call.check_arity(1, 1)
    return Value(f"(TRY(struct_pack(v := {call.args[0].sql})) IS NULL)", BOOL)


@function("ERROR")
def error(call: Call) -> Value:
    call.check_arity(1, 1)
    message = coerce(call.args[0], STRING)
    if message is None:
        raise call.no_match([])
    # The type NULL makes the call fit anywhere, as BigQuery's does.
    return Value(f"googlesql.raise_string({message.sql})", NULL)


@function("WITH")
def with_variables(call: Call) -> Value:
    """`WITH(a AS x, b AS y, result)`: each variable sees those before it."""
    compiler = call.compiler
    *variables, result = call.nodes
    for variable in variables:
        if not isinstance(variable, exp.Alias):
            raise call.wrong("Syntax error: Every argument of WITH but the last must be of the form name AS expression")
        value = compiler.value(variable.this)
        known = {variable.alias.lower(): Value(value.sql, value.type)}
        compiler = type(compiler)(Scope(values=known, outer=compiler.scope), compiler.env)
    return compiler.value(result)


@function("ZEROIFNULL")
def zeroifnull(call: Call) -> Value:
    call.check_arity(1, 1)
    value = settled(call.args[0])
    return Value(f"coalesce({value.sql}, 0)", value.type)


@function("NULLIFZERO")
def nullifzero(call: Call) -> Value:
    call.check_arity(1, 1)
    zero = compare(call.compiler.env, call.node, "=", call.args[0], Value("0", INT64, 0)).sql
    return Value(f"(CASE WHEN NOT {zero} THEN {call.args[0].sql} END)", call.args[0].type)


@function("TYPEOF")
def typeof(call: Call) -> Value:
    call.check_arity(1, 1)
    kind = str(INT64 if call.args[0].type == NULL else call.args[0].type)
    return Value("'" + kind + "'", STRING, kind)


@function("COLLATE")
def collate(call: Call) -> Value:
    call.check_arity(2, 2)
    value, collation = call.args
    if collation.literal not in {"und:ci", "binary", ""}:
        raise call.wrong(f"COLLATE has invalid collation name '{collation.literal}'")
    value = null(STRING) if value.type == NULL else value
    return Value(f"({value.sql} COLLATE NOCASE)" if collation.literal == "und:ci" else value.sql, STRING)
