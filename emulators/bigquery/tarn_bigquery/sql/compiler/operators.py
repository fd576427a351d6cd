"""Operators, by the types of what they stand between."""

from sqlglot import exp

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler import mismatches
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.kinds import (
    BIGNUMERIC,
    BOOL,
    BYTES,
    DATETIME,
    FLOAT64,
    INT64,
    INTERVAL,
    NULL,
    NUMERIC,
    STRING,
    Type,
    named_fields,
)
from tarn_bigquery.sql.compiler.values import MACRO, Value, coerce, coerced, common_type, once, text

_MOMENTS = {"DATE", "DATETIME", "TIMESTAMP"}


def add(env: Environment, node: exp.Expr, left: Value, right: Value) -> Value:
    if (number := _arithmetic("+", left, right)) is not None:
        return number
    if left.type == INT64 and right.type.name == "DATE":
        left, right = right, left
    if left.type == INTERVAL and right.type.name in _MOMENTS:
        left, right = right, left
    if (moved := _move("+", left, right)) is not None:
        return moved
    raise no_operator(env, node, "+", left, right)


def subtract(env: Environment, node: exp.Expr, left: Value, right: Value) -> Value:
    if (number := _arithmetic("-", left, right)) is not None:
        return number
    if (moved := _move("-", left, right)) is not None:
        return moved
    kind = common_type([left, right])
    if kind is not None and kind.name == "DATE":
        return Value(f"to_days(CAST(date_diff('day', {right.sql}, {left.sql}) AS INTEGER))", INTERVAL)
    if kind is not None and kind.name in {"DATETIME", "TIMESTAMP"}:
        one, other = coerced(left, kind).sql, coerced(right, kind).sql
        return Value(f"to_microseconds(epoch_us({one}) - epoch_us({other}))", INTERVAL)
    raise no_operator(env, node, "-", left, right)


def multiply(env: Environment, node: exp.Expr, left: Value, right: Value) -> Value:
    if (number := _arithmetic("*", left, right)) is not None:
        return number
    if left.type == INT64 and right.type == INTERVAL:
        left, right = right, left
    if left.type == INTERVAL and right.type == INT64:
        return Value(f"({left.sql} * {right.sql})", INTERVAL)
    raise no_operator(env, node, "*", left, right)


def divide(env: Environment, node: exp.Expr, left: Value, right: Value) -> Value:
    if left.type == INTERVAL and right.type == INT64:
        return Value(f"googlesql.interval_divide({left.sql}, {right.sql})", INTERVAL)
    kind = _numeric_type(left, right)
    if kind is None:
        raise no_operator(env, node, "/", left, right)
    if kind in {INT64, FLOAT64}:
        return _divide_floats(left, right)
    name = "numeric_divide" if kind == NUMERIC else "bignumeric_divide"
    return Value(once(f"googlesql.{name}({{0}}, {{1}})", coerced(left, kind).sql, coerced(right, kind).sql), kind)


def _divide_floats(left: Value, right: Value) -> Value:
    one, other = coerced(left, FLOAT64).sql, coerced(right, FLOAT64).sql
    if isinstance(right.literal, int | float) and abs(right.literal) >= 1:
        return Value(f"({one} / {other})", FLOAT64)
    name = "divide_in_range" if _is_plain(left, right) else "divide"
    return Value(once(f"googlesql.{name}({{0}}, {{1}})", left.sql, right.sql), FLOAT64)


def _arithmetic(symbol: str, left: Value, right: Value) -> Value | None:
    kind = _numeric_type(left, right)
    if kind is None:
        return None
    if kind == INT64:
        return Value(f"({coerced(left, kind).sql} {symbol} {coerced(right, kind).sql})", kind)
    if kind == FLOAT64:
        return _float_arithmetic(symbol, coerced(left, kind), coerced(right, kind))
    if symbol == "*":
        return _multiply_decimals(kind, left, right)
    if kind == BIGNUMERIC:
        sign = "" if symbol == "+" else "-"
        return Value(
            once(f"googlesql.bignumeric_add({{0}}, {sign}{{1}})", *(coerced(v, kind).sql for v in (left, right))), kind
        )
    return Value(f"({coerced(left, kind).sql} {symbol} {coerced(right, kind).sql})", kind)


