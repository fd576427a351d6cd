"""Statements that read and write rows: queries, DML, and queries with a destination."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import table_key
from tarn_bigquery.catalog.names import TableRef, quote
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.database import Database, Transaction
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.locks import TableLocks
from tarn_bigquery.engine.result_cache import ResultCache
from tarn_bigquery.engine.results import NoRows, RowSource, StoredRows, keep_rows, place_of_rows
from tarn_bigquery.engine.session import Session
from tarn_bigquery.engine.stats import TableSizes, billed_bytes
from tarn_bigquery.engine.writes import Bound, Destination, write_rows
from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.context import Prepared, QueryContext
from tarn_bigquery.sql.errors import from_duckdb
from tarn_bigquery.sql.parse import Statement
from tarn_bigquery.sql.resolve import target_of
from tarn_bigquery.sql.translate import prepare
from tarn_bigquery.sql.types import Field, duck_type

_BATCH_ROWS = 100_000


@dataclass
class Outcome:
    """What a statement came to."""

    statement_type: str
    result: RowSource = field(default_factory=lambda: NoRows([]))
    bytes_processed: int = 0
    references: list[TableRef] = field(default_factory=list)
    destination: TableRef | None = None
    statistics: dict[str, Any] = field(default_factory=dict)
    is_cached: bool = False


class Queries:
    """Runs statements that read or write rows. Every method may raise ApiError with what BigQuery would say."""

    def __init__(
        self, database: Database, locks: TableLocks, sizes: TableSizes, results: Path, cache: ResultCache
    ) -> None:
        self.database = database
        self.locks = locks
        self.sizes = sizes
        self._results = results
        self._cache = cache

    def describe(self, statement: Statement, context: QueryContext) -> Outcome:
        """What a statement would give, without running it: schema and bytes."""
        with self.database.cursor() as cursor, self.prepared(statement, context, cursor) as query:
            if isinstance(statement.tree, exp.Query):
                result: RowSource = NoRows(bind(cursor, query).schema)
            else:
                cursor.execute(f"EXPLAIN {query.sql}")
                result = NoRows(definitions.fields_of(context.catalog.table(target_of(statement.tree, context))))
            return Outcome("", result, self.bytes_of(query, context), list(query.references))

    def cached(self, job: Job) -> Outcome | None:
        """What the same query gave before, where nothing that it read has changed."""
        found = self._cache.find(job, self._place(job))
        if found is None:
            return None
        return Outcome("SELECT", found.rows, references=list(found.resources), is_cached=True)

    def select(self, statement: Statement, context: QueryContext, job: Job) -> Outcome:
        """Run a query and keep its rows with the job."""
        with self.attached(job) as cursor, self.prepared(statement, context, cursor) as query:
            size = self._size(query, context, job)
            reader = rows_of(cursor, query).to_arrow_reader(_BATCH_ROWS)
            result = keep_rows(reader, query.schema or [], self._place(job))
            self._cache.keep(job, result, query)
            return Outcome("SELECT", result, size, list(query.references))

    def select_into(self, statement: Statement, context: QueryContext, job: Job, destination: Destination) -> Outcome:
        """Run a query and put its rows into a table, in one transaction."""
        with (
            self.attached(job) as cursor,
            self.writing(job, cursor, destination.table) as transaction,
            self.prepared(statement, context, cursor) as query,
        ):
            size = self._size(query, context, job)
            bound = bind(cursor, query)
            require_distinct_names(query)
            current = self.database.catalog.find(table_key(destination.table))
            schema = write_rows(transaction, current, destination, bound).schema
            references = list(query.references)
        result = StoredRows.of(self.database, destination.table, schema)
        return Outcome("SELECT", result, size, references, destination.table)

    def modify(self, statement: Statement, context: QueryContext, job: Job) -> Outcome:
        """Run INSERT, UPDATE, DELETE, MERGE or TRUNCATE."""
        target = target_of(statement.tree, context)
        with (
            self.attached(job) as cursor,
            self.writing(job, cursor, target) as transaction,
            self.prepared(statement, context, cursor) as query,
        ):
            size = self._size(query, context, job)
            if not isinstance(statement.tree, exp.Insert):
                transaction.rewrites(target, context.catalog.table(target))
            counts = _run_dml(cursor, statement.tree, query.sql)
            transaction.adds(target, counts.get("insertedRowCount", 0))
            definitions.touch(target, transaction)
            references = list(query.references)
        statistics = {
            "numDmlAffectedRows": str(sum(counts.values())),
            "dmlStats": {name: str(count) for name, count in counts.items()},
        }
        return Outcome("", NoRows([]), size, references, target, statistics)

    @contextmanager
    def attached(self, job: Job) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection that a job works on, which a cancel interrupts."""
        with self.connection(job.session) as cursor:
            job.attach(cursor)
            try:
                yield cursor
            except duckdb.InterruptException:
                job.check_cancelled()
                raise
            finally:
                job.detach()

    @contextmanager
    def connection(self, session: Session | None) -> Iterator[duckdb.DuckDBPyConnection]:
        """The connection of the session's open transaction, or one of its own where there is none."""
        if session is not None and session.cursor is not None:
            yield session.cursor
            return
        with self.database.cursor() as cursor:
            yield cursor

    @contextmanager
    def writing(self, job: Job, cursor: duckdb.DuckDBPyConnection, table: TableRef) -> Iterator[Transaction]:
        """A transaction that alone writes the table: the session's where one is open."""
        session = job.session
        if session is not None and session.transaction is not None:
            session.lock(table)
            yield session.transaction
            return
        with self.locks.writing(table, session), self.database.transaction(cursor) as transaction:
            yield transaction

    def fetch(self, statement: Statement, context: QueryContext, session: Session) -> tuple[pa.Table, list[Field], int]:
        """A query's rows at once, with their schema and the bytes that it read: for what a script works with."""
        with self.connection(session) as cursor, self.prepared(statement, context, cursor) as query:
            bound = bind(cursor, query)
            return cursor.sql(bound.sql).to_arrow_table(), bound.schema, self.bytes_of(query, context)

    @contextmanager
    def prepared(
        self, statement: Statement, context: QueryContext, cursor: duckdb.DuckDBPyConnection
    ) -> Iterator[Prepared]:
        """The statement in DuckDB's SQL, with what it reads within reach of the connection."""
        with prepare(statement.tree, context, statement.script) as query:
            for name, rows in query.relations.items():
                cursor.register(name, rows)
            try:
                yield query
            except duckdb.InterruptException:
                raise
            except duckdb.Error as error:
                raise from_duckdb(error, statement) from error
            finally:
                for name in query.relations:
                    cursor.unregister(name)

    def _place(self, job: Job) -> Path:
        return place_of_rows(self._results, *job.key)

    def _size(self, query: Prepared, context: QueryContext, job: Job) -> int:
        """Bytes that the query is about to read.

        Raises ApiError `bytesBilledLimitExceeded` where they would be billed higher than the job allows.
        """
        size = self.bytes_of(query, context)
        limit = job.configuration.get("query", {}).get("maximumBytesBilled")
        billed = billed_bytes(size, len(query.references))
        if limit is not None and billed > int(limit):
            raise ApiError(
                "bytesBilledLimitExceeded",
                f"Query exceeded limit for bytes billed: {limit}. {billed} or higher required.",
            )
        return size

    def bytes_of(self, query: Prepared, context: QueryContext) -> int:
        """Bytes of the columns read, of stored tables and of objects."""
        total = query.external_bytes
        for ref, columns in query.references.items():
            body = context.catalog.find(table_key(ref))
            if body is not None:
                total += self.sizes.bytes_read(body, columns, query.partitions.get(ref, []))
        return total


