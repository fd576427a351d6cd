"""What tables held before they were changed: since the program's start, and as long as it is small.

Rows that were added since a moment are left out by their number, as DuckDB keeps rows in the order in which they came.
Rows that are about to be changed or taken away are copied to memory before, where they are few enough.

https://cloud.google.com/bigquery/docs/access-historical-data
"""

import threading
from collections import deque
from dataclasses import dataclass, field

import duckdb
import pyarrow as pa

from tarn_bigquery.catalog.catalog import Catalog, Key, Resource, table_key
from tarn_bigquery.catalog.names import TableRef, duck_path
from tarn_bigquery.errors import ApiError, invalid, not_found, unsupported

_WINDOW_MICROSECONDS = 7 * 24 * 3600 * 1_000_000
_KEPT_TURNS = 10_000
_KEPT_BYTES = 64 * 1024 * 1024
_MOST_CELLS = 100_000
_MOST_BYTES = 4 * 1024 * 1024


@dataclass
class RowChange:
    """What a transaction does to the rows of a table. `rows` are those before it, where they could be kept."""

    added: int = 0
    is_rewritten: bool = False
    rows: pa.Table | None = None


@dataclass(frozen=True)
class _Turn:
    """One commit: when it was, in microseconds since the epoch, what the table was before, what became of its rows."""

    moment: int
    before: Resource | None
    change: RowChange


@dataclass(frozen=True)
class Then:
    """A table as it was: its resource, and its rows.

    They are `rows`; where that is None, those that are stored now but for the last `added` ones.
    """

    body: Resource
    rows: pa.Table | None = None
    added: int = 0


def rows_to_keep(cursor: duckdb.DuckDBPyConnection, ref: TableRef, body: Resource) -> pa.Table | None:
    """The rows that a table has for a connection, or None where they are too many to be kept."""
    width = len(body.get("schema", {}).get("fields", [])) or 1
    [(count,)] = cursor.execute(f"SELECT count(*) FROM {duck_path(ref)}").fetchall()  # noqa: S608
    if count * width > _MOST_CELLS:
        return None
    rows = cursor.sql(f"FROM {duck_path(ref)}").to_arrow_table()
    return rows if rows.nbytes <= _MOST_BYTES else None


def relation_of(then: Then, ref: TableRef, cursor: duckdb.DuckDBPyConnection) -> str:
    """DuckDB's SQL for the rows of a table as it was, where they are stored still."""
    if not then.added:
        return duck_path(ref)
    [(count,)] = cursor.execute(f"SELECT count(*) FROM {duck_path(ref)}").fetchall()  # noqa: S608
    return f"(SELECT * FROM {duck_path(ref)} LIMIT {count - then.added})"  # noqa: S608


@dataclass
class Past:
    """The turns of all tables, oldest first. What does not fit any more is forgotten from the oldest on."""

    catalog: Catalog
    _turns: dict[TableRef, deque[_Turn]] = field(default_factory=dict)
    _order: deque[TableRef] = field(default_factory=deque)
    _bytes: int = 0
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @staticmethod
    def is_kept(ref: TableRef) -> bool:
        """Whether a table has a past here: what is temporary, or a query's result, has none."""
        return not ref.dataset.startswith("_")

    def note(self, moment: int, outcome: dict[Key, Resource | None], changes: dict[TableRef, RowChange]) -> None:
        """Take down a commit, which the catalog does not show yet."""
        with self._guard:
            for key in outcome:
                ref = TableRef(key.dataset.project, key.dataset.dataset, key.name)
                if key.kind != "Table" or not self.is_kept(ref):
                    continue
                before = self.catalog.resources.get(key)
                change = changes.get(ref) or RowChange(is_rewritten=not _is_same(before, outcome[key]))
                turn = _Turn(moment, before, change)
                self._turns.setdefault(ref, deque()).append(turn)
                self._order.append(ref)
                self._bytes += _size(turn)
            while self._order and (len(self._order) > _KEPT_TURNS or self._bytes > _KEPT_BYTES):
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        ref = self._order.popleft()
        self._bytes -= _size(self._turns[ref].popleft())
        if not self._turns[ref]:
            del self._turns[ref]

    def at(self, ref: TableRef, moment: int) -> Then:
        """A table as it was at a moment, in microseconds since the epoch; 0 is the first one that is known.

        Raises:
            ApiError: `invalid` for a moment before the table was made or beyond the window of a week; `notFound` where
                there was no table; `notImplemented` where what it held is not kept.
        """
        with self._guard:
            turns = list(self._turns.get(ref, ()))
        moment = moment or self._oldest(ref, turns)
        later = [turn for turn in turns if turn.moment > moment]
        current = self.catalog.find(table_key(ref))
        body = later[0].before if later else current
        made = [int(b["creationTime"]) * 1000 for b in (*(turn.before for turn in turns), current) if b is not None]
        if not made:
            raise not_found("Table", ref)
        earliest = max(min(made), self.catalog.clock() * 1000 - _WINDOW_MICROSECONDS)
        # A moment is told in milliseconds, as the time of a table's making is.
        if moment // 1000 < earliest // 1000:
            raise _too_early(ref, moment, earliest)
        if body is None:
            raise _too_early(ref, moment, later[0].moment) if later else not_found("Table", ref)
        is_first = len(later) == len(turns)
        if is_first and int(body["lastModifiedTime"]) > moment // 1000:
            raise unsupported(f"reading {ref} as it was before what is kept of its past begins")
        return _then(ref, body, later)

    def _oldest(self, ref: TableRef, turns: list[_Turn]) -> int:
        """The first moment, in microseconds since the epoch, at which the table can be read."""
        first = turns[0].before if turns else self.catalog.table(ref)
        return turns[0].moment if first is None else int(first["lastModifiedTime"]) * 1000 + 999


def _is_same(before: Resource | None, after: Resource | None) -> bool:
    """Whether a table is still the one that it was, and not another of its name."""
    return before is None or (after is not None and before["creationTime"] == after["creationTime"])


def _then(ref: TableRef, body: Resource, later: list[_Turn]) -> Then:
    added = 0
    if body["type"] not in {"TABLE", "SNAPSHOT"}:
        return Then(body)
    for turn in later:
        added += turn.change.added
        if turn.change.is_rewritten:
            if turn.change.rows is None:
                raise unsupported(f"reading {ref} as it was: its rows were more than the {_MOST_CELLS} cells or "
                                  f"{_MOST_BYTES // 1024 // 1024} MB that are kept of a table's past")  # fmt: skip
            return Then(body, turn.change.rows.slice(0, turn.change.rows.num_rows - added))
    return Then(body, added=added)


def _too_early(ref: TableRef, moment: int, earliest: int) -> ApiError:
    asked = moment // 1000
    return invalid(
        f"Invalid time travel timestamp {asked} for table {ref}@{asked}. Cannot read before {earliest // 1000}."
    )


def _size(turn: _Turn) -> int:
    return turn.change.rows.nbytes if turn.change.rows is not None else 0
