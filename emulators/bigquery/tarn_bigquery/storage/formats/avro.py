"""Avro, by way of fastavro.

Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-avro#avro_conversions
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, cast

import fastavro
import pyarrow as pa
from fastavro.schema import expand_schema

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.formats.arrow import field_of, write_parquet

Schema = Any
"""An Avro schema as JSON: a name, a list for a union, or an object."""

_PLAIN = {
    "boolean": pa.bool_(),
    "int": pa.int64(),
    "long": pa.int64(),
    "float": pa.float64(),
    "double": pa.float64(),
    "bytes": pa.binary(),
    "fixed": pa.binary(),
    "string": pa.string(),
    "enum": pa.string(),
}
_LOGICAL = {
    "date": pa.date32(),
    "time-millis": pa.time64("us"),
    "time-micros": pa.time64("us"),
    "timestamp-millis": pa.timestamp("us", tz="UTC"),
    "timestamp-micros": pa.timestamp("us", tz="UTC"),
    "local-timestamp-millis": pa.timestamp("us"),
    "local-timestamp-micros": pa.timestamp("us"),
}
_BATCH_RECORDS = 10_000


@dataclass(frozen=True, slots=True)
class AvroReader:
    """Reads the files of one table. A file's own types shape its Parquet, whatever the table declares."""

    use_logical_types: bool
    counts_columns: ClassVar[bool] = False
    max_bad_records: ClassVar[int] = 0

    @classmethod
    def from_rest(cls, config: dict[str, Any]) -> AvroReader:
        return cls(bool((config.get("avroOptions") or {}).get("useAvroLogicalTypes")))

    def detect(self, path: Path) -> list[Field]:
        """The columns of the file. Raises ValueError where it is not Avro."""
        with path.open("rb") as file:
            schema = self._schema(fastavro.block_reader(file))
        return [field_of(field["name"], _column(field["type"]).kind) for field in schema["fields"]]

    def to_parquet(self, path: Path, _columns: Sequence[Field], target: Path) -> None:
        """Write the file's records as Parquet, block by block. Raises ValueError as `detect`."""
        with path.open("rb") as file:
            blocks = fastavro.block_reader(file)
            schema = self._schema(blocks)
            columns = {field["name"]: _column(field["type"]) for field in schema["fields"]}
            shape = pa.schema([(name, column.kind) for name, column in columns.items()])
            write_parquet(shape, _batches(_records(blocks, schema), columns, shape), target)

    def _schema(self, blocks: fastavro.block_reader) -> Schema:
        schema = expand_schema(blocks.writer_schema)
        return schema if self.use_logical_types else _without_logical_types(schema)


@dataclass(frozen=True, slots=True)
class _Column:
    """The Arrow type of an Avro type, and what turns a decoded value into one that Arrow takes."""

    kind: pa.DataType
    convert: Callable[[Any], Any]


def _records(blocks: fastavro.block_reader, schema: Schema) -> Iterator[dict[str, Any]]:
    for block in blocks:
        for _ in range(block.num_records):
            yield cast(dict[str, Any], fastavro.schemaless_reader(block.bytes_, schema, None))  # type: ignore[attr-defined]


def _batches(
    records: Iterator[dict[str, Any]], columns: dict[str, _Column], shape: pa.Schema
) -> Iterator[pa.RecordBatch]:
    rows: list[dict[str, Any]] = []
    for record in records:
        rows.append({name: column.convert(record[name]) for name, column in columns.items()})
        if len(rows) == _BATCH_RECORDS:
            yield pa.RecordBatch.from_pylist(rows, shape)
            rows = []
    yield pa.RecordBatch.from_pylist(rows, shape)


def _column(schema: Schema) -> _Column:
    if isinstance(schema, list):
        return _union(schema)
    name = schema if isinstance(schema, str) else schema["type"]
    if isinstance(name, dict | list):
        return _column(name)
    if name == "record":
        return _record({field["name"]: _column(field["type"]) for field in schema["fields"]})
    if name == "array":
        item = _column(schema["items"])
        return _Column(pa.list_(item.kind), _optional(lambda items: [item.convert(each) for each in items]))
    if name == "map":
        value = _column(schema["values"])
        entry = pa.struct([("key", pa.string()), ("value", value.kind)])
        return _Column(
            pa.list_(entry),
            _optional(lambda entries: [{"key": k, "value": value.convert(v)} for k, v in entries.items()]),
        )
    if name == "string" and isinstance(schema, dict) and schema.get("logicalType") == "datetime":
        # BigQuery's own: what it exports a DATETIME as.
        return _Column(pa.timestamp("us"), _optional(dt.datetime.fromisoformat))
    return _Column(_scalar_kind(name, schema), lambda value: value)


def _union(branches: Sequence[Schema]) -> _Column:
    """A nullable type as itself; a union of several as a record of one field each, as BigQuery has it."""
    several = [branch for branch in branches if branch != "null"]
    if len(several) == 1:
        return _column(several[0])
    columns = {f"{_branch_name(branch)}_value": _column(branch) for branch in several}

    def convert(value: Any) -> dict[str, Any] | None:
        if value is None:
            return None
        chosen = next(
            name
            for branch, name in zip(several, columns, strict=True)
            if fastavro.validate(value, branch, raise_errors=False)
        )
        return {chosen: columns[chosen].convert(value)}

    return _Column(pa.struct([(name, column.kind) for name, column in columns.items()]), convert)


def _branch_name(branch: Schema) -> str:
    return branch if isinstance(branch, str) else str(branch.get("name") or branch["type"])


def _record(columns: dict[str, _Column]) -> _Column:
    return _Column(
        pa.struct([(name, column.kind) for name, column in columns.items()]),
        _optional(lambda record: {name: column.convert(record[name]) for name, column in columns.items()}),
    )


def _optional(convert: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda value: None if value is None else convert(value)


def _scalar_kind(name: str, schema: Schema) -> pa.DataType:
    logical = schema.get("logicalType") if isinstance(schema, dict) else None
    if logical == "decimal":
        return pa.decimal128(schema["precision"], schema.get("scale", 0))
    if logical == "uuid":
        return pa.string()
    return _LOGICAL.get(logical or "") or _PLAIN[name]


def _without_logical_types(schema: Schema) -> Schema:
    if isinstance(schema, list):
        return [_without_logical_types(branch) for branch in schema]
    if isinstance(schema, dict):
        return {key: _without_logical_types(part) for key, part in schema.items() if key != "logicalType"}
    return schema
