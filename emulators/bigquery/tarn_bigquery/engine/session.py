"""What the statements of a script share, or the jobs of a session: temporary tables, and an open transaction."""

import secrets
import threading
from collections import ChainMap
from contextlib import ExitStack

import duckdb

from tarn_bigquery.catalog.catalog import dataset_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.database import Database, Transaction
from tarn_bigquery.engine.locks import TableLocks
from tarn_bigquery.errors import invalid, invalid_query
from tarn_bigquery.sql.context import Variable

_PREFIX = "_script"


class Session:
    def __init__(self, database: Database, locks: TableLocks, project: str, name: str) -> None:
        self._database = database
        self._locks = locks
        self._open = ExitStack()
        self._locked: set[TableRef] = set()
        self.temporary = DatasetRef(project, _PREFIX + name.replace("-", "_"))
        self.transaction: Transaction | None = None

    @property
    def cursor(self) -> duckdb.DuckDBPyConnection | None:
        """The connection of the open transaction, if there is one."""
        return self.transaction.cursor if self.transaction is not None else None

    def need_temporary(self) -> DatasetRef:
        """The dataset of temporary tables, made when the first is."""
        if self._database.catalog.find(dataset_key(self.temporary)) is None:
            definitions.create_dataset(self._database, self.temporary, {})
        return self.temporary

    def begin(self) -> None:
        if self.transaction is not None:
            raise invalid_query("Transaction is already in progress.")
        cursor = self._open.enter_context(self._database.cursor())
        cursor.begin()
        self.transaction = Transaction(cursor, self._database.catalog)

    def lock(self, ref: TableRef) -> None:
        """Keep a table from other writers until the transaction ends."""
        if ref not in self._locked:
            self._open.enter_context(self._locks.writing(ref, self))
            self._locked.add(ref)

    def commit(self) -> None:
        transaction = self._ended("COMMIT")
        try:
            self._database.commit(transaction)
        finally:
            self._release()

    def rollback(self) -> None:
        transaction = self._ended("ROLLBACK")
        try:
            self._database.rollback(transaction.cursor)
        finally:
            self._release()

    def close(self) -> None:
        """Take back what is not committed, and drop what was temporary."""
        if self.transaction is not None:
            self.rollback()
        if self._database.catalog.find(dataset_key(self.temporary)) is not None:
            definitions.delete_dataset(self._database, self.temporary, contents=True)

    def _ended(self, verb: str) -> Transaction:
        if self.transaction is None:
            raise invalid_query(f"No transaction is in progress: there is nothing to {verb}.")
        transaction, self.transaction = self.transaction, None
        return transaction

    def _release(self) -> None:
        self._locked.clear()
        self._open.close()
        self._open = ExitStack()


def drop_leftovers(database: Database) -> None:
    """Drop the temporary tables of scripts that a kill has ended."""
    left = [key.dataset for key in list(database.catalog.resources) if key.kind == "Dataset"]
    for ref in left:
        if ref.dataset.startswith(_PREFIX):
            definitions.delete_dataset(database, ref, contents=True)


class LiveSession:
    """A session that a client has made, and names in the jobs that shall share it."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.variables: ChainMap[str, Variable] = ChainMap()
        # BigQuery runs the jobs of one session one after the other too.
        self.turn = threading.Lock()


class Sessions:
    """The sessions that clients have made, by their ids."""

    def __init__(self, database: Database, locks: TableLocks) -> None:
        self._database = database
        self._locks = locks
        self._live: dict[str, LiveSession] = {}

    def create(self, project: str) -> tuple[str, LiveSession]:
        name = secrets.token_hex(16)
        self._live[name] = LiveSession(Session(self._database, self._locks, project, name))
        return name, self._live[name]

    def get(self, name: str) -> LiveSession:
        """Raises ApiError `invalid` where there is no session of that id."""
        live = self._live.get(name)
        if live is None:
            raise invalid(f"Invalid input session id. Session {name} was not found.")
        return live

    def abort(self, live: LiveSession) -> None:
        """End a session, and what it kept."""
        self._live = {name: other for name, other in self._live.items() if other is not live}
        live.session.close()