# A constant of this size or less cannot make a sum overflow, nor one of 1 or less a product.
_HARMLESS = {"+": 1e15, "-": 1e15, "*": 1.0}


def _float_arithmetic(symbol: str, left: Value, right: Value) -> Value:
    sql = f"({left.sql} {symbol} {right.sql})"
    constants = [value.literal for value in (left, right) if isinstance(value.literal, int | float)]
    if any(abs(constant) <= _HARMLESS[symbol] for constant in constants) or not _is_plain(left, right):
        return Value(sql, FLOAT64)
    return Value(f"googlesql.finite({sql}, {left.sql}, {right.sql}, ' {symbol} ')", FLOAT64)


def _is_plain(*operands: Value) -> bool:
    """Whether these may be named again and again: an overflow is looked for only where that costs little."""
    return not any(MACRO in operand.sql for operand in operands)


def _multiply_decimals(kind: Type, left: Value, right: Value) -> Value:
    # DuckDB multiplies an integer by a decimal without widening the scale, so integers stay as they are.
    one, other = (v.sql if v.type == INT64 else coerced(v, kind).sql for v in (left, right))
    if INT64 in {left.type, right.type}:
        return Value(f"CAST({one} * {other} AS {kind.duck})", kind)
    if kind == NUMERIC:
        return Value(once("googlesql.numeric_multiply({0}, {1})", one, other), kind)
    return Value(f"googlesql_bignumeric_multiply({one}, {other})", kind)


def _numeric_type(left: Value, right: Value) -> Type | None:
    kind = common_type([left, right])
    if kind == NULL:
        return INT64
    return kind if kind is not None and kind.is_numeric else None


def _move(symbol: str, left: Value, right: Value) -> Value | None:
    """A date moved by days, or a moment by an interval."""
    if left.type.name == "DATE" and right.type == INT64:
        return Value(f"({left.sql} {symbol} CAST({right.sql} AS INTEGER))", left.type)
    if right.type != INTERVAL:
        return None
    if left.type == INTERVAL:
        return Value(f"({left.sql} {symbol} {right.sql})", INTERVAL)
    if left.type.name == "DATE":
        return Value(f"(CAST({left.sql} AS TIMESTAMP) {symbol} {right.sql})", DATETIME)
    if left.type.name in _MOMENTS:
        return Value(f"({left.sql} {symbol} {right.sql})", left.type)
    return None


def negate(env: Environment, node: exp.Expr, value: Value) -> Value:
    if value.type == NULL:
        return Value("CAST(NULL AS BIGINT)", INT64)
    if not value.type.is_numeric and value.type != INTERVAL:
        raise env.wrong(f"No matching signature for operator - for argument types: {value.type}", node)
    literal = -value.literal if isinstance(value.literal, int | float) else None
    if value.type == INT64:
        # DuckDB widens what it negates where it knows the value.
        return Value(f"(0 - {value.sql})", INT64, literal)
    return Value(f"(- {value.sql})", value.type, literal)


def concat(env: Environment, node: exp.Expr, left: Value, right: Value) -> Value:
    kind = common_type([left, right])
    if kind == NULL:
        kind = STRING
    if kind is None or (kind not in {STRING, BYTES} and kind.name != "ARRAY"):
        raise no_operator(env, node, "||", left, right)
    one, other = coerced(left, kind).sql, coerced(right, kind).sql
    if kind.name == "ARRAY":
        return Value(f"googlesql.array_concat({one}, {other})", kind)
    return Value(f"({one} || {other})", kind)


def compare(env: Environment, node: exp.Expr, symbol: str, left: Value, right: Value) -> Value:
    """A comparison of two values of one type, or of types that meet."""
    kind = common_type([left, right])
    if kind is None or kind.name == "JSON":
        raise no_operator(env, node, symbol, left, right)
    if kind.name == "ARRAY" and symbol in _EQUALITIES:
        raise env.wrong(f"{_EQUALITIES[symbol]} is not defined for arguments of type {kind}", node)
    if kind.name in {"ARRAY", "STRUCT"} and symbol in {"<", ">", "<=", ">="}:
        raise env.wrong(f"{_ORDERS[symbol]} is not defined for arguments of type {kind}", node)
    if kind.name == "STRUCT" and symbol in _EQUALITIES:
        return _compare_structs(env, node, symbol, coerced(left, kind), coerced(right, kind))
    return Value(f"({coerced(left, kind).sql} {symbol} {coerced(right, kind).sql})", BOOL)


