"""Functions that exist over windows only."""

from tarn_bigquery.sql.compiler.functions.registry import Call, function
from tarn_bigquery.sql.compiler.kinds import BIGNUMERIC, FLOAT64, INT64, NUMERIC
from tarn_bigquery.sql.compiler.values import Value, coerce, coerced, settled


@function("ROW_NUMBER", "RANK", "DENSE_RANK")
def rank(call: Call) -> Value:
    call.check_arity(0, 0)
    if call.name != "ROW_NUMBER":
        _check_order(call)
    return Value(_over(call, f"{call.name.lower()}()"), INT64)


@function("PERCENT_RANK", "CUME_DIST")
def share(call: Call) -> Value:
    call.check_arity(0, 0)
    _check_order(call)
    return Value(_over(call, f"{call.name.lower()}()"), FLOAT64)


@function("NTILE")
def ntile(call: Call) -> Value:
    call.check_arity(1, 1)
    _check_order(call)
    return Value(_over(call, f"ntile({coerced(call.args[0], INT64).sql})"), INT64)


@function("LAG", "LEAD")
def neighbour(call: Call) -> Value:
    call.check_arity(1, 3)
    _check_order(call)
    if call.modifiers.nulls is not None:
        raise call.wrong(f"IGNORE NULLS and RESPECT NULLS are not allowed for analytic function {call.name}")
    value = settled(call.args[0])
    args = [value.sql]
    if len(call.args) > 1:
        args.append(coerced(call.args[1], INT64).sql)
    if len(call.args) > 2:
        default = coerce(call.args[2], value.type)
        if default is None:
            raise call.no_match([])
        args.append(default.sql)
    return Value(_over(call, f"{call.name.lower()}({', '.join(args)})"), value.type)


@function("FIRST_VALUE", "LAST_VALUE", "NTH_VALUE")
def positioned(call: Call) -> Value:
    call.check_arity(1, 2)
    value = settled(call.args[0])
    args = ", ".join([value.sql, *(coerced(arg, INT64).sql for arg in call.args[1:])])
    nulls = " IGNORE NULLS" if call.modifiers.nulls == "IGNORE" else ""
    return Value(_over(call, f"{call.name.lower()}({args}{nulls})"), value.type)


@function("PERCENTILE_CONT")
def percentile_cont(call: Call) -> Value:
    call.check_arity(2, 2)
    value = settled(call.args[0])
    share = coerced(call.args[1], FLOAT64).sql
    kind = value.type if value.type in {NUMERIC, BIGNUMERIC} else FLOAT64
    if call.modifiers.nulls == "RESPECT":
        listed = call.aggregate(f"list({coerced(value, FLOAT64).sql})")
        return Value(f"CAST(googlesql.percentile_cont({listed}, {share}) AS {kind.duck})", kind)
    found = call.aggregate(f"quantile_cont({coerced(value, FLOAT64).sql}, {share})")
    return Value(f"CAST({found} AS {kind.duck})" if kind != FLOAT64 else found, kind)


@function("PERCENTILE_DISC")
def percentile_disc(call: Call) -> Value:
    call.check_arity(2, 2)
    value = settled(call.args[0])
    if call.modifiers.nulls == "RESPECT":
        listed, share = call.aggregate(f"list({value.sql})"), coerced(call.args[1], FLOAT64).sql
        return Value(f"googlesql.percentile_disc({listed}, {share})", value.type)
    return Value(call.aggregate(f"quantile_disc({value.sql}, {coerced(call.args[1], FLOAT64).sql})"), value.type)


def _over(call: Call, sql: str) -> str:
    if call.over is None:
        raise call.wrong(f"Analytic function {call.name} cannot be called without an OVER clause")
    return call.aggregate(sql)


def _check_order(call: Call) -> None:
    """Raises ApiError where the window has no order. That of a named window is not known here."""
    if call.over is not None and call.over.startswith("(") and "ORDER BY" not in call.over and '"' not in call.over[:2]:
        raise call.wrong(f"Window ORDER BY is required for analytic function {call.name}")
