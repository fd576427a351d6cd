"""Rows in the Avro types that the Storage Read API gives them.

The types: https://cloud.google.com/bigquery/docs/reference/storage#avro_schema_details
"""

import io
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

import fastavro
import pyarrow as pa
from fastavro.types import Schema

from tarn_bigquery.engine.encode import interval_text
from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage_api.encoding import Message

_ROOT = "__root__"

_SCALARS: dict[str, Any] = {
    "INTEGER": "long",
    "FLOAT": "double",
    "BOOLEAN": "boolean",
    "STRING": "string",
    "BYTES": "bytes",
    "DATE": {"type": "int", "logicalType": "date"},
    "DATETIME": {"type": "string", "logicalType": "datetime"},
    "TIMESTAMP": {"type": "long", "logicalType": "timestamp-micros"},
    "TIME": {"type": "long", "logicalType": "time-micros"},
    "NUMERIC": {"type": "bytes", "logicalType": "decimal", "precision": 38, "scale": 9},
    "BIGNUMERIC": {"type": "bytes", "logicalType": "decimal", "precision": 77, "scale": 38},
    "JSON": {"type": "string", "sqlType": "JSON"},
    "INTERVAL": {"type": "string", "sqlType": "INTERVAL"},
    "GEOGRAPHY": {"type": "string", "sqlType": "GEOGRAPHY"},
}


@dataclass(frozen=True)
class AvroEncoder:
    """Avro's binary encoding of one row after the other, without the header of a file."""

    fields: list[Field]

    @cached_property
    def _schema(self) -> dict[str, Any]:
        return record_schema(self.fields)

    @cached_property
    def _parsed(self) -> Schema:
        return fastavro.parse_schema(self._schema)

    def schema(self) -> Message:
        return {"avro_schema": {"schema": json.dumps(self._schema)}}

    def rows(self, batch: pa.RecordBatch) -> Message:
        sink = io.BytesIO()
        for row in records(batch, self.fields):
            fastavro.schemaless_writer(sink, self._parsed, row)
        return {"avro_rows": {"serialized_binary_rows": sink.getvalue(), "row_count": batch.num_rows}}


def record_schema(fields: list[Field]) -> dict[str, Any]:
    """The Avro schema of rows with these columns."""
    return _record(_ROOT, fields)


def records(batch: pa.RecordBatch, fields: list[Field]) -> Iterator[dict[str, Any]]:
    """The rows of a batch, with values as fastavro takes them."""
    columns = [_values(batch.column(i).to_pylist(), field) for i, field in enumerate(fields)]
    names = [field["name"] for field in fields]
    return (dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True))


def _record(name: str, fields: list[Field]) -> dict[str, Any]:
    members = [{"name": f["name"], "type": _type(f, f"{name}.{f['name']}")} for f in fields]
    return {"type": "record", "name": name, "fields": members}


def _type(field: Field, path: str) -> Any:
    if field.get("mode") == "REPEATED":
        return {"type": "array", "items": _base(field, path)}
    base = _base(field, path)
    return base if field.get("mode") == "REQUIRED" else ["null", base]


def _base(field: Field, path: str) -> Any:
    # A record's name stands once in a schema: its path makes it so.
    name = path.replace(".", "_")
    if field["type"] == "RECORD":
        return _record(name, field["fields"])
    if field["type"] == "RANGE":
        bound = ["null", _SCALARS[field["rangeElementType"]["type"]]]
        bounds = [{"name": "start", "type": bound}, {"name": "end", "type": bound}]
        return {"type": "record", "name": name, "sqlType": "RANGE", "fields": bounds}
    return _SCALARS[field["type"]]


def _values(values: list[Any], field: Field) -> list[Any]:
    """Python's values as fastavro takes them; those of most types it takes as they are."""
    convert = _converter(field)
    return values if convert is None else [convert(value) for value in values]


def _converter(field: Field) -> Callable[[Any], Any] | None:
    if field.get("mode") == "REPEATED":
        element = _converter({**field, "mode": "NULLABLE"})
        return None if element is None else lambda values: [element(value) for value in values]
    if field["type"] == "RECORD":
        members = {f["name"]: convert for f in field["fields"] if (convert := _converter(f))}
        return _present(lambda row: row | {name: convert(row[name]) for name, convert in members.items()})
    if field["type"] == "RANGE":
        convert = _converter({"type": field["rangeElementType"]["type"]})
        return None if convert is None else _present(lambda row: {name: convert(row[name]) for name in row})
    if field["type"] == "DATETIME":
        return _present(datetime.isoformat)
    if field["type"] == "INTERVAL":
        return _present(interval_text)
    return None


def _present(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """The conversion of what is not NULL."""
    return lambda value: None if value is None else convert(value)
