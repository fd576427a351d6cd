"""The one DuckDB database: it holds the rows of native tables and the catalog, and commits them together."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb

from tarn_bigquery.catalog.catalog import Catalog, Change, Clock, Resource, decode_key, encode_body, encode_key
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.resources import now_ms
from tarn_bigquery.engine import googlesql
from tarn_bigquery.engine.past import Past, RowChange, rows_to_keep

# Every version of a resource is a row of its own and a body of NULL is its end. Rows are only ever added while
# the program runs, so two transactions never conflict over the catalog.
_SCHEMA = """
CREATE SCHEMA IF NOT EXISTS _tarn;
CREATE SEQUENCE IF NOT EXISTS _tarn.versions;
CREATE TABLE IF NOT EXISTS _tarn.resources (
    version BIGINT DEFAULT nextval('_tarn.versions'),
    kind VARCHAR NOT NULL, project VARCHAR NOT NULL, dataset VARCHAR NOT NULL, name VARCHAR NOT NULL, body VARCHAR
);
DELETE FROM _tarn.resources AS r WHERE body IS NULL OR EXISTS (
    SELECT 1 FROM _tarn.resources AS newer WHERE newer.version > r.version
    AND (newer.kind, newer.project, newer.dataset, newer.name) = (r.kind, r.project, r.dataset, r.name)
);
"""

_SETTINGS: dict[str, str | bool | int | float | list[str]] = {
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
    "allow_community_extensions": False,
    "default_null_order": "nulls_first_on_asc_last_on_desc",
    "preserve_insertion_order": True,
}


class Database:
    """DuckDB with the catalog in step: `transaction()` is the one way to write either."""

    def __init__(self, path: Path | None, temp_dir: Path, clock: Clock = now_ms) -> None:
        """Open the file, or a database in memory where `path` is None. `temp_dir` takes what spills."""
        settings = _SETTINGS | {"temp_directory": str(temp_dir)}
        self._root = duckdb.connect(str(path) if path else ":memory:", config=settings)
        self._root.execute("SET GLOBAL TimeZone = 'UTC'")
        # A file of the object cache never changes under its name.
        self._root.execute("SET GLOBAL parquet_metadata_cache = true")
        googlesql.install(self._root)
        self._root.execute(_SCHEMA)
        rows = self._root.execute(
            "SELECT kind, project, dataset, name, body FROM _tarn.resources ORDER BY version"
        ).fetchall()
        self.catalog = Catalog({decode_key(*row[:4]): json.loads(row[4]) for row in rows}, clock)
        self.past = Past(self.catalog)
        self._cursors = threading.Lock()
        self.schemas = threading.Lock()
        """Held while a dataset is made or dropped."""

    @contextmanager
    def cursor(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection of one's own to the database, for one job."""
        with self._cursors:
            cursor = self._root.cursor()
        try:
            yield cursor
        finally:
            cursor.close()

    @contextmanager
    def transaction(self, cursor: duckdb.DuckDBPyConnection | None = None) -> Iterator["Transaction"]:
        """Rows and resources in one commit. An exception in the block takes all of it back."""
        if cursor is None:
            with self.cursor() as own, self.transaction(own) as transaction:
                yield transaction
            return
        cursor.begin()
        transaction = Transaction(cursor, self.catalog)
        try:
            yield transaction
            self.commit(transaction)
        except BaseException:
            self.rollback(cursor)
            raise

    def commit(self, transaction: "Transaction") -> None:
        """Make what a transaction did last, rows and resources at once, and show it to every reader."""
        if not transaction.changes:
            transaction.cursor.commit()
            return
        with self.catalog.lock:
            moment = time.time_ns() // 1000
            outcome = self.catalog.resolve(transaction.changes)
            rows = [[*encode_key(key), encode_body(body)] for key, body in outcome.items()]
            transaction.cursor.executemany(
                "INSERT INTO _tarn.resources (kind, project, dataset, name, body) VALUES (?, ?, ?, ?, ?)", rows
            )
            transaction.cursor.commit()
            self.past.note(moment, outcome, transaction.row_changes)
            self.catalog.publish(outcome)

    @staticmethod
    def rollback(cursor: duckdb.DuckDBPyConnection) -> None:
        try:
            cursor.rollback()
        except duckdb.TransactionException:
            # A failed commit has already ended the transaction.
            return

    def close(self) -> None:
        self._root.close()


class Transaction:
    """One transaction: SQL on `cursor`, and changes of resources that are worked out at the commit."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, catalog: Catalog) -> None:
        self.cursor = cursor
        self.catalog = catalog
        self.changes: list[Change] = []
        self.row_changes: dict[TableRef, RowChange] = {}

    def change(self, *changes: Change) -> None:
        self.changes.extend(changes)

    def adds(self, ref: TableRef, rows: int) -> None:
        """Note that so many rows have come behind those that a table had."""
        change = self.row_changes.setdefault(ref, RowChange())
        # What comes behind rows that have been rewritten was never there without them.
        if not change.is_rewritten:
            change.added += rows

    def rewrites(self, ref: TableRef, body: Resource) -> None:
        """Note that rows of a stored table are about to be changed or taken away, and keep them as they are."""
        change = self.row_changes.setdefault(ref, RowChange())
        if not change.is_rewritten and Past.is_kept(ref):
            change.rows = rows_to_keep(self.cursor, ref, body)
        change.is_rewritten = True
