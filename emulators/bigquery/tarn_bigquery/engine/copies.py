"""Copy jobs: tables, or partitions of them, into a table. Snapshots and clones are copies that remember."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import duckdb

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import INGESTION_TIME, Decorated, condition, is_ingestion_time, undecorated
from tarn_bigquery.catalog.resources import require
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.past import relation_of
from tarn_bigquery.engine.queries import Queries
from tarn_bigquery.engine.writes import Bound, destination, write_rows
from tarn_bigquery.errors import invalid, unsupported

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DEFINING = ("schema", "timePartitioning", "rangePartitioning", "clustering", "description", "friendlyName",
             "requirePartitionFilter", "tableConstraints")  # fmt: skip


class Copies:
    def __init__(self, queries: Queries) -> None:
        self._queries = queries

    def run(self, job: Job) -> None:
        """Do what a copy job asks. Raises ApiError with what is wrong."""
        config = job.configuration["copy"]
        operation = config.get("operationType") or "COPY"
        if operation not in {"COPY", "CLONE", "SNAPSHOT", "RESTORE"}:
            raise unsupported(f"copy jobs of the type {operation}")
        given = config.get("sourceTables") or [require(config, "sourceTable")]
        origins = [undecorated(TableRef.from_rest(source, job.project)) for source in given]
        target = undecorated(TableRef.from_rest(require(config, "destinationTable"), job.project))
        catalog = self._queries.database.catalog
        catalog.dataset(target.table.parent)
        goal = destination(target, config, default_write="WRITE_EMPTY")
        with (
            self._queries.attached(job) as cursor,
            self._queries.locks.writing(target.table, job.session),
            self._queries.database.transaction(cursor) as transaction,
            sources(self._queries.database, cursor, origins) as found,
        ):
            goal = replace(goal, body=definition(found[0].body) | goal.body | made_of(found[0], operation))
            current = catalog.find(table_key(target.table))
            written = write_rows(transaction, current, goal, union(found, with_times=True))
        job.destination = target.table
        job.statistics = {"copy": {"copiedRows": str(written.rows), "copiedLogicalBytes": "0"}}


@dataclass(frozen=True)
class Source:
    """What a copy takes rows of: a table or a partition, now or as it was. `relation` is DuckDB's SQL for them."""

    origin: Decorated
    body: Resource
    relation: str


@contextmanager
def sources(database: Database, cursor: duckdb.DuckDBPyConnection, origins: list[Decorated]) -> Iterator[list[Source]]:
    """The sources within reach of a connection. Raises ApiError for a table that is not there, or was not."""
    found: list[Source] = []
    registered: list[str] = []
    for origin in origins:
        if origin.moment is None:
            found.append(Source(origin, database.catalog.table(origin.table), duck_path(origin.table)))
            continue
        then = database.past.at(origin.table, origin.moment)
        if then.rows is None:
            found.append(Source(origin, then.body, relation_of(then, origin.table, cursor)))
            continue
        registered.append(f"_past_{len(found)}")
        cursor.register(registered[-1], then.rows)
        found.append(Source(origin, then.body, registered[-1]))
    try:
        yield found
    finally:
        for name in registered:
            cursor.unregister(name)


def made_of(source: Source, operation: str) -> Resource:
    """What a table remembers of the one that it is a SNAPSHOT or a CLONE of; nothing for a plain COPY."""
    names = {"SNAPSHOT": ("snapshotDefinition", "snapshotTime"), "CLONE": ("cloneDefinition", "cloneTime")}
    if operation not in names:
        return {}
    name, time_name = names[operation]
    moment = source.origin.moment
    taken = datetime.now(UTC) if not moment else _EPOCH + timedelta(microseconds=moment)
    time = taken.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {name: {"baseTableReference": source.origin.table.rest(), time_name: time}}


def definition(body: Resource) -> Resource:
    """What a copy takes over besides the rows: columns, partitions, clusters, descriptions."""
    return {name: body[name] for name in _DEFINING if name in body}


def union(found: list[Source], *, with_times: bool = False) -> Bound:
    """The rows of all sources, whose schemas must be alike; with the times of their ingestion where all have them."""
    schema = definitions.fields_of(found[0].body)
    shape = [(field["name"].lower(), field["type"]) for field in schema]
    for source in found:
        table, body = source.origin.table, source.body
        if not definitions.is_stored(body):
            raise invalid(f"Cannot copy {table}: it is of type {body['type']}.")
        if [(field["name"].lower(), field["type"]) for field in definitions.fields_of(body)] != shape:
            raise invalid(f"The schema of {table} differs from that of {found[0].origin.table}.")
    names = [field["name"] for field in schema]
    has_times = with_times and all(is_ingestion_time(source.body) for source in found)
    selects = (_select(source, [*names, INGESTION_TIME] if has_times else names) for source in found)
    return Bound(" UNION ALL ".join(selects), schema, has_times)


def _select(source: Source, names: list[str]) -> str:
    columns = ", ".join(map(quote, names))
    query = f"SELECT {columns} FROM {source.relation}"  # noqa: S608
    partition = source.origin.partition
    return f"{query} WHERE {condition(source.body, partition)}" if partition else query
