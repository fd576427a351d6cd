"""Rows into tables, as write and create dispositions say: of queries, loads and copies alike."""

from dataclasses import dataclass, field, replace

import duckdb

from tarn_bigquery.catalog import partitions, resources
from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.database import Transaction
from tarn_bigquery.engine.layout import NOT_PARTITIONED, partitioning_of
from tarn_bigquery.errors import already_exists, invalid, not_found
from tarn_bigquery.sql.compiler.defaults import default_of, left_out
from tarn_bigquery.sql.errors import raised_message
from tarn_bigquery.sql.limits import has_limits, limited
from tarn_bigquery.sql.types import Field

_TRUNCATING = {"WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA"}
_KEPT_ON_TRUNCATE = ("timePartitioning", "rangePartitioning", "clustering", "labels", "description",
                     "friendlyName", "expirationTime", "requirePartitionFilter")  # fmt: skip


@dataclass(frozen=True)
class Bound:
    """A query that DuckDB has checked: SQL whose columns have BigQuery's types, and its schema."""

    sql: str
    schema: list[Field]
    has_times: bool = False
    """Whether the SQL has the rows' ingestion time too, as its last column."""


@dataclass(frozen=True)
class Written:
    """What came of it: the table's schema afterwards, and how many rows were put in."""

    schema: list[Field]
    rows: int


@dataclass(frozen=True)
class Destination:
    """Where rows go, and what may happen to what is there.

    `body` has what a table that is made for them shall have: schema, partitions, clusters, description.
    `updates` may hold ALLOW_FIELD_ADDITION and ALLOW_FIELD_RELAXATION.
    """

    table: TableRef
    body: Resource = field(default_factory=dict)
    write: str = "WRITE_EMPTY"
    create: str = "CREATE_IF_NEEDED"
    partition: str | None = None
    updates: frozenset[str] = frozenset()


def destination(target: partitions.Decorated, config: Resource, *, default_write: str) -> Destination:
    """The destination that a job's configuration describes; queries, loads and copies name its parts alike."""
    names = ("timePartitioning", "rangePartitioning", "clustering")
    body = {name: config[name] for name in names if config.get(name)}
    if target.moment is not None:
        raise invalid(f"Cannot write to {target.table} as it was at {target.moment}.")
    properties = config.get("destinationTableProperties") or {}
    body |= {name: properties[name] for name in ("description", "friendlyName", "labels") if properties.get(name)}
    return Destination(
        target.table,
        body,
        config.get("writeDisposition") or default_write,
        config.get("createDisposition") or "CREATE_IF_NEEDED",
        target.partition,
        frozenset(config.get("schemaUpdateOptions") or ()),
    )


def write_rows(transaction: Transaction, current: Resource | None, destination: Destination, rows: Bound) -> Written:
    """Put the rows into the destination, which is `current` now."""
    ref = destination.table
    _check(destination)
    if current is None:
        return _into_new_table(transaction, destination, rows)
    if current["type"] != "TABLE":
        raise invalid(f"Cannot write to {ref}: it is of type {current['type']}.")
    if destination.write == "WRITE_EMPTY" and _has_rows(transaction, current, destination.partition):
        raise already_exists("Table", ref)
    if destination.write in _TRUNCATING and destination.partition is None:
        return _instead(transaction, current, destination, rows)
    if destination.write in _TRUNCATING:
        return _instead_of_partition(transaction, current, destination, rows)
    return _append(transaction, current, destination, rows)


def _check(destination: Destination) -> None:
    """Raises ApiError `invalid` for parts of a destination that contradict one another."""
    whole = destination.write != "WRITE_APPEND" and not (destination.write in _TRUNCATING and destination.partition)
    if destination.updates and whole:
        raise invalid(
            "Schema update options should only be specified with WRITE_APPEND disposition, "
            "or with WRITE_TRUNCATE disposition on a table partition."
        )


