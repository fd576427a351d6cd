"""Mathematical functions."""

from tarn_bigquery.sql.compiler import operators
from tarn_bigquery.sql.compiler.functions.registry import Call, alias, function, signature
from tarn_bigquery.sql.compiler.kinds import BIGNUMERIC, FLOAT64, INT64, NUMERIC, STRING, Type, array_of, struct_of
from tarn_bigquery.sql.compiler.values import Value, coerce, coerced, common_type

for _name in ("SIN", "COS", "TAN", "ATAN", "TANH", "ASINH"):
    signature(f"{_name}(FLOAT64) -> FLOAT64", f"{_name.lower()}({{0}})")
for _name in (
    "ASIN",
    "SINH",
    "COSH",
    "COT",
    "COTH",
    "CSC",
    "CSCH",
    "SEC",
    "SECH",
    "ACOS",
    "ACOSH",
    "ATANH",
    "LN",
    "LOG10",
    "SQRT",
    "CBRT",
    "EXP",
):
    signature(f"{_name}(FLOAT64) -> FLOAT64", f"googlesql.{_name.lower()}({{0}})")
signature("ATAN2(FLOAT64, FLOAT64) -> FLOAT64", "atan2({args})")
signature("LOG(FLOAT64) -> FLOAT64", "googlesql.ln({0})")
signature("LOG(FLOAT64, FLOAT64) -> FLOAT64", "googlesql.log({args})")
signature("PI() -> FLOAT64", "pi()")
signature("POW(FLOAT64, FLOAT64) -> FLOAT64", "googlesql.pow({args})")
for _kind in (NUMERIC, BIGNUMERIC):
    for _name in ("SQRT", "CBRT", "EXP", "LN", "LOG10"):
        signature(f"{_name}({_kind}) -> {_kind}", f"CAST(googlesql_decimal_{_name.lower()}({{0}}) AS {_kind.duck})")
    signature(f"LOG({_kind}) -> {_kind}", f"CAST(googlesql_decimal_ln({{0}}) AS {_kind.duck})")
    signature(f"LOG({_kind}, {_kind}) -> {_kind}", f"CAST(googlesql_decimal_log({{args}}) AS {_kind.duck})")
    signature(f"POW({_kind}, {_kind}) -> {_kind}", f"CAST(googlesql_decimal_pow({{args}}) AS {_kind.duck})")
signature("IEEE_DIVIDE(FLOAT64, FLOAT64) -> FLOAT64", "({0} / {1})")
signature("IS_INF(FLOAT64) -> BOOL", "isinf({0})")
signature("IS_NAN(FLOAT64) -> BOOL", "isnan({0})")
signature("DIV(INT64, INT64) -> INT64", "googlesql.div({args})")
signature("DIV(NUMERIC, NUMERIC) -> NUMERIC", "trunc(googlesql.numeric_divide({args}))::DECIMAL(38,9)")
signature("DIV(BIGNUMERIC, BIGNUMERIC) -> BIGNUMERIC", "trunc(googlesql.bignumeric_divide({args}))::DECIMAL(38,18)")
signature("MOD(INT64, INT64) -> INT64", "googlesql.mod({args})")
signature("MOD(NUMERIC, NUMERIC) -> NUMERIC", "googlesql.mod({args})")
signature("MOD(BIGNUMERIC, BIGNUMERIC) -> BIGNUMERIC", "googlesql.mod({args})")
signature("ABS(N) -> N", "abs({0})")
signature("SIGN(INT64) -> INT64", "CAST(sign({0}) AS BIGINT)")
signature("SIGN(FLOAT64) -> FLOAT64", "googlesql.sign({0})")
signature("SIGN(NUMERIC) -> NUMERIC", "CAST(sign({0}) AS DECIMAL(38,9))")
signature("SIGN(BIGNUMERIC) -> BIGNUMERIC", "CAST(sign({0}) AS DECIMAL(38,18))")
signature("RANGE_BUCKET(FLOAT64, ARRAY<FLOAT64>) -> INT64", "googlesql.range_bucket(nullif({0}, 'nan'::DOUBLE), {1})")
signature("RANGE_BUCKET(T, ARRAY<T>) -> INT64", "googlesql.range_bucket({args})")
signature("BIT_COUNT(INT64) -> INT64", "CAST(bit_count({0}) AS BIGINT)")
signature("BIT_COUNT(BYTES) -> INT64", "googlesql_bytes_bit_count({0})")
signature("PARSE_NUMERIC(STRING) -> NUMERIC", "googlesql_parse_numeric({0})")
signature("PARSE_BIGNUMERIC(STRING) -> BIGNUMERIC", "googlesql_parse_bignumeric({0})")
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


_DISTANCES = ("COSINE_DISTANCE", "EUCLIDEAN_DISTANCE")


@function(*_DISTANCES)
def distance(call: Call) -> Value:
    """The distance of two vectors, dense or sparse: an array of numbers, or one of dimensions and numbers."""
    call.check_arity(2, 2)
    vectors = [_vector(call, value) for value in call.args]
    dense = array_of(FLOAT64)
    if {kind for _, kind in vectors} == {dense}:
        return Value(f"googlesql_{call.name.lower()}({vectors[0][0]}, {vectors[1][0]})", FLOAT64)
    if vectors[0][1] != vectors[1][1]:
        raise call.no_match([])
    keys, numbers = zip(*(_sparse(sql) for sql, _ in vectors), strict=True)
    listed = f"googlesql_aligned({keys[0]}, {numbers[0]}, {keys[1]}, {numbers[1]}, {{side}})"
    one, other = (listed.format(side=side) for side in (0, 1))
    return Value(f"googlesql_{call.name.lower()}({one}, {other})", FLOAT64)


def _vector(call: Call, value: Value) -> tuple[str, Type]:
    dense = array_of(FLOAT64)
    converted = coerce(value, dense)
    if converted is not None:
        return converted.sql, dense
    for key in (INT64, STRING):
        kind = array_of(struct_of([("", key), ("", FLOAT64)]))
        converted = coerce(value, kind)
        if converted is not None:
            return converted.sql, kind
    raise call.no_match([])


def _sparse(sql: str) -> tuple[str, str]:
    return (
        f"list_transform({sql}, lambda p: CAST(p._field_1 AS VARCHAR))",
        f"list_transform({sql}, lambda p: p._field_2)",
    )


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
