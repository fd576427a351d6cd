"""Rows of JSON into a stored table, as tabledata.insertAll does it."""

import contextlib
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import duckdb
import pyarrow as pa

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import INGESTION_TIME, arrival, is_ingestion_time, undecorated
from tarn_bigquery.catalog.resources import new_table
from tarn_bigquery.engine.copies import definition
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.definitions import create_table, fields_of, ref_of, touch
from tarn_bigquery.engine.streamed_rows import Problem, StreamedRow, arrow_table, read_row, stored, value_problems
from tarn_bigquery.errors import ApiError, invalid
from tarn_bigquery.sql.compiler.defaults import default_of, has_default
from tarn_bigquery.sql.compiler.values import text
from tarn_bigquery.sql.errors import raised_message
from tarn_bigquery.sql.types import Field

Errors = list[dict[str, Any]]
Problems = dict[int, list[Problem]]
"""What is wrong with rows, by their places in the request."""

_KEPT_IDS = 50_000
_KEPT_SECONDS = 120.0
_MOST_ROWS = 50_000
"""https://cloud.google.com/bigquery/quotas#streaming_inserts"""


@dataclass(frozen=True)
class _Target:
    """Where rows go: a table, and the partition of it that is named, if one is."""

    table: Resource
    partition: str | None

    @property
    def name(self) -> str:
        """Another one where the table was dropped and made again."""
        return f"{self.table['id']}@{self.table['creationTime']}"


