"""Mathematical functions."""

from tarn_bigquery.sql.compiler import operators
from tarn_bigquery.sql.compiler.functions.registry import Call, alias, function, signature
from tarn_bigquery.sql.compiler.kinds import BIGNUMERIC, FLOAT64, INT64, NUMERIC
from tarn_bigquery.sql.compiler.values import Value, coerced, common_type

for _name in ("SIN", "COS", "TAN", "ASIN", "ATAN", "SINH", "COSH", "TANH", "ASINH", "CBRT"):
    signature(f"{_name}(FLOAT64) -> FLOAT64", f"{_name.lower()}({{0}})")
for _name in ("COT", "COTH", "CSC", "CSCH", "SEC", "SECH", "ACOS", "ACOSH", "ATANH", "LN", "LOG10", "SQRT", "EXP"):
    signature(f"{_name}(FLOAT64) -> FLOAT64", f"googlesql.{_name.lower()}({{0}})")
signature("ATAN2(FLOAT64, FLOAT64) -> FLOAT64", "atan2({args})")
signature("LOG(FLOAT64) -> FLOAT64", "googlesql.ln({0})")
signature("LOG(FLOAT64, FLOAT64) -> FLOAT64", "googlesql.log({args})")
signature("PI() -> FLOAT64", "pi()")
signature("POW(FLOAT64, FLOAT64) -> FLOAT64", "googlesql.pow({args})")
signature(
    "POW(NUMERIC, NUMERIC) -> NUMERIC", "CAST(googlesql.pow(CAST({0} AS DOUBLE), CAST({1} AS DOUBLE)) AS DECIMAL(38,9))"
)
signature("IEEE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64", "({0} / {1})")
signature("IS_INF(FLOAT64) -> BOOL", "isinf({0})")
signature("IS_NAN(FLOAT64) -> BOOL", "isnan({0})")
signature("DIV(INT64, INT64) -> INT64", "googlesql.div({args})")
signature("DIV(NUMERIC, NUMERIC) -> NUMERIC", "trunc(googlesql.numeric_divide({args}))::DECIMAL(38,9)")
signature("MOD(INT64, INT64) -> INT64", "googlesql.mod({args})")
signature("MOD(NUMERIC, NUMERIC) -> NUMERIC", "googlesql.mod({args})")
signature("MOD(BIGNUMERIC, BIGNUMERIC) -> BIGNUMERIC", "googlesql.mod({args})")
signature("ABS(N) -> N", "abs({0})")
signature("SIGN(INT64) -> INT64", "CAST(sign({0}) AS BIGINT)")
signature("SIGN(FLOAT64) -> FLOAT64", "googlesql.sign({0})")
signature("SIGN(NUMERIC) -> NUMERIC", "CAST(sign({0}) AS DECIMAL(38,9))")
signature("SIGN(BIGNUMERIC) -> BIGNUMERIC", "CAST(sign({0}) AS DECIMAL(38,18))")
signature("RANGE_BUCKET(T, ARRAY<T>) -> INT64", "googlesql.range_bucket({args})")
signature("BIT_COUNT(INT64) -> INT64", "CAST(bit_count({0}) AS BIGINT)")
signature("BIT_COUNT(BYTES) -> INT64", "googlesql_bytes_bit_count({0})")
signature("PARSE_NUMERIC(STRING) -> NUMERIC", "googlesql_parse_numeric({0})")
signature("PARSE_BIGNUMERIC(STRING) -> BIGNUMERIC", "googlesql_parse_bignumeric({0})")
signature("COSINE_DISTANCE(ARRAY<FLOAT64>, ARRAY<FLOAT64>) -> FLOAT64", "list_cosine_distance({args})")
signature("EUCLIDEAN_DISTANCE(ARRAY<FLOAT64>, ARRAY<FLOAT64>) -> FLOAT64", "list_distance({args})")
alias("POW", "POWER")

_ROUNDING = {"ROUND": "round", "TRUNC": "trunc", "CEIL": "ceil", "CEILING": "ceil", "FLOOR": "floor"}


@function(*_ROUNDING)
def rounded(call: Call) -> Value:
    call.check_arity(1, 3 if call.name == "ROUND" else 2 if call.name == "TRUNC" else 1)
    value = call.args[0]
    if not value.type.is_numeric:
        value = coerced(value, FLOAT64)
    kind = FLOAT64 if value.type == INT64 else value.type
    number = coerced(value, kind).sql
    digits = coerced(call.args[1], INT64).sql if len(call.args) > 1 else ""
    if len(call.args) > 2:
        return Value(f"googlesql.round_mode({number}, {digits}, {call.args[2].sql})", kind)
    native = _ROUNDING[call.name]
    if kind == FLOAT64:
        return Value(f"{native}({number}, CAST({digits} AS INTEGER))" if digits else f"{native}({number})", kind)
    if not digits:
        return Value(f"CAST({native}({number}) AS {kind.duck})", kind)
    name = f"{'numeric' if kind == NUMERIC else 'bignumeric'}_{native}"
    return Value(f"googlesql.{name}({number}, {digits})", kind)


_SAFE = {
    "SAFE_ADD": operators.add,
    "SAFE_SUBTRACT": operators.subtract,
    "SAFE_MULTIPLY": operators.multiply,
}


@function(*_SAFE)
def safe_arithmetic(call: Call) -> Value:
    call.check_arity(2, 2)
    result = _SAFE[call.name](call.compiler.env, call.node, *call.args)
    return Value(f"TRY({result.sql})", result.type)


@function("SAFE_NEGATE")
def safe_negate(call: Call) -> Value:
    call.check_arity(1, 1)
    result = operators.negate(call.compiler.env, call.node, call.args[0])
    return Value(f"TRY({result.sql})", result.type)


@function("SAFE_DIVIDE")
def safe_divide(call: Call) -> Value:
    call.check_arity(2, 2)
    kind = common_type(call.args)
    if kind in {NUMERIC, BIGNUMERIC}:
        result = operators.divide(call.compiler.env, call.node, *call.args)
        return Value(f"TRY({result.sql})", result.type)
    one, other = (coerced(value, FLOAT64).sql for value in call.args)
    return Value(f"({one} / nullif({other}, 0))", FLOAT64)
