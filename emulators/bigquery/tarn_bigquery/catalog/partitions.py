"""Decorators: `t$20240101` is one partition of `t`, and `t@1700000000000` is `t` as it was at that moment.

https://cloud.google.com/bigquery/docs/managing-partitioned-table-data#write-to-partition
https://cloud.google.com/bigquery/docs/table-decorators
"""

import datetime as dt
import re
from dataclasses import dataclass
from typing import Any

from tarn_bigquery.catalog.names import TableRef, quote
from tarn_bigquery.catalog.resources import now_ms
from tarn_bigquery.errors import invalid

Resource = dict[str, Any]

INGESTION_TIME = "_PARTITIONTIME"
INGESTION_DATE = "_PARTITIONDATE"

# Members of a pseudo-column's field: the SQL that computes it of a relation, and the part of a date that its
# values must begin.
COMPUTED = "computed"
BOUNDARY = "boundary"

_NULL = "__NULL__"
UNPARTITIONED = "_UNPARTITIONED__"
_FORMATS = {"HOUR": "%Y%m%d%H", "DAY": "%Y%m%d", "MONTH": "%Y%m", "YEAR": "%Y"}
_DUCK_TYPES = {"DATE": "DATE", "DATETIME": "TIMESTAMP", "TIMESTAMP": "TIMESTAMP WITH TIME ZONE"}


@dataclass(frozen=True)
class Decorated:
    """A table as a client names it: the table, and the partition of it that is meant, if one is.

    `moment` is when it is meant, in microseconds since the epoch; the earliest that is known where it is 0.
    """

    table: TableRef
    partition: str | None = None
    moment: int | None = None


def undecorated(ref: TableRef) -> Decorated:
    """Read a table's name. Raises ApiError `invalid` for a moment that is none."""
    rest, at, moment = ref.table.partition("@")
    name, _, partition = rest.partition("$")
    if at and not re.fullmatch(r"-?\d{1,18}", moment):
        raise invalid(f"Invalid snapshot decorator @{moment} of the table {ref.parent.table(name)}.")
    return Decorated(ref.parent.table(name), partition or None, _microseconds(int(moment)) if at else None)


def _microseconds(moment: int) -> int:
    """A decorator's moment: milliseconds since the epoch, to the end of that one, or back from now where negative."""
    if moment == 0:
        return 0
    return (moment if moment > 0 else now_ms() + moment) * 1000 + 999


def partition_column(body: Resource) -> str | None:
    """The column that parts a table's rows; `_PARTITIONTIME` where the time of arrival does."""
    if time := body.get("timePartitioning"):
        return time.get("field") or INGESTION_TIME
    if by_range := body.get("rangePartitioning"):
        return by_range["field"]
    return None


def is_ingestion_time(body: Resource) -> bool:
    return partition_column(body) == INGESTION_TIME


def pseudo_columns(body: Resource) -> list[Resource]:
    """The fields that a table partitioned by ingestion time has besides its schema: `*` leaves them out.

    https://cloud.google.com/bigquery/docs/querying-partitioned-tables#query_an_ingestion-time_partitioned_table
    """
    if not is_ingestion_time(body):
        return []
    kind = body["timePartitioning"]["type"]
    time = {"name": INGESTION_TIME, "type": "TIMESTAMP", "mode": "NULLABLE", BOUNDARY: kind}
    if kind != "DAY":
        return [time]
    date = f"CAST({{relation}}.{quote(INGESTION_TIME)} AS DATE)"
    return [time, {"name": INGESTION_DATE, "type": "DATE", "mode": "NULLABLE", COMPUTED: date}]


def arrival(body: Resource, partition: str | None = None) -> str:
    """DuckDB SQL for the ingestion time of rows that arrive now, or that go to a partition that is named."""
    kind = body["timePartitioning"]["type"]
    if partition is None:
        return f"date_trunc('{kind.lower()}', now())"
    if partition in {_NULL, UNPARTITIONED}:
        return f"CAST(NULL AS {_DUCK_TYPES['TIMESTAMP']})"
    return f"{_DUCK_TYPES['TIMESTAMP']} '{bounds(kind, partition)[0]}'"