class Inserts:
    """Streamed rows. A row that comes again with the insertId of one that is in is left out, for a while.

    https://cloud.google.com/bigquery/docs/streaming-data-into-bigquery#dataconsistency
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._recent = RecentIds()

    def insert(self, ref: TableRef, body: dict[str, Any]) -> Errors:
        """Insert the rows of the request. Returns `insertErrors`: what is wrong with which row.

        Unless `skipInvalidRows` is set, one bad row keeps all of them out.
        """
        decorated = undecorated(ref)
        resource = self._database.catalog.table(decorated.table)
        if resource["type"] != "TABLE":
            raise invalid(f"Cannot add rows to a table of type {resource['type']}.")
        given = body.get("rows") or []
        if not given:
            raise invalid("No rows present in the request.")
        if len(given) > _MOST_ROWS:
            raise invalid(f"Too many rows present in the request, limit: {_MOST_ROWS} row count: {len(given)}.")
        if suffix := body.get("templateSuffix"):
            resource = _of_template(self._database, resource, suffix)
        fields, ignore_unknown = fields_of(resource), bool(body.get("ignoreUnknownValues"))
        rows = [read_row(index, row, fields, ignore_unknown=ignore_unknown) for index, row in enumerate(given)]
        skip_bad = bool(body.get("skipInvalidRows"))
        problems = self._add(_Target(resource, decorated.partition), rows, skip_bad=skip_bad)
        return _errors(problems, [] if skip_bad else rows)

    def _add(self, target: _Target, rows: list[StreamedRow], *, skip_bad: bool) -> Problems:
        """Insert all rows; of rows with bad ones among them the good ones or, unless those are skipped, none."""
        problems = {row.index: row.problems for row in rows if row.problems}
        if problems and not skip_bad:
            return _merged(problems, self._value_problems(target, rows))
        try:
            self._insert(target, _without(problems, rows))
        except ApiError:
            found = self._value_problems(target, rows)
            if not found:
                raise
            problems = _merged(problems, found)
            if skip_bad:
                self._insert(target, _without(problems, rows))
        return problems

    def _insert(self, target: _Target, rows: list[StreamedRow]) -> None:
        with self._recent.new(target.name, rows) as fresh:
            if fresh:
                _store(self._database, target, fresh)

    def _value_problems(self, target: _Target, rows: list[StreamedRow]) -> Problems:
        with self._database.cursor() as cursor:
            return value_problems(cursor, rows, fields_of(target.table))


class RecentIds:
    """The insertIds of the last minutes, no more than so many."""

    def __init__(self, kept: int = _KEPT_IDS, seconds: float = _KEPT_SECONDS) -> None:
        self._kept = kept
        self._seconds = seconds
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def new(self, table: str, rows: list[StreamedRow]) -> Iterator[list[StreamedRow]]:
        """The rows whose ids are not known for the table, or that have none. Where the block fails, none becomes so."""
        fresh, ids = [], []
        with self._guard:
            self._forget()
            for row in rows:
                key = (table, row.insert_id)
                if key[1] and key in self._seen:
                    continue
                fresh.append(row)
                if key[1]:
                    self._seen[key] = time.monotonic()
                    ids.append(key)
        try:
            yield fresh
        except BaseException:
            with self._guard:
                for key in ids:
                    self._seen.pop(key, None)
            raise

    def _forget(self) -> None:
        oldest = time.monotonic() - self._seconds
        while self._seen and (len(self._seen) > self._kept or next(iter(self._seen.values())) < oldest):
            self._seen.popitem(last=False)


def _of_template(database: Database, template: Resource, suffix: str) -> Resource:
    """The table named as the template with the suffix behind it, made like the template where it is not there."""
    ref = ref_of(template)
    named = ref.parent.table(ref.table + suffix)
    if (found := database.catalog.find(table_key(named))) is not None:
        return found
    with contextlib.suppress(ApiError), database.transaction() as transaction:
        # Suppressed is that another request makes it at this moment; anything else shows when it is looked up.
        create_table(transaction, new_table(named, definition(template), template["location"]))
    return database.catalog.table(named)


def _without(problems: Problems, rows: list[StreamedRow]) -> list[StreamedRow]:
    return [row for row in rows if row.index not in problems]


def _merged(some: Problems, others: Problems) -> Problems:
    return {index: [*some.get(index, []), *others.get(index, [])] for index in sorted(some.keys() | others.keys())}


def _errors(problems: Problems, stopped: list[StreamedRow]) -> Errors:
    """The bad rows, and behind them those that were good and not inserted because of the bad ones."""
    if not problems:
        return []
    reason = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
    return [
        *({"index": index, "errors": [problem.proto() for problem in found]} for index, found in problems.items()),
        *({"index": row.index, "errors": [reason]} for row in _without(problems, stopped)),
    ]


def _store(database: Database, target: _Target, rows: list[StreamedRow]) -> None:
    """Raises ApiError `invalid` where a row has a value that its column cannot hold."""
    ref, fields = ref_of(target.table), fields_of(target.table)
    names = [field["name"] for field in fields]
    columns = ", ".join(_or_default(field) for field in fields)
    if target.partition is not None and is_ingestion_time(target.table):
        names.append(INGESTION_TIME)
        columns += f", {arrival(target.table, target.partition)}"
    given = pa.array([row.given for row in rows], pa.list_(pa.string()))
    with database.transaction() as transaction:
        transaction.cursor.register("_rows", arrow_table(rows, fields).append_column(_GIVEN, given))
        try:
            [(count,)] = transaction.cursor.execute(
                f"INSERT INTO {duck_path(ref)} ({', '.join(map(quote, names))}) SELECT {columns} FROM _rows"  # noqa: S608
            ).fetchall()
        except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
            raise invalid(raised_message(error) or str(error).split("\n", 1)[0]) from error
        finally:
            # After a value that does not convert, the rollback takes the registration along.
            with contextlib.suppress(duckdb.TransactionException):
                transaction.cursor.unregister("_rows")
        transaction.adds(ref, count)
        touch(ref, transaction)


_GIVEN = "_PARTITION_given"
"""The keys that a row came with, beside its columns: no column may have a name that begins so."""


def _or_default(field: Field) -> str:
    """What a row gives a column, or the column's default where the row leaves it out."""
    value = stored(field)
    if not has_default(field):
        return value
    name = text(field["name"].lower())
    return f"CASE WHEN list_contains({quote(_GIVEN)}, {name}) THEN {value} ELSE {default_of(field)} END"
