"""Functions of DATE, DATETIME, TIMESTAMP and TIME."""

import re

from sqlglot import exp

from tarn_bigquery.sql.compiler import casts, zones
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.functions.registry import Call, function, signature
from tarn_bigquery.sql.compiler.kinds import (
    DATE,
    DATETIME,
    INT64,
    INTERVAL,
    NULL,
    STRING,
    TIME,
    TIMESTAMP,
    Type,
)
from tarn_bigquery.sql.compiler.values import Value, coerce, null, text

_WEEKDAYS = ("SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY")
_MICROS = {"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": 10**6, "MINUTE": 60 * 10**6, "HOUR": 3600 * 10**6,
           "DAY": 86_400 * 10**6}  # fmt: skip
_TIME_PARTS = ("MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR")
_DATE_PARTS = ("DAY", "WEEK", "ISOWEEK", "MONTH", "QUARTER", "YEAR", "ISOYEAR")
# The specifiers that mean the same to DuckDB.
_SHARED_FORMAT = re.compile(r"(?:[^%]|%[YmdHMSyBbAajIp%])*")

signature("UNIX_DATE(DATE) -> INT64", "date_diff('day', DATE '1970-01-01', {0})")
signature("UNIX_SECONDS(TIMESTAMP) -> INT64", "googlesql.floor_div(epoch_us({0}), 1000000)")
signature("UNIX_MILLIS(TIMESTAMP) -> INT64", "googlesql.floor_div(epoch_us({0}), 1000)")
signature("UNIX_MICROS(TIMESTAMP) -> INT64", "epoch_us({0})")
signature("DATE_FROM_UNIX_DATE(INT64) -> DATE", "(DATE '1970-01-01' + CAST({0} AS INTEGER))")
signature("TIMESTAMP_SECONDS(INT64) -> TIMESTAMP", "make_timestamptz({0} * 1000000)")
signature("TIMESTAMP_MILLIS(INT64) -> TIMESTAMP", "make_timestamptz({0} * 1000)")
signature("TIMESTAMP_MICROS(INT64) -> TIMESTAMP", "make_timestamptz({0})")
signature("TIMESTAMP_FROM_UNIX_SECONDS(INT64) -> TIMESTAMP", "make_timestamptz({0} * 1000000)")
signature("TIMESTAMP_FROM_UNIX_MILLIS(INT64) -> TIMESTAMP", "make_timestamptz({0} * 1000)")
signature("TIMESTAMP_FROM_UNIX_MICROS(INT64) -> TIMESTAMP", "make_timestamptz({0})")


@function("CURRENT_TIMESTAMP")
def current_timestamp(call: Call) -> Value:
    return Value("now()", TIMESTAMP)


@function("CURRENT_DATE", "CURRENT_DATETIME", "CURRENT_TIME")
def current(call: Call) -> Value:
    call.check_arity(0, 1)
    zone = call.args[0] if call.args else None
    civil = Value(zones.local("now()", zone), DATETIME)
    target = Type(call.name.removeprefix("CURRENT_"))
    return casts.cast(civil, target) or civil


@function("DATE")
def date(call: Call) -> Value:
    call.check_arity(1, 3)
    if len(call.args) == 3:
        parts = ", ".join(_as(call, i, INT64).sql for i in range(3))
        return Value(f"googlesql.make_date({parts})", DATE)
    return _converted(call, DATE)


@function("DATETIME")
def datetime(call: Call) -> Value:
    call.check_arity(1, 6)
    if len(call.args) == 6:
        parts = ", ".join(_as(call, i, INT64).sql for i in range(6))
        return Value(f"googlesql.make_datetime({parts})", DATETIME)
    if len(call.args) == 2 and call.args[1].type == TIME:
        return Value(f"({_as(call, 0, DATE).sql} + {call.args[1].sql})", DATETIME)
    return _converted(call, DATETIME)


@function("TIMESTAMP")
def timestamp(call: Call) -> Value:
    call.check_arity(1, 2)
    return _converted(call, TIMESTAMP)


@function("TIME")
def time(call: Call) -> Value:
    call.check_arity(1, 3)
    if len(call.args) == 3:
        parts = ", ".join(_as(call, i, INT64).sql for i in range(3))
        return Value(f"googlesql.make_time({parts})", TIME)
    return _converted(call, TIME)