def condition(body: Resource, partition: str) -> str:
    """The SQL condition that a partition's rows meet. Raises ApiError `invalid` for a partition that cannot be."""
    column = partition_column(body)
    if column is None:
        raise invalid(f"Cannot address the partition ${partition} of a table that is not partitioned.")
    name = quote(column)
    if partition in {_NULL, UNPARTITIONED}:
        return f"{name} IS NULL"
    if "rangePartitioning" in body:
        return _range_condition(name, body["rangePartitioning"]["range"], partition)
    kind = body["timePartitioning"]["type"]
    start, end = bounds(kind, partition)
    literal = _DUCK_TYPES[_column_type(body, column)]
    return f"{name} >= {literal} '{start}' AND {name} < {literal} '{end}'"


def partition_id(body: Resource) -> str:
    """DuckDB SQL for the id of the partition that a row of a partitioned table is in."""
    column = quote(partition_column(body) or "")
    if "timePartitioning" in body:
        shape = _FORMATS[body["timePartitioning"]["type"]]
        absent = UNPARTITIONED if is_ingestion_time(body) else _NULL
        return f"coalesce(strftime({column}::TIMESTAMP, '{shape}'), '{absent}')"
    limits = body["rangePartitioning"]["range"]
    first, step = int(limits["start"]), int(limits["interval"])
    inside = f"{column} >= {first} AND {column} < {int(limits['end'])}"
    start = f"{first} + ({column} - {first}) // {step} * {step}"
    return (
        f"CASE WHEN {column} IS NULL THEN '{_NULL}' WHEN {inside} THEN CAST({start} AS VARCHAR) "
        f"ELSE '{UNPARTITIONED}' END"
    )


def bounds(kind: str, partition: str) -> tuple[dt.datetime, dt.datetime]:
    """Where a partition of HOUR, DAY, MONTH or YEAR begins, and where the next one does."""
    shape = _FORMATS[kind]
    try:
        if not re.fullmatch(r"\d{4,10}", partition):
            raise ValueError(partition)
        start = dt.datetime.strptime(partition, shape)
        if start.strftime(shape) != partition:
            raise ValueError(partition)
    except ValueError as error:
        raise invalid(f"Invalid partition ID ${partition} for a table partitioned by {kind}.") from error
    return start, _next(kind, start)


def around(kind: str, moment: dt.datetime) -> tuple[dt.datetime, dt.datetime]:
    """Where the partition that a moment lies in begins, and where the next one does."""
    start = moment.replace(minute=0, second=0, microsecond=0)
    if kind != "HOUR":
        start = start.replace(hour=0)
    if kind in {"MONTH", "YEAR"}:
        start = start.replace(day=1, month=1 if kind == "YEAR" else moment.month)
    return start, _next(kind, start)


def _next(kind: str, start: dt.datetime) -> dt.datetime:
    try:
        if kind == "YEAR":
            return start.replace(year=start.year + 1)
        if kind == "MONTH":
            return (start + dt.timedelta(days=32)).replace(day=1)
        return start + (dt.timedelta(days=1) if kind == "DAY" else dt.timedelta(hours=1))
    except (OverflowError, ValueError):
        # The last partition, which many tables have for what has no end, is followed by none.
        return dt.datetime.max.replace(tzinfo=start.tzinfo)


def _range_condition(name: str, limits: dict[str, Any], partition: str) -> str:
    first, last, step = (int(limits[key]) for key in ("start", "end", "interval"))
    if not re.fullmatch(r"-?\d+", partition):
        raise invalid(f"Invalid partition ID ${partition} for a table partitioned by range.")
    start = int(partition)
    if not first <= start < last or (start - first) % step:
        raise invalid(f"Invalid partition ID ${partition}: no partition of the table starts there.")
    return f"{name} >= {start} AND {name} < {min(start + step, last)}"


def _column_type(body: Resource, column: str) -> str:
    if column == INGESTION_TIME:
        return "TIMESTAMP"
    for field in body.get("schema", {}).get("fields", []):
        if field["name"].lower() == column.lower():
            return field["type"]
    raise invalid(f"The partitioning column {column} is not in the table's schema.")