def bind(cursor: duckdb.DuckDBPyConnection, query: Prepared) -> Bound:
    """Have DuckDB check a query, and its columns be of exactly the types that its schema says."""
    return Bound(_typed(query, cursor.sql(query.sql)), query.schema or [])


def require_distinct_names(query: Prepared) -> None:
    """Raises ApiError `invalidQuery` for a query whose columns cannot be those of a table."""
    lowered = [name.lower() for name in query.names]
    if twice := sorted({name for name in lowered if lowered.count(name) > 1}):
        raise invalid_query(
            "Duplicate column names in the result are not supported when a destination table is present. "
            f"Found duplicate(s): {', '.join(twice)}"
        )


def rows_of(cursor: duckdb.DuckDBPyConnection, query: Prepared) -> duckdb.DuckDBPyRelation:
    """The rows of a query that is run at once: as `bind`, but DuckDB reads the query's text once where it can."""
    relation = cursor.sql(query.sql)
    sql = _typed(query, relation)
    return relation if sql == query.sql else cursor.sql(sql)


def _typed(query: Prepared, relation: duckdb.DuckDBPyRelation) -> str:
    """The query's SQL, with a cast on every column where DuckDB's types are not those of its schema."""
    schema = query.schema or []
    kinds = [duck_type(field) for field in schema]
    if kinds == [str(kind) for kind in relation.types]:
        return query.sql
    names = (quote(field["name"]) for field in schema)
    casts = ", ".join(f"CAST({n} AS {k}) AS {n}" for n, k in zip(names, kinds, strict=True))
    return f"SELECT {casts} FROM ({query.sql})"  # noqa: S608


_COUNTS: dict[type[exp.Expr], str] = {
    exp.Insert: "insertedRowCount",
    exp.Update: "updatedRowCount",
    exp.Delete: "deletedRowCount",
}
_ACTIONS = {"INSERT": "insertedRowCount", "UPDATE": "updatedRowCount", "DELETE": "deletedRowCount"}


def _run_dml(cursor: duckdb.DuckDBPyConnection, tree: exp.Expr, sql: str) -> dict[str, int]:
    """Run the statement; how many rows it inserted, updated and deleted."""
    if isinstance(tree, exp.Merge):
        actions = cursor.execute(f"{sql} RETURNING merge_action").fetchall()
        return {name: sum(row[0] == action for row in actions) for action, name in _ACTIONS.items()}
    row = cursor.execute(sql).fetchone()
    name = _COUNTS.get(type(tree), "deletedRowCount")
    return {name: int(row[0]) if row else 0}
