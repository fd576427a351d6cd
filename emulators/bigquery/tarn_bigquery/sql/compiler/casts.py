"""CAST and SAFE_CAST: every conversion that GoogleSQL allows, by source and target."""

from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql.compiler import zones
from tarn_bigquery.sql.compiler.kinds import INT64, NULL, STRING, Type, named_fields
from tarn_bigquery.sql.compiler.values import Value, coerce, null, number, string, struct, text

_NUMBERS = {"INT64", "FLOAT64", "NUMERIC", "BIGNUMERIC"}

# (source, target) -> SQL. Pairs of numbers, and what coerces anyway, need no entry.
_CONVERSIONS = {
    ("STRING", "INT64"): "googlesql.int64_of_string({0})",
    ("STRING", "FLOAT64"): "googlesql.float64_of_string({0})",
    ("STRING", "NUMERIC"): "googlesql.numeric_of_string({0})",
    ("STRING", "BIGNUMERIC"): "googlesql.bignumeric_of_string({0})",
    ("STRING", "BOOL"): "googlesql.bool_of_string({0})",
    ("STRING", "BYTES"): "encode({0})",
    ("STRING", "DATE"): "googlesql.date_of_string({0})",
    ("STRING", "DATETIME"): "googlesql.datetime_of_string({0})",
    ("STRING", "TIMESTAMP"): "googlesql.timestamp_of_string({0})",
    ("STRING", "TIME"): "googlesql.time_of_string({0})",
    ("STRING", "INTERVAL"): "googlesql.interval_of_string({0})",
    ("STRING", "GEOGRAPHY"): "{0}",
    ("INT64", "BOOL"): "({0} <> 0)",
    ("INT64", "STRING"): "CAST({0} AS VARCHAR)",
    ("BOOL", "INT64"): "CAST({0} AS BIGINT)",
    ("BOOL", "STRING"): "CAST({0} AS VARCHAR)",
    ("FLOAT64", "INT64"): "googlesql.int64_of_float64({0})",
    ("FLOAT64", "STRING"): "googlesql.string_of_float64({0})",
    ("FLOAT64", "NUMERIC"): "googlesql.numeric_of_float64({0})",
    ("NUMERIC", "STRING"): "googlesql.string_of_numeric({0})",
    ("BIGNUMERIC", "STRING"): "googlesql.string_of_numeric({0})",
    ("BYTES", "STRING"): "googlesql_string_of_bytes({0})",
    ("DATE", "STRING"): "CAST({0} AS VARCHAR)",
    ("DATE", "DATETIME"): "CAST({0} AS TIMESTAMP)",
    ("DATE", "TIMESTAMP"): "(CAST({0} AS TIMESTAMP) AT TIME ZONE 'UTC')",
    ("DATETIME", "DATE"): "CAST({0} AS DATE)",
    ("DATETIME", "TIME"): "CAST({0} AS TIME)",
    ("DATETIME", "TIMESTAMP"): "({0} AT TIME ZONE 'UTC')",
    ("DATETIME", "STRING"): "googlesql.string_of_datetime({0})",
    ("TIMESTAMP", "DATE"): "CAST({0} AT TIME ZONE 'UTC' AS DATE)",
    ("TIMESTAMP", "DATETIME"): "({0} AT TIME ZONE 'UTC')",
    ("TIMESTAMP", "TIME"): "CAST({0} AT TIME ZONE 'UTC' AS TIME)",
    ("TIMESTAMP", "STRING"): "googlesql.string_of_timestamp({0})",
    ("TIME", "STRING"): "googlesql.string_of_time({0})",
    ("INTERVAL", "STRING"): "googlesql.string_of_interval({0})",
    ("RANGE", "STRING"): "googlesql.string_of_range({0})",
}


def cast(value: Value, target: Type) -> Value | None:
    """The value converted, or None where there is no such conversion."""
    source = value.type
    if source == target:
        return value
    if source == NULL:
        return coerce(value, target)
    if source.name == target.name == "STRUCT":
        return _cast_struct(value, target)
    if source == STRING and target.name == "RANGE":
        return _range(value, target)
    template = _CONVERSIONS.get((source.name, target.name))
    if template is not None:
        return Value(template.format(value.sql), target)
    if source.name in _NUMBERS and target.name in _NUMBERS:
        return Value(number(value, target), target)
    return coerce(value, target)


