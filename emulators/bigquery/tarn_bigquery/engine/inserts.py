"""Rows of JSON into a stored table, as tabledata.insertAll does it."""

import contextlib
import json
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
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
from tarn_bigquery.errors import ApiError, invalid
from tarn_bigquery.sql.compiler.defaults import default_of, has_default
from tarn_bigquery.sql.compiler.values import text
from tarn_bigquery.sql.errors import raised_message
from tarn_bigquery.sql.limits import limited
from tarn_bigquery.sql.types import Field, duck_type

Errors = list[dict[str, Any]]

_KEPT_IDS = 50_000
_KEPT_SECONDS = 120.0


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
        target = undecorated(ref)
        resource = self._database.catalog.table(target.table)
        if resource["type"] != "TABLE":
            raise invalid(f"Cannot add rows to a table of type {resource['type']}.")
        if suffix := body.get("templateSuffix"):
            resource = _of_template(self._database, resource, suffix)
        given = body.get("rows") or []
        if not given:
            raise invalid("No rows present in the request.")
        errors = _errors(given, fields_of(resource), ignore_unknown=bool(body.get("ignoreUnknownValues")))
        bad = {error["index"] for error in errors}
        if bad and not body.get("skipInvalidRows"):
            stopped = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
            return errors + [{"index": i, "errors": [stopped]} for i in range(len(given)) if i not in bad]
        good = [row for index, row in enumerate(given) if index not in bad]
        with self._recent.new(f"{resource['id']}@{resource['creationTime']}", good) as rows:
            if rows:
                _store(self._database, resource, [row.get("json") or {} for row in rows], target.partition)
        return errors


class RecentIds:
    """The insertIds of the last minutes, no more than so many."""

    def __init__(self, kept: int = _KEPT_IDS, seconds: float = _KEPT_SECONDS) -> None:
        self._kept = kept
        self._seconds = seconds
        self._seen: OrderedDict[tuple[str, str], float] = OrderedDict()
        self._guard = threading.Lock()

    @contextlib.contextmanager
    def new(self, table: str, rows: list[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
        """The rows whose ids are not known for the table, or that have none. Where the block fails, none becomes so."""
        fresh, ids = [], []
        with self._guard:
            self._forget()
            for row in rows:
                key = (table, str(row.get("insertId") or ""))
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


def _errors(rows: list[dict[str, Any]], fields: list[Field], *, ignore_unknown: bool) -> Errors:
    known = {field["name"].lower() for field in fields}
    required = [field["name"] for field in fields if field.get("mode") == "REQUIRED"]
    found = []
    for index, row in enumerate(rows):
        values = row.get("json") or {}
        if not isinstance(values, dict):
            raise invalid(f"Invalid value at 'rows[{index}].json': a row is a JSON object.")
        given = {name.lower(): value for name, value in values.items()}
        problems = [] if ignore_unknown else [(n, f"no such field: {n}.") for n in given if n not in known]
        problems += [(n, f"Missing required field: {n}.") for n in required if given.get(n.lower()) is None]
        problems += [(f["name"], why) for f in fields if (why := _misshapen(given.get(f["name"].lower()), f))]
        if problems:
            details = [{"reason": "invalid", "location": n, "debugInfo": "", "message": m} for n, m in problems]
            found.append({"index": index, "errors": details})
    return found


def _misshapen(value: Any, field: Field) -> str | None:
    """What is wrong with the shape of a value: a list where none may be, an object where a scalar must be."""
    if value is None or (field["type"] == "JSON" and field.get("mode") != "REPEATED"):
        return None
    if field.get("mode") == "REPEATED":
        if not isinstance(value, list):
            return "This field is repeated."
        inner = {**field, "mode": "NULLABLE"}
        return next((why for item in value if (why := _misshapen(item, inner))), None)
    if isinstance(value, list):
        return "Array specified for non-repeated field."
    if field["type"] == "RECORD":
        if not isinstance(value, dict):
            return "This field is a record."
        inside = {name.lower(): item for name, item in value.items()}
        return next((why for f in field["fields"] if (why := _misshapen(inside.get(f["name"].lower()), f))), None)
    return "This field is not a record." if isinstance(value, dict) else None


def _store(database: Database, table: Resource, rows: list[dict[str, Any]], partition: str | None) -> None:
    ref, fields = ref_of(table), fields_of(table)
    names = [field["name"] for field in fields]
    lowered = [{name.lower(): value for name, value in row.items()} for row in rows]
    documents = [json.dumps({f["name"]: _plain(row.get(f["name"].lower()), f) for f in fields}) for row in lowered]
    shape = json.dumps({field["name"]: _shape(field) for field in fields})
    given = [list(row) for row in lowered]
    columns = ", ".join(_stored(field) for field in fields)
    if partition is not None and is_ingestion_time(table):
        names.append(INGESTION_TIME)
        columns += f", {arrival(table, partition)}"
    with database.transaction() as transaction:
        transaction.cursor.register("_rows", pa.table({"document": documents, "given": given}))
        try:
            [(count,)] = transaction.cursor.execute(
                f"INSERT INTO {duck_path(ref)} ({', '.join(map(quote, names))}) SELECT {columns} FROM "  # noqa: S608
                "(SELECT from_json(document, ?) AS r, given FROM _rows)",
                [shape],
            ).fetchall()
        except (duckdb.DataError, duckdb.IntegrityError, duckdb.InvalidInputException) as error:
            raise invalid(raised_message(error) or str(error).split("\n", 1)[0]) from error
        finally:
            # After a value that does not convert, the rollback takes the registration along.
            with contextlib.suppress(duckdb.TransactionException):
                transaction.cursor.unregister("_rows")
        transaction.adds(ref, count)
        touch(ref, transaction)


def _plain(value: Any, field: Field) -> Any:
    """A value with its JSON columns as text, since a JSON column takes any value."""
    if value is None or field["type"] not in {"JSON", "RECORD"}:
        return value
    if field.get("mode") == "REPEATED":
        return [_plain(item, {**field, "mode": "NULLABLE"}) for item in value]
    if field["type"] == "JSON":
        return value if isinstance(value, str) else json.dumps(value)
    inner = {name.lower(): item for name, item in value.items()}
    return {f["name"]: _plain(inner.get(f["name"].lower()), f) for f in field["fields"]}


def _shape(field: Field) -> Any:
    """The structure that DuckDB's from_json reads a field with: everything that is not nested as text."""
    base: Any = {f["name"]: _shape(f) for f in field["fields"]} if field["type"] == "RECORD" else "VARCHAR"
    return [base] if field.get("mode") == "REPEATED" else base


def _stored(field: Field) -> str:
    """What a row gives a column, or the column's default where the row leaves it out."""
    value = limited(_restored(field), field)
    if not has_default(field):
        return value
    return f"CASE WHEN list_contains(given, {text(field['name'].lower())}) THEN {value} ELSE {default_of(field)} END"


def _restored(field: Field) -> str:
    value = f"r.{quote(field['name'])}"
    if field["type"] == "BYTES" and field.get("mode") != "REPEATED":
        return f"from_base64({value})"
    if field["type"] == "TIMESTAMP" and field.get("mode") != "REPEATED":
        # Seconds since the epoch are as good as a date and a time.
        return f"coalesce(to_timestamp(TRY_CAST({value} AS DOUBLE)), CAST({value} AS TIMESTAMP WITH TIME ZONE))"
    cast = f"CAST({value} AS {duck_type(field)})"
    return f"coalesce({cast}, [])" if field.get("mode") == "REPEATED" else cast