def _converted(call: Call, target: Type) -> Value:
    value = call.args[0]
    if value.type not in {DATE, DATETIME, TIMESTAMP, STRING, NULL, TIME}:
        raise call.no_match([])
    if len(call.args) == 1:
        result = casts.cast(value, target)
        if result is None:
            raise call.no_match([])
        return result
    zone = coerce(call.args[1], STRING)
    if zone is None:
        raise call.no_match([])
    return null(target) if value.type == NULL else casts.zoned(value, target, zone)


_KINDS = {"DATE": DATE, "DATETIME": DATETIME, "TIMESTAMP": TIMESTAMP, "TIME": TIME}


@function(*(f"{kind}_{verb}" for kind in _KINDS for verb in ("ADD", "SUB")))
def moved(call: Call) -> Value:
    call.check_arity(2, 2)
    name, verb = call.name.rsplit("_", 1)
    value = _moment(call, name)
    step = call.nodes[1]
    if not isinstance(step, exp.Interval):
        raise call.compiler.env.wrong("Expected INTERVAL expression", step)
    _check_part(call, value.type, step.unit.name.upper() if step.unit is not None else "")
    sign = "+" if verb == "ADD" else "-"
    result = f"({value.sql} {sign} {_as(call, 1, INTERVAL).sql})"
    return Value(f"googlesql.checked_{value.type.name.lower()}({result})", value.type)


def _check_part(call: Call, kind: Type, part: str) -> None:
    allowed = {
        "DATE": _DATE_PARTS,
        "TIME": _TIME_PARTS,
        "TIMESTAMP": (*_TIME_PARTS, "DAY"),
        "DATETIME": (*_TIME_PARTS, *_DATE_PARTS),
    }[kind.name]
    if part not in allowed:
        raise call.wrong(f"{call.name} does not support the {part} date part when the argument is {kind} type")


def _moment(call: Call, name: str) -> Value:
    """The first argument as the function's own type; DATE_ and its like take the other types too."""
    value = call.args[0]
    if name in {"DATE", "DATETIME", "TIMESTAMP"} and value.type in {DATE, DATETIME, TIMESTAMP}:
        if name == "DATETIME" and value.type == DATE:
            return _as(call, 0, DATETIME)
        return value
    return _as(call, 0, _KINDS[name])


@function(*(f"{kind}_DIFF" for kind in _KINDS))
def difference(call: Call) -> Value:
    name = call.name.removesuffix("_DIFF")
    if len(call.nodes) != 3:
        raise call.no_match([])
    part = call.word(2)
    kinds = [call.compiler.value(node) for node in call.nodes[:2]]
    target = next((v.type for v in kinds if v.type in {DATETIME, TIMESTAMP}), _KINDS[name])
    target = _KINDS[name] if name == "TIME" or target.name not in _KINDS else target
    pair = [coerce(value, target) for value in kinds]
    later, earlier = pair
    if later is None or earlier is None:
        raise call.no_match([])
    return Value(_difference(call, target, later.sql, earlier.sql, part), INT64)


def _difference(call: Call, kind: Type, later: str, earlier: str, part: str) -> str:
    if kind == TIMESTAMP:
        if part not in _MICROS:
            raise call.wrong(f"TIMESTAMP_DIFF does not support the {part} date part")
        # Whole units of time; a date's parts count the bounds that lie between.
        return f"((epoch_us({later}) - epoch_us({earlier})) // {_MICROS[part]})"
    if part in _TIME_PARTS:
        unit = _MICROS[part]
        floors = (f"googlesql.floor_div(epoch_us({moment}), {unit})" for moment in (later, earlier))
        return f"({' - '.join(floors)})"
    if part == "ISOYEAR":
        return f"(isoyear({later}) - isoyear({earlier}))"
    if part == "ISOWEEK" or part.startswith("WEEK"):
        starts = (_week_start(call, moment, part) for moment in (earlier, later))
        return f"(date_diff('day', {', '.join(starts)}) // 7)"
    if part not in _DATE_PARTS:
        raise call.wrong(f"A valid date part name is required but found {part}")
    return f"date_diff('{part.lower()}', {earlier}, {later})"


