"""Copy jobs: tables, or partitions of them, into a table. Snapshots and clones are copies that remember."""

import datetime as dt
from dataclasses import replace
from typing import Any

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import INGESTION_TIME, Decorated, condition, is_ingestion_time, undecorated
from tarn_bigquery.catalog.resources import require
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.queries import Queries
from tarn_bigquery.engine.writes import Bound, destination, write_rows
from tarn_bigquery.errors import invalid, unsupported

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
        sources = [undecorated(TableRef.from_rest(source, job.project)) for source in given]
        target = undecorated(TableRef.from_rest(require(config, "destinationTable"), job.project))
        catalog = self._queries.database.catalog
        bodies = [catalog.table(source.table) for source in sources]
        catalog.dataset(target.table.parent)
        goal = destination(target, config, default_write="WRITE_EMPTY")
        body = definition(bodies[0]) | goal.body
        if operation == "SNAPSHOT":
            body |= snapshot_of(sources[0].table)
        goal = replace(goal, body=body)
        with (
            self._queries.attached(job) as cursor,
            self._queries.locks.writing(target.table, job.session),
            self._queries.database.transaction(cursor) as transaction,
        ):
            rows = union(sources, bodies, with_times=True)
            written = write_rows(transaction, catalog.find(table_key(target.table)), goal, rows)
        job.destination = target.table
        job.statistics = {"copy": {"copiedRows": str(written.rows), "copiedLogicalBytes": "0"}}


def snapshot_of(source: TableRef) -> Resource:
    """What makes a table a snapshot, taken now."""
    now = dt.datetime.now(dt.UTC).isoformat().replace("+00:00", "Z")
    return {"snapshotDefinition": {"baseTableReference": source.rest(), "snapshotTime": now}}


def definition(body: Resource) -> Resource:
    """What a copy takes over besides the rows: columns, partitions, clusters, descriptions."""
    return {name: body[name] for name in _DEFINING if name in body}


def union(sources: list[Decorated], bodies: list[Resource], *, with_times: bool = False) -> Bound:
    """The rows of all sources, whose schemas must be alike; with the times of their ingestion where all have them."""
    schema = definitions.fields_of(bodies[0])
    shape = [(field["name"].lower(), field["type"]) for field in schema]
    for source, body in zip(sources, bodies, strict=True):
        if not definitions.is_stored(body):
            raise invalid(f"Cannot copy {source.table}: it is of type {body['type']}.")
        if [(field["name"].lower(), field["type"]) for field in definitions.fields_of(body)] != shape:
            raise invalid(f"The schema of {source.table} differs from that of {sources[0].table}.")
    names = [field["name"] for field in schema]
    has_times = with_times and all(map(is_ingestion_time, bodies))
    selects = (
        _select(source, body, [*names, INGESTION_TIME] if has_times else names)
        for source, body in zip(sources, bodies, strict=True)
    )
    return Bound(" UNION ALL ".join(selects), schema, has_times)


def _select(source: Decorated, body: dict[str, Any], names: list[str]) -> str:
    columns = ", ".join(map(quote, names))
    query = f"SELECT {columns} FROM {duck_path(source.table)}"  # noqa: S608
    return f"{query} WHERE {condition(body, source.partition)}" if source.partition else query