_EQUALITIES = {"=": "Equality", "<>": "Inequality"}
_ORDERS = {"<": "Less than", ">": "Greater than", "<=": "Less than or equal", ">=": "Greater than or equal"}


def _compare_structs(env: Environment, node: exp.Expr, symbol: str, left: Value, right: Value) -> Value:
    """Two structs, field by field: a NULL in one makes the comparison NULL, unless other fields differ."""
    tests = []
    for i, (name, kind) in enumerate(named_fields(left.type)):
        one, other = (
            value.parts[i] if value.parts is not None else Value(f"struct_extract({value.sql}, {text(name)})", kind)
            for value in (left, right)
        )
        tests.append(compare(env, node, "=", one, other).sql)
    same = f"({' AND '.join(tests) or 'true'})"
    present = f"({left.sql} IS NOT NULL AND {right.sql} IS NOT NULL)"
    whole = same if left.parts is not None and right.parts is not None else f"(CASE WHEN {present} THEN {same} END)"
    return Value(whole if symbol == "=" else f"(NOT {whole})", BOOL)


def in_array(env: Environment, node: exp.Expr, value: Value, items: Value) -> Value:
    """`value IN UNNEST(items)`: NULL where the value is NULL, or is not found among items of which one is NULL."""
    element = items.type.element
    if items.type.name != "ARRAY" or element is None:
        raise env.wrong(f"Second argument of IN UNNEST must be an array but was {items.type}", node)
    kind = common_type([value, Value("x", element)])
    if kind is None:
        raise no_operator(env, node, "IN UNNEST", value, items)
    target = Type("ARRAY", kind)
    return Value(f"googlesql.in_array({coerced(value, kind).sql}, {coerced(items, target).sql})", BOOL)


def like(env: Environment, node: exp.Expr, value: Value, pattern: Value) -> Value:
    kind = common_type([value, pattern])
    if kind == NULL:
        kind = STRING
    if kind not in {STRING, BYTES}:
        raise no_operator(env, node, "LIKE", value, pattern)
    one, other = coerced(value, kind).sql, coerced(pattern, kind).sql
    if kind == BYTES:
        return Value(f"googlesql_bytes_like({one}, {other})", BOOL)
    return Value(f"({one} LIKE {other} ESCAPE '\\')", BOOL)


def bitwise(env: Environment, node: exp.Expr, symbol: str, left: Value, right: Value) -> Value:
    names = {"&": "bit_and", "|": "bit_or", "^": "bit_xor", "<<": "shift_left", ">>": "shift_right"}
    shift = symbol in {"<<", ">>"}
    kind = left.type if shift else common_type([left, right])
    if kind == NULL:
        kind = INT64
    if kind not in {INT64, BYTES} or kind is None:
        raise no_operator(env, node, symbol, left, right)
    one, other = coerced(left, kind).sql, coerced(right, INT64 if shift else kind).sql
    if kind == BYTES:
        return Value(f"googlesql_bytes_{names[symbol]}({one}, {other})", kind)
    if shift:
        return Value(f"googlesql.{names[symbol]}({one}, {other})", kind)
    return Value(f"xor({one}, {other})" if symbol == "^" else f"({one} {symbol} {other})", kind)


def bitwise_not(env: Environment, node: exp.Expr, value: Value) -> Value:
    if value.type == BYTES:
        return Value(f"googlesql_bytes_not({value.sql})", BYTES)
    result = coerce(value, INT64)
    if result is None:
        raise env.wrong(f"No matching signature for operator ~ for argument types: {value.type}", node)
    return Value(f"(~ {result.sql})", INT64)


def no_operator(env: Environment, node: exp.Expr, symbol: str, left: Value, right: Value) -> ApiError:
    return env.wrong(mismatches.no_operator(symbol, left, right), node)