def safe(converted: Value) -> Value:
    """The conversion that gives NULL where it fails."""
    return Value(f"TRY({converted.sql})", converted.type)


def formatted(value: Value, target: Type, form: Value, zone: Value | None) -> Value:
    """`CAST(x AS type FORMAT form AT TIME ZONE zone)`. Raises ApiError for pairs of types that have no formats."""
    source = value.type.name
    if target == STRING and source in _MOMENTS:
        zone = zone if source == "TIMESTAMP" else None
        civil = moment(value, zone)
        offset = f"date_diff('second', {value.sql} AT TIME ZONE 'UTC', {civil})" if source == "TIMESTAMP" else "0"
        return Value(f"googlesql_format_cast({form.sql}, {civil}, {offset}, '{source}')", STRING)
    if source == "STRING" and target.name in _MOMENTS:
        name = zone.sql if zone is not None else "'UTC'"
        parsed = Value(f"googlesql_parse_cast({form.sql}, {value.sql}, {name}, '{target}')", Type("DATETIME"))
        return cast(parsed, target) or parsed
    if target == STRING and source == "BYTES":
        return Value(f"googlesql_format_bytes({form.sql}, {value.sql})", STRING)
    if source == "STRING" and target.name == "BYTES":
        return Value(f"googlesql_parse_bytes({form.sql}, {value.sql})", target)
    if target == STRING and source in _NUMBERS:
        shown = cast(value, STRING) or value
        return Value(f"googlesql_format_number({form.sql}, {shown.sql})", STRING)
    if source == "NULL":
        return null(target)
    raise invalid_query(f"FORMAT is not allowed for cast from {value.type} to {target}")


_MOMENTS = {"DATE", "DATETIME", "TIMESTAMP", "TIME"}


def moment(value: Value, zone: Value | None) -> str:
    """A moment as DuckDB's TIMESTAMP without a zone: its civil time in the zone, a TIME on the first day."""
    if value.type.name == "TIMESTAMP":
        return zones.local(value.sql, zone)
    if value.type.name == "TIME":
        return f"(DATE '1970-01-01' + {value.sql})"
    return f"CAST({value.sql} AS TIMESTAMP)"


def zoned(value: Value, target: Type, zone: Value) -> Value:
    """A conversion to or from TIMESTAMP in a time zone that is not UTC."""
    if value.type.name == "TIMESTAMP" and target.name in {"DATE", "DATETIME", "TIME"}:
        civil = Value(zones.local(value.sql, zone), Type("DATETIME"))
        return cast(civil, target) or civil
    if value.type.name in {"DATE", "DATETIME"} and target.name == "TIMESTAMP":
        civil = cast(value, Type("DATETIME")) or value
        return Value(zones.instant(civil.sql, zone), target)
    if value.type.name == "TIMESTAMP" and target == STRING:
        return Value(f"googlesql.string_of_timestamp_at({value.sql}, {zones.local(value.sql, zone)})", STRING)
    if value.type == STRING and target.name == "TIMESTAMP":
        instant = zones.instant(f"googlesql.datetime_of_string({value.sql})", zone)
        return Value(f"googlesql.timestamp_of_string_at({value.sql}, {instant})", target)
    raise unsupported(f"a time zone in a conversion from {value.type} to {target}")


def _cast_struct(value: Value, target: Type) -> Value | None:
    """A struct whose fields are converted one by one."""
    direct = coerce(value, target)
    if direct is not None or len(value.type.fields) != len(target.fields):
        return direct
    parts = value.parts
    if parts is None:
        fields = named_fields(value.type)
        parts = tuple(Value(f"struct_extract({value.sql}, {text(name)})", kind) for name, kind in fields)
    members = []
    for part, (name, kind) in zip(parts, target.fields, strict=True):
        member = cast(part, kind)
        if member is None:
            return None
        members.append((name, Value(member.sql, member.type)))
    built = struct(members)
    return (
        built if value.parts is not None else Value(f"CASE WHEN {value.sql} IS NOT NULL THEN {built.sql} END", target)
    )


def _range(value: Value, target: Type) -> Value:
    bounds = [f"googlesql.range_bound({value.sql}, {i})" for i in (1, 2)]
    element = target.element or INT64
    start, end = (cast(Value(bound, STRING), element) or string(bound) for bound in bounds)
    return Value(f"googlesql.range({start.sql}, {end.sql})", target)
