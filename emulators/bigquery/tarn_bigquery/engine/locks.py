"""One writer a table: DML statements on one table run one after the other, as they do in BigQuery."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from tarn_bigquery.catalog.names import TableRef


@dataclass
class _Hold:
    owner: object
    depth: int = 1


class TableLocks:
    """Locks that belong to their owner: a session, whose jobs run on any thread, or else the thread that asks.

    Whoever holds a table may hold it again.
    """

    def __init__(self) -> None:
        self._holds: dict[TableRef, _Hold] = {}
        self._freed = threading.Condition()

    @contextmanager
    def trying(self, ref: TableRef) -> Iterator[bool]:
        """Hold the table for writing if nobody holds it. Gives whether it is held."""
        with self._freed:
            held = self._take(ref, threading.get_ident())
        try:
            yield held
        finally:
            if held:
                self._give(ref)

    @contextmanager
    def writing(self, ref: TableRef, owner: object | None = None) -> Iterator[None]:
        """Hold the table for writing; wait for whoever holds it. Without an `owner` the thread is it."""
        mine = threading.get_ident() if owner is None else owner
        with self._freed:
            self._freed.wait_for(lambda: self._take(ref, mine))
        try:
            yield
        finally:
            self._give(ref)

    def _take(self, ref: TableRef, owner: object) -> bool:
        hold = self._holds.get(ref)
        if hold is None:
            self._holds[ref] = _Hold(owner)
            return True
        if hold.owner != owner:
            return False
        hold.depth += 1
        return True

    def _give(self, ref: TableRef) -> None:
        with self._freed:
            hold = self._holds[ref]
            hold.depth -= 1
            if not hold.depth:
                del self._holds[ref]
                self._freed.notify_all()