def create_filled(transaction: Transaction, destination: Destination, rows: Bound, *, replacing: bool) -> Written:
    """Make a table and fill it. A schema in the destination's body rules; otherwise it is the rows'.

    A table that is replaced may be one that the rows come from.
    """
    declared = destination.body.get("schema", {}).get("fields")
    body = {**destination.body, "schema": {"fields": declared or rows.schema}}
    table = resources.new_table(destination.table, body)
    path = None
    if replacing:
        path = definitions.create_beside(transaction, table)
    else:
        definitions.create_table(transaction, table)
    schema = definitions.fields_of(table)
    fields = schema if len(schema) == len(rows.schema) and not _by_name(schema, rows) else rows.schema
    count = _insert(transaction, table, [f["name"] for f in fields], rows, destination.partition, path)
    if replacing:
        definitions.put_in_place(transaction, destination.table)
    return Written(schema, count)


def _by_name(schema: list[Field], rows: Bound) -> bool:
    return {f["name"].lower() for f in rows.schema} <= {f["name"].lower() for f in schema}


def _into_new_table(transaction: Transaction, destination: Destination, rows: Bound) -> Written:
    if destination.create == "CREATE_NEVER":
        raise not_found("Table", destination.table)
    if destination.partition and not partitions.partition_column(destination.body):
        daily = {"timePartitioning": {"type": "DAY"}}
        destination = Destination(
            destination.table, destination.body | daily, destination.write, partition=destination.partition
        )
    return create_filled(transaction, destination, rows, replacing=False)


def _instead(transaction: Transaction, current: Resource, destination: Destination, rows: Bound) -> Written:
    before, after = partitioning_of(current), partitioning_of(destination.body)
    if after not in {NOT_PARTITIONED, before}:
        raise invalid(
            f"Incompatible table partitioning specification. Expects partitioning specification {before}, "
            f"but input partitioning specification is {after}"
        )
    kept = {name: current[name] for name in _KEPT_ON_TRUNCATE if name in current}
    again = Destination(destination.table, kept | destination.body)
    return create_filled(transaction, again, rows, replacing=True)


def _instead_of_partition(
    transaction: Transaction, current: Resource, destination: Destination, rows: Bound
) -> Written:
    ref = destination.table
    where = partitions.condition(current, destination.partition or "")
    transaction.rewrites(ref, current)
    # The rows may be those of the partition itself, which has to be read before it is emptied.
    with definitions.held(transaction, ref, rows.sql) as path:
        transaction.cursor.execute(f"DELETE FROM {duck_path(ref)} WHERE {where}")  # noqa: S608
        return _append(transaction, current, destination, replace(rows, sql=f"SELECT * FROM {path}"))  # noqa: S608


def _append(transaction: Transaction, current: Resource, destination: Destination, rows: Bound) -> Written:
    ref = destination.table
    schema = _widened(transaction, current, destination, rows)
    count = _insert(transaction, current, [f["name"] for f in rows.schema], rows, destination.partition)
    definitions.touch(ref, transaction)
    return Written(schema, count)


def _widened(transaction: Transaction, current: Resource, destination: Destination, rows: Bound) -> list[Field]:
    """The table's schema once it can take the rows. Raises ApiError where it may not be changed to."""
    ref = destination.table
    old = definitions.fields_of(current)
    known = {f["name"].lower() for f in old}
    given = {f["name"].lower() for f in rows.schema}
    added = [{**f, "mode": "NULLABLE"} if f.get("mode") == "REQUIRED" else f for f in rows.schema
             if f["name"].lower() not in known]  # fmt: skip
    if added and old and "ALLOW_FIELD_ADDITION" not in destination.updates:
        names = ", ".join(f["name"] for f in added)
        raise invalid(f"Provided Schema does not match Table {ref}. Cannot add fields (field: {names})")
    missing = [f for f in old if f.get("mode") == "REQUIRED" and f["name"].lower() not in given]
    if missing and "ALLOW_FIELD_RELAXATION" not in destination.updates:
        raise invalid(
            f"Provided Schema does not match Table {ref}. Field {missing[0]['name']} is missing in new schema"
        )
    relaxed = [{**f, "mode": "NULLABLE"} if f in missing else f for f in old]
    if not added and not missing:
        return old
    new = [*relaxed, *added]
    definitions.update_table(
        transaction, ref, current, lambda body: resources.stamped({**body, "schema": {"fields": new}})
    )
    return new