@function(*(f"{kind}_TRUNC" for kind in _KINDS))
def truncated(call: Call) -> Value:
    name = call.name.removesuffix("_TRUNC")
    if not 2 <= len(call.nodes) <= 3:
        raise call.no_match([])
    value = call.compiler.value(call.nodes[0])
    target = value.type if name != "TIME" and value.type in {DATE, DATETIME, TIMESTAMP} else _KINDS[name]
    moment = coerce(value, target)
    if moment is None:
        raise call.no_match([])
    part = call.word(1)
    if target == TIME:
        return Value(f"googlesql.time_trunc({moment.sql}, {_micros(call, part)})", TIME)
    if target == TIMESTAMP:
        zone = call.compiler.value(call.nodes[2]) if len(call.nodes) > 2 else None
        if part in _TIME_PARTS and zone is None:
            return Value(f"date_trunc('{part.lower()}', {moment.sql})", TIMESTAMP)
        if part in _TIME_PARTS:
            civil = zones.local(moment.sql, zone)
            return Value(f"({moment.sql} - ({civil} - {_truncated(call, civil, part)}))", TIMESTAMP)
        return Value(zones.instant(_truncated(call, zones.local(moment.sql, zone), part), zone), TIMESTAMP)
    if target == DATE and part in _TIME_PARTS:
        raise call.wrong(f"DATE_TRUNC does not support the {part} date part")
    return Value(f"CAST({_truncated(call, moment.sql, part)} AS {target.duck})", target)


def _micros(call: Call, part: str) -> int:
    if part not in _TIME_PARTS:
        raise call.wrong(f"{call.name} does not support the {part} date part")
    return _MICROS[part]


def _truncated(call: Call, moment: str, part: str) -> str:
    if part == "ISOYEAR":
        return f"CAST(googlesql.isoyear_start({moment}) AS TIMESTAMP)"
    if part == "ISOWEEK" or part.startswith("WEEK"):
        return f"CAST({_week_start(call, moment, part)} AS TIMESTAMP)"
    if part not in _TIME_PARTS and part not in _DATE_PARTS:
        raise call.wrong(f"A valid date part name is required but found {part}")
    return f"CAST(date_trunc('{part.lower()}', {moment}) AS TIMESTAMP)"


def _weekday(call: Call, part: str) -> int:
    """The first day of the weeks that a part names, 0 for Sunday."""
    if part == "WEEK":
        return 0
    if part == "ISOWEEK":
        return 1
    found = re.fullmatch(r"WEEK\((\w+)\)", part)
    if found is None or found[1] not in _WEEKDAYS:
        raise call.wrong(f"A valid date part name is required but found {part}")
    return _WEEKDAYS.index(found[1])


def _week_start(call: Call, moment: str, part: str) -> str:
    return f"googlesql.week_start({moment}, {_weekday(call, part)})"


@function("LAST_DAY")
def last_day(call: Call) -> Value:
    call.check_arity(1, 2)
    call_part = call.word(1) if len(call.nodes) > 1 else "MONTH"
    value = call.compiler.value(call.nodes[0])
    day = casts.cast(value, DATE) if value.type in {DATE, DATETIME, NULL} else coerce(value, DATE)
    if day is None:
        raise call.no_match([])
    if call_part == "ISOYEAR":
        return Value(f"CAST(googlesql.isoyear_start({day.sql} + INTERVAL 1 YEAR) - INTERVAL 1 DAY AS DATE)", DATE)
    step = {"YEAR": "1 YEAR", "QUARTER": "3 MONTH", "MONTH": "1 MONTH"}.get(call_part, "7 DAY")
    return Value(f"CAST({_truncated(call, day.sql, call_part)} + INTERVAL {step} - INTERVAL 1 DAY AS DATE)", DATE)


def extract(env: Environment, node: exp.Expr, part: str, value: Value, zone: Value | None) -> Value:
    """`EXTRACT(part FROM value AT TIME ZONE zone)`."""
    if value.type == NULL:
        value = null(DATE)
    if value.type not in _PARTS:
        raise env.wrong(f"EXTRACT does not support arguments of type: {value.type}", node)
    if part.partition("(")[0] not in _PARTS[value.type]:
        raise env.wrong(f"EXTRACT from {value.type} does not support the {part} date part", node)
    if value.type == INTERVAL:
        return Value(f"googlesql.interval_{part.lower()}({value.sql})", INT64)
    sql = zones.local(value.sql, zone) if value.type == TIMESTAMP else value.sql
    if part in _CIVIL:
        civil = Value(sql, DATETIME if value.type == TIMESTAMP else value.type)
        return casts.cast(civil, Type(part)) or civil
    if part in _EXTRACTS:
        return Value(_EXTRACTS[part].format(sql), INT64)
    found = re.fullmatch(r"WEEK\((\w+)\)", part)
    if found is not None and found[1] in _WEEKDAYS:
        return Value(f"googlesql.week_number({sql}, {_WEEKDAYS.index(found[1])})", INT64)
    raise env.wrong(f"EXTRACT from {value.type} does not support the {part} date part", node)


