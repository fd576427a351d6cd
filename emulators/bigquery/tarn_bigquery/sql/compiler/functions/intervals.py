"""INTERVAL: literals, constructors and parts. DuckDB keeps months, days and microseconds apart, as BigQuery does."""

import re

from sqlglot import exp

from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import INT64, INTERVAL
from tarn_bigquery.sql.compiler.values import Value, coerce

_MICROS = {
    "HOUR": 3_600_000_000,
    "MINUTE": 60_000_000,
    "SECOND": 1_000_000,
    "MILLISECOND": 1000,
    "MICROSECOND": 1,
}
_MONTHS = {"YEAR": 12, "QUARTER": 3, "MONTH": 1}
_DAYS = {"WEEK": 7, "DAY": 1}
_PARTS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND")


def interval(env: Environment, node: exp.Expr, value: Value, unit: str) -> Value:
    """`INTERVAL value unit`, where a unit may be a span such as `YEAR TO MONTH`."""
    if " TO " in unit:
        if not isinstance(value.literal, str):
            raise env.wrong("INTERVAL with a range of parts needs a string literal", node)
        return Value(_of_parts(env, node, value.literal, *unit.split(" TO ")), INTERVAL)
    number = _amount(value, unit)
    if number is None:
        raise env.wrong(f"Interval value must be coercible to INT64 type: {value.type}", node)
    return Value(_of_unit(env, node, number, unit), INTERVAL)


def _amount(value: Value, unit: str) -> str | None:
    if not isinstance(value.literal, str):
        found = coerce(value, INT64)
        return found.sql if found is not None else None
    if re.fullmatch(r"[+-]?\d+", value.literal):
        return f"CAST({int(value.literal)} AS BIGINT)"
    if re.fullmatch(r"[+-]?\d+\.\d+", value.literal) and unit == "SECOND":
        return f"CAST('{value.literal}' AS DECIMAL(38,9))"
    raise invalid_query(f"Invalid INTERVAL literal: '{value.literal}'")


def _of_unit(env: Environment, node: exp.Expr, number: str, unit: str) -> str:
    if unit in _MONTHS:
        return f"to_months(CAST({number} * {_MONTHS[unit]} AS INTEGER))"
    if unit in _DAYS:
        return f"to_days(CAST({number} * {_DAYS[unit]} AS INTEGER))"
    if unit in _MICROS:
        return f"to_microseconds(CAST({number} * {_MICROS[unit]} AS BIGINT))"
    raise env.wrong(f"Unsupported INTERVAL part {unit}", node)


def _of_parts(env: Environment, node: exp.Expr, written: str, first: str, last: str) -> str:
    """An interval literal over several parts: `1-2 3 4:5:6.7` from YEAR to SECOND, or a piece of it."""
    if first not in _PARTS or last not in _PARTS:
        raise env.wrong(f"Unsupported INTERVAL parts {first} TO {last}", node)
    names = _PARTS[_PARTS.index(first) : _PARTS.index(last) + 1]
    found = re.fullmatch(_pattern(names), written.strip())
    if found is None:
        raise env.wrong(f"Invalid INTERVAL literal '{written}' for {first} TO {last}", node)
    groups = found.groupdict()
    months = sum(int(groups[n]) * _MONTHS[n] for n in ("YEAR", "MONTH") if groups.get(n))
    days = int(groups.get("DAY") or 0)
    whole, _, fraction = (groups.get("SECOND") or "0").partition(".")
    seconds = int(groups.get("HOUR") or 0) * 3600 + int(groups.get("MINUTE") or 0) * 60 + int(whole)
    micros = seconds * 1_000_000 + int(fraction.ljust(6, "0")[:6] or 0)
    months = -months if groups.get("sign_month") == "-" else months
    days = -days if groups.get("sign_day") == "-" else days
    micros = -micros if groups.get("sign_time") == "-" else micros
    return f"(to_months({months}) + to_days({days}) + to_microseconds({micros}))"


def _pattern(names: tuple[str, ...]) -> str:
    """The regular expression for the parts; each group of them has a sign of its own."""
    groups = (("sign_month", ("YEAR", "MONTH"), "-"), ("sign_day", ("DAY",), ""), ("sign_time", _PARTS[3:], ":"))
    written = []
    for sign, members, separator in groups:
        present = [name for name in members if name in names]
        if present:
            digits = (rf"(?P<{n}>\d+(?:\.\d+)?)" if n == "SECOND" else rf"(?P<{n}>\d+)" for n in present)
            written.append(rf"(?P<{sign}>[+-]?){separator.join(digits)}")
    return r"\s+".join(written)


@function("MAKE_INTERVAL")
def make_interval(call: Call) -> Value:
    names = ["YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"]
    given: dict[str, exp.Expr] = {}
    for name, node in zip(names, call.nodes, strict=False):
        if isinstance(node, exp.Kwarg):
            given[node.this.name.upper()] = node.expression
        else:
            given[name] = node
    env = call.compiler.env
    parts = [_of_unit(env, call.node, call.compiler.sql(node, INT64), name) for name, node in given.items()]
    return Value(f"({' + '.join(parts or ['INTERVAL 0 DAY'])})", INTERVAL)


signature("JUSTIFY_DAYS(INTERVAL) -> INTERVAL", "googlesql.justify({0}, 'DAYS')")
signature("JUSTIFY_HOURS(INTERVAL) -> INTERVAL", "googlesql.justify({0}, 'HOURS')")
signature("JUSTIFY_INTERVAL(INTERVAL) -> INTERVAL", "googlesql.justify({0}, 'INTERVAL')")