def _limited(rows: Bound, names: list[str], table: Resource) -> Bound:
    """The rows, held to the parameters of the types of the table's columns that they go into."""
    known = {field["name"].lower(): field for field in definitions.fields_of(table)}
    fields = [known.get(name.lower(), field) for name, field in zip(names, rows.schema, strict=True)]
    if not any(map(has_limits, fields)):
        return rows
    columns = (quote(field["name"]) for field in rows.schema)
    values = (f"{limited(column, field)} AS {column}" for column, field in zip(columns, fields, strict=True))
    return replace(rows, sql=f"SELECT * REPLACE ({', '.join(values)}) FROM ({rows.sql})")  # noqa: S608


def _insert(
    transaction: Transaction,
    table: Resource,
    names: list[str],
    rows: Bound,
    partition: str | None = None,
    path: str | None = None,
) -> int:
    """Insert the rows into the columns of these names, and into a partition where one is named. Returns how many.

    `path` is where the table's rows are for now, if not in their place.
    """
    ref = definitions.ref_of(table)
    rows = _limited(rows, names, table)
    columns, sql = [quote(name) for name in names], rows.sql
    if partitions.is_ingestion_time(table):
        if partition is not None:
            sql = f"SELECT {_visible(rows)}, {partitions.arrival(table, partition)} FROM ({rows.sql})"  # noqa: S608
        if partition is not None or rows.has_times:
            columns.append(quote(partitions.INGESTION_TIME))
    elif rows.has_times:
        sql = f"SELECT {_visible(rows)} FROM ({rows.sql})"  # noqa: S608
    if others := left_out(definitions.fields_of(table), rows.schema):
        columns += [quote(field["name"]) for field in others]
        sql = f"SELECT *, {', '.join(map(default_of, others))} FROM ({sql})"  # noqa: S608
    is_checked = partition is not None and not partitions.is_ingestion_time(table)
    into = path or duck_path(ref)
    before = _count(transaction, table, partition) if is_checked else 0
    try:
        row = transaction.cursor.execute(f"INSERT INTO {into} ({', '.join(columns)}) {sql}").fetchone()
    except duckdb.ConstraintException as error:
        raise invalid(f"Required field of {ref} cannot be null: {str(error).splitlines()[0]}") from error
    except duckdb.ConversionException as error:
        if (told := raised_message(error)) is None:
            raise
        raise invalid(told) from error

    inserted = int(row[0]) if row else 0
    transaction.adds(ref, inserted)
    if is_checked and _count(transaction, table, partition) - before != inserted:
        raise invalid(
            f"Some rows belong to different partitions rather than destination partition {ref.table}${partition}"
        )
    return inserted


def _visible(rows: Bound) -> str:
    return ", ".join(quote(field["name"]) for field in rows.schema)


def _count(transaction: Transaction, table: Resource, partition: str | None) -> int:
    where = partitions.condition(table, partition) if partition is not None else "TRUE"
    query = f"SELECT count(*) FROM {duck_path(definitions.ref_of(table))} WHERE {where}"  # noqa: S608
    row = transaction.cursor.execute(query).fetchone()
    return int(row[0]) if row else 0


def _has_rows(transaction: Transaction, table: Resource, partition: str | None) -> bool:
    where = partitions.condition(table, partition) if partition is not None else "TRUE"
    query = f"SELECT 1 FROM {duck_path(definitions.ref_of(table))} WHERE {where} LIMIT 1"  # noqa: S608
    return transaction.cursor.execute(query).fetchone() is not None
