"""Rows of JSON into a stored table, as tabledata.insertAll does it."""

import json
from typing import Any

import duckdb
import pyarrow as pa

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import INGESTION_TIME, arrival, is_ingestion_time, undecorated
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.definitions import fields_of, ref_of, touch
from tarn_bigquery.errors import invalid
from tarn_bigquery.sql.types import Field, duck_type

Errors = list[dict[str, Any]]


def insert_rows(database: Database, ref: TableRef, body: dict[str, Any]) -> Errors:
    """Insert the rows of the request. Returns `insertErrors`: what is wrong with which row.

    Unless `skipInvalidRows` is set, one bad row keeps all of them out.
    """
    target = undecorated(ref)
    resource = database.catalog.table(target.table)
    if resource["type"] != "TABLE":
        raise invalid(f"Cannot add rows to a table of type {resource['type']}.")
    given = body.get("rows") or []
    if not given:
        raise invalid("No rows present in the request.")
    fields = fields_of(resource)
    errors = _errors(given, fields, ignore_unknown=bool(body.get("ignoreUnknownValues")))
    bad = {error["index"] for error in errors}
    if bad and not body.get("skipInvalidRows"):
        stopped = {"reason": "stopped", "location": "", "debugInfo": "", "message": ""}
        return errors + [{"index": i, "errors": [stopped]} for i in range(len(given)) if i not in bad]
    rows = [row["json"] for index, row in enumerate(given) if index not in bad]
    if rows:
        _store(database, resource, rows, target.partition)
    return errors


def _errors(rows: list[dict[str, Any]], fields: list[Field], *, ignore_unknown: bool) -> Errors:
    known = {field["name"].lower() for field in fields}
    required = [field["name"] for field in fields if field.get("mode") == "REQUIRED"]
    found = []
    for index, row in enumerate(rows):
        given = {name.lower(): value for name, value in row.get("json", {}).items()}
        problems = [] if ignore_unknown else [(n, f"no such field: {n}.") for n in given if n not in known]
        problems += [(n, f"Missing required field: {n}.") for n in required if given.get(n.lower()) is None]
        if problems:
            details = [{"reason": "invalid", "location": n, "debugInfo": "", "message": m} for n, m in problems]
            found.append({"index": index, "errors": details})
    return found


def _store(database: Database, table: Resource, rows: list[dict[str, Any]], partition: str | None) -> None:
    ref, fields = ref_of(table), fields_of(table)
    names = [field["name"] for field in fields]
    lowered = [{name.lower(): value for name, value in row.items()} for row in rows]
    documents = [json.dumps({f["name"]: _plain(row.get(f["name"].lower()), f) for f in fields}) for row in lowered]
    shape = json.dumps({field["name"]: _shape(field) for field in fields})
    columns = ", ".join(_restored(field) for field in fields)
    if partition is not None and is_ingestion_time(table):
        names.append(INGESTION_TIME)
        columns += f", {arrival(table, partition)}"
    with database.transaction() as transaction:
        transaction.cursor.register("_rows", pa.table({"document": documents}))
        try:
            transaction.cursor.execute(
                f"INSERT INTO {duck_path(ref)} ({', '.join(map(quote, names))}) SELECT {columns} FROM "  # noqa: S608
                "(SELECT from_json(document, ?) AS r FROM _rows)",
                [shape],
            )
        except (duckdb.ConversionException, duckdb.InvalidInputException) as error:
            raise invalid(str(error).split("\n", 1)[0]) from error
        finally:
            transaction.cursor.unregister("_rows")
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


def _restored(field: Field) -> str:
    value = f"r.{quote(field['name'])}"
    if field["type"] == "BYTES" and field.get("mode") != "REPEATED":
        return f"from_base64({value})"
    if field["type"] == "TIMESTAMP" and field.get("mode") != "REPEATED":
        # Seconds since the epoch are as good as a date and a time.
        return f"coalesce(to_timestamp(TRY_CAST({value} AS DOUBLE)), CAST({value} AS TIMESTAMP WITH TIME ZONE))"
    cast = f"CAST({value} AS {duck_type(field)})"
    return f"coalesce({cast}, [])" if field.get("mode") == "REPEATED" else cast