_CIVIL = {"DATE", "TIME", "DATETIME"}
_EXTRACTS = {
    "YEAR": "year({0})",
    "QUARTER": "quarter({0})",
    "MONTH": "month({0})",
    "DAY": "day({0})",
    "HOUR": "hour({0})",
    "MINUTE": "minute({0})",
    "SECOND": "second({0})",
    "MILLISECOND": "(millisecond({0}) % 1000)",
    "MICROSECOND": "(microsecond({0}) % 1000000)",
    "DAYOFWEEK": "(dayofweek({0}) + 1)",
    "DAYOFYEAR": "dayofyear({0})",
    "ISOWEEK": "weekofyear({0})",
    "ISOYEAR": "isoyear({0})",
    "WEEK": "googlesql.week_number({0}, 0)",
}
_CALENDAR_PARTS = _EXTRACTS.keys() - set(_TIME_PARTS)
_PARTS = {
    DATE: _CALENDAR_PARTS,
    TIME: {*_TIME_PARTS},
    DATETIME: {*_CALENDAR_PARTS, *_TIME_PARTS, "DATE", "TIME"},
    TIMESTAMP: {*_CALENDAR_PARTS, *_TIME_PARTS, *_CIVIL},
    INTERVAL: {"YEAR", "QUARTER", "MONTH", "DAY", *_TIME_PARTS},
}


@function(*(f"FORMAT_{kind}" for kind in _KINDS))
def formatted(call: Call) -> Value:
    call.check_arity(2, 3)
    form = _as(call, 0, STRING)
    kind = _KINDS[call.name.removeprefix("FORMAT_")]
    value = call.args[1] if call.args[1].type in {DATE, DATETIME, TIMESTAMP} and kind != TIME else _as(call, 1, kind)
    zone = _as(call, 2, STRING) if len(call.args) > 2 else None
    civil = casts.moment(value, zone)
    if isinstance(form.literal, str) and _SHARED_FORMAT.fullmatch(_expanded(form.literal)):
        return Value(f"strftime({civil}, {text(_expanded(form.literal))})", STRING)
    offset = f"date_diff('second', {value.sql} AT TIME ZONE 'UTC', {civil})" if value.type == TIMESTAMP else "0"
    zone_name = zone.sql if zone is not None else "'UTC'"
    return Value(f"googlesql_format_time({form.sql}, {civil}, {offset}, {zone_name})", STRING)


def _expanded(form: str) -> str:
    """Shorthands of a format written out."""
    shorthands = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "X": "%H:%M:%S", "x": "%m/%d/%y",
                  "h": "%b"}  # fmt: skip
    return re.sub(r"%(.)", lambda found: shorthands.get(found[1], found[0]), form)


@function(*(f"PARSE_{kind}" for kind in _KINDS))
def parsed(call: Call) -> Value:
    call.check_arity(2, 3)
    form, written = _as(call, 0, STRING).sql, _as(call, 1, STRING).sql
    kind = _KINDS[call.name.removeprefix("PARSE_")]
    zone = _as(call, 2, STRING) if len(call.args) > 2 else None
    name = zone.sql if zone is not None else "'UTC'"
    civil = Value(f"googlesql_parse_time({form}, {written}, {name}, '{kind}')", DATETIME)
    return casts.cast(civil, kind) or civil


@function("DATE_BUCKET", "DATETIME_BUCKET", "TIMESTAMP_BUCKET")
def bucket(call: Call) -> Value:
    call.check_arity(2, 3)
    kind = _KINDS[call.name.removesuffix("_BUCKET")]
    value, width = _as(call, 0, kind).sql, _as(call, 1, INTERVAL).sql
    given = _as(call, 2, kind).sql if len(call.args) > 2 else f"CAST('1950-01-01' AS {kind.duck})"
    return Value(f"CAST(time_bucket({width}, {value}, {given}) AS {kind.duck})", kind)


def _as(call: Call, index: int, kind: Type) -> Value:
    value = coerce(call.args[index], kind)
    if value is None:
        raise call.no_match([])
    return value
