"""One writer a table: DML statements on one table run one after the other, as they do in BigQuery."""

import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager

from tarn_bigquery.catalog.names import TableRef


class TableLocks:
    def __init__(self) -> None:
        self._locks: defaultdict[TableRef, threading.RLock] = defaultdict(threading.RLock)
        self._guard = threading.Lock()

    @contextmanager
    def trying(self, ref: TableRef) -> Iterator[bool]:
        """Hold the table for writing if nobody holds it. Gives whether it is held."""
        with self._guard:
            lock = self._locks[ref]
        held = lock.acquire(blocking=False)
        try:
            yield held
        finally:
            if held:
                lock.release()

    @contextmanager
    def writing(self, ref: TableRef) -> Iterator[None]:
        """Hold the table for writing; wait for whoever holds it."""
        with self._guard:
            lock = self._locks[ref]
        with lock:
            yield
