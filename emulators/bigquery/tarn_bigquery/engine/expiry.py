"""The end of tables and partitions whose time has come.

https://cloud.google.com/bigquery/docs/managing-tables#updating_a_tables_expiration_time and
https://cloud.google.com/bigquery/docs/managing-partitioned-tables#partition-expiration
"""

import logging
import threading
from datetime import UTC, datetime, timedelta
from math import inf

import duckdb

from tarn_bigquery.catalog import partitions
from tarn_bigquery.catalog.catalog import Resource, expiration_of, partition_life, table_key
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.database import Database, Transaction
from tarn_bigquery.engine.locks import TableLocks
from tarn_bigquery.errors import ApiError

_log = logging.getLogger("tarn_bigquery.expiry")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_YEAR_MS = int((datetime(1, 1, 2, tzinfo=UTC) - _EPOCH).total_seconds()) * 1000


class Expiry:
    """Drops what has expired. Whoever is about to read or count rows calls `sweep` first: mostly it does nothing."""

    def __init__(self, database: Database, locks: TableLocks) -> None:
        self._database = database
        self._locks = locks
        self._turn = threading.Lock()

    def sweep(self) -> None:
        """Drop what has expired by now. A table that is being written is left for the next call."""
        catalog = self._database.catalog
        if catalog.clock() < catalog.due or not self._turn.acquire(blocking=False):
            return
        try:
            with catalog.lock:
                # What is changed from here on lowers it again.
                catalog.due = inf
                bodies = [body for key, body in catalog.resources.items() if key.kind == "Table"]
            due = min((self._settled(body) for body in bodies), default=inf)
            with catalog.lock:
                catalog.due = min(catalog.due, due)
        finally:
            self._turn.release()

    def _settled(self, body: Resource) -> float:
        """Take from a table what has expired. Returns when something of it expires next."""
        moment, life = expiration_of(body), partition_life(body)
        if moment is None and life is None:
            return inf
        ref, now = definitions.ref_of(body), self._database.catalog.clock()
        if life is None and moment is not None and moment > now:
            return moment
        with self._locks.trying(ref) as held:
            if not held:
                return now
            try:
                return self._expire(ref, now)
            except (duckdb.Error, ApiError) as error:
                _log.info("%s is left for later: %s", ref, error)
                return now

    def _expire(self, ref: TableRef, now: int) -> float:
        # As it is now that nobody else writes it.
        body = self._database.catalog.resources.get(table_key(ref))
        if body is None:
            return inf
        moment = expiration_of(body)
        if moment is not None and moment <= now:
            with self._database.transaction() as transaction:
                definitions.drop_table(transaction, body)
            _log.info("%s has expired", ref)
            return inf
        life = partition_life(body)
        oldest = inf if life is None else self._expire_partitions(body, now, life)
        return min(oldest, inf if moment is None else moment)

    def _expire_partitions(self, body: Resource, now: int, life: int) -> float:
        if now - life < _FIRST_YEAR_MS:
            return inf
        kind = body["timePartitioning"]["type"]
        column, path = quote(partitions.partition_column(body) or ""), duck_path(definitions.ref_of(body))
        _, kept_from = partitions.around(kind, _EPOCH + timedelta(milliseconds=now - life))
        is_old = f"CAST({column} AS TIMESTAMP) < TIMESTAMP '{kept_from:%Y-%m-%d %H:%M:%S}'"
        with self._database.cursor() as cursor:
            if cursor.execute(f"SELECT 1 FROM {path} WHERE {is_old} LIMIT 1").fetchone():  # noqa: S608
                with self._database.transaction(cursor) as transaction:
                    _delete(transaction, body, is_old)
            row = cursor.execute(f"SELECT CAST(min({column}) AS TIMESTAMP) FROM {path}").fetchone()  # noqa: S608
        if row is None or row[0] is None:
            return inf
        start, _ = partitions.around(kind, row[0].replace(tzinfo=UTC))
        return start.timestamp() * 1000 + life


def _delete(transaction: Transaction, body: Resource, where: str) -> None:
    ref = definitions.ref_of(body)
    transaction.rewrites(ref, body)
    row = transaction.cursor.execute(f"DELETE FROM {duck_path(ref)} WHERE {where}").fetchone()  # noqa: S608
    definitions.touch(ref, transaction)
    _log.info("%s rows of %s have expired", row[0] if row else 0, ref)
