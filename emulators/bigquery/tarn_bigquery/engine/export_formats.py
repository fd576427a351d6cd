"""Files that rows are exported to, one writer a format.

Source: https://cloud.google.com/bigquery/docs/exporting-data#export_formats_and_compression_types
"""

import gzip
import json
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tarn_bigquery.engine.encode import file_texts
from tarn_bigquery.errors import invalid
from tarn_bigquery.sql.types import RANGE_END, RANGE_START, Field
from tarn_bigquery.storage_api.arrow import converted, schema_of

_COMPRESSIONS = {
    "CSV": ("NONE", "GZIP"),
    "NEWLINE_DELIMITED_JSON": ("NONE", "GZIP"),
    "PARQUET": ("NONE", "SNAPPY", "GZIP", "ZSTD"),
    "AVRO": ("NONE", "DEFLATE", "SNAPPY"),
}
_AVRO_CODECS = {"NONE": "null"}
_NESTED = {"RECORD", "RANGE"}


class RowWriter(Protocol):
    """A file under way."""

    def write(self, batch: pa.RecordBatch) -> None: ...


@dataclass(frozen=True)
class ExportFormat:
    """How a file is to be written. `header` and `delimiter` are CSV's."""

    name: str = "CSV"
    compression: str = "NONE"
    header: bool = True
    delimiter: str = ","

    def check(self, fields: list[Field]) -> None:
        """Raises ApiError `invalid` for what the format cannot do, or cannot do with these columns."""
        if self.name not in _COMPRESSIONS:
            raise invalid(f"Invalid destination format: {self.name}. It can be one of {', '.join(_COMPRESSIONS)}.")
        if self.compression not in _COMPRESSIONS[self.name]:
            known = ", ".join(_COMPRESSIONS[self.name])
            raise invalid(f"Compression {self.compression} is not supported for {self.name}. It can be one of {known}.")
        if self.name == "CSV" and len(self.delimiter) != 1:
            raise invalid(f"Invalid field delimiter {self.delimiter!r}: it must be one character.")
        for field in fields:
            if self.name == "CSV" and (field["type"] in _NESTED or field.get("mode") == "REPEATED"):
                raise invalid(f"Operation cannot be performed on a nested schema. Field: {field['name']}")
            if self.name == "PARQUET" and field["type"] == "INTERVAL":
                raise invalid(f"Type INTERVAL is not supported for PARQUET. Field: {field['name']}")

    def open(self, path: Path, fields: list[Field]) -> AbstractContextManager[RowWriter]:
        """A new file for rows of these columns, whole once the context is left."""
        match self.name:
            case "PARQUET":
                return _parquet(self, path, fields)
            case "AVRO":
                return _avro(self, path, fields)
            case "CSV":
                return _text(self, path, _CsvLines(self, fields))
            case _:
                return _text(self, path, _JsonLines(fields))


@dataclass(frozen=True)
class _ParquetRows:
    writer: pq.ParquetWriter
    fields: list[Field]

    def write(self, batch: pa.RecordBatch) -> None:
        self.writer.write_batch(converted(batch, self.fields))


@contextmanager
def _parquet(given: ExportFormat, path: Path, fields: list[Field]) -> Iterator[RowWriter]:
    with pq.ParquetWriter(path, schema_of(fields), compression=given.compression) as writer:
        yield _ParquetRows(writer, fields)


@contextmanager
def _avro(given: ExportFormat, path: Path, fields: list[Field]) -> Iterator[RowWriter]:
    # fastavro is an extra of this program: few lakes hold Avro.
    try:
        from tarn_bigquery.engine.export_avro import AvroRows
    except ModuleNotFoundError as missing:
        raise invalid("Writing AVRO needs fastavro. Install it: pip install fastavro") from missing
    codec = _AVRO_CODECS.get(given.compression, given.compression.lower())
    with path.open("wb") as file:
        try:
            rows = AvroRows(file, fields, codec)
        except ValueError as missing:
            raise invalid(f"Cannot write AVRO with the compression {given.compression}: {missing}") from missing
        yield rows
        rows.flush()


class _Lines(Protocol):
    """Rows as text."""

    def head(self) -> str: ...

    def lines(self, batch: pa.RecordBatch) -> Iterator[str]: ...


@dataclass(frozen=True)
class _TextRows:
    file: IO[str]
    form: _Lines

    def write(self, batch: pa.RecordBatch) -> None:
        self.file.writelines(f"{line}\n" for line in self.form.lines(batch))


@contextmanager
def _text(given: ExportFormat, path: Path, form: _Lines) -> Iterator[RowWriter]:
    open_file = gzip.open if given.compression == "GZIP" else open
    with open_file(path, "wt", encoding="utf-8", newline="") as file:
        file.write(form.head())
        yield _TextRows(file, form)


@dataclass(frozen=True)
class _CsvLines:
    given: ExportFormat
    fields: list[Field]

    def head(self) -> str:
        if not self.given.header:
            return ""
        names = self._quoted(pa.array([field["name"] for field in self.fields], pa.string()))
        return f"{self.given.delimiter.join(names.to_pylist())}\n"

    def lines(self, batch: pa.RecordBatch) -> Iterator[str]:
        cells = [self._quoted(file_texts(batch.column(i), field)) for i, field in enumerate(self.fields)]
        return iter(pc.binary_join_element_wise(*cells, self.given.delimiter).to_pylist())

    def _quoted(self, text: pa.Array) -> pa.Array:
        """Quotes where they are needed, and around an empty string: NULL is the one without any."""
        must = pc.or_(
            pc.match_substring_regex(text, rf'["\r\n\x{{{ord(self.given.delimiter):x}}}]'), pc.equal(text, "")
        )
        whole = pc.binary_join_element_wise('"', pc.replace_substring(text, '"', '""'), '"', "")
        return pc.fill_null(pc.if_else(must, whole, text), "")


@dataclass(frozen=True)
class _JsonLines:
    fields: list[Field]

    def head(self) -> str:
        return ""

    def lines(self, batch: pa.RecordBatch) -> Iterator[str]:
        for row in _objects(batch.columns, self.fields):
            yield json.dumps(row, ensure_ascii=False, separators=(",", ":"))


def _objects(columns: list[pa.Array], fields: list[Field]) -> Iterator[dict[str, Any]]:
    """Rows as JSON objects, without the members that are NULL."""
    names = [field["name"] for field in fields]
    values = [_json_values(column, field) for column, field in zip(columns, fields, strict=True)]
    for row in zip(*values, strict=True):
        yield {name: value for name, value in zip(names, row, strict=True) if value is not None}


def _json_values(array: pa.Array, field: Field) -> list[Any]:
    if field.get("mode") == "REPEATED":
        return _json_arrays(array, {**field, "mode": "NULLABLE"})
    if field["type"] in _NESTED:
        rows = _objects(array.flatten(), _members(field))
        return [row if there else None for row, there in zip(rows, array.is_valid().to_pylist(), strict=True)]
    if field["type"] == "BOOLEAN":
        return array.to_pylist()
    text = file_texts(array, field).to_pylist()
    if field["type"] == "JSON":
        return [None if value is None else json.loads(value) for value in text]
    if field["type"] == "FLOAT":
        # What is not a number to JSON is told as text.
        return [value if value is None or value[-1] in "Nny" else float(value) for value in text]
    return text


def _json_arrays(array: pa.Array, element: Field) -> list[list[Any]]:
    values = iter(_json_values(array.flatten(), element))
    return [[next(values) for _ in range(length or 0)] for length in pc.list_value_length(array).to_pylist()]


def _members(field: Field) -> list[Field]:
    if field["type"] == "RECORD":
        return field["fields"]
    bound = field["rangeElementType"]["type"]
    return [{"name": name.rsplit("_", 1)[1], "type": bound} for name in (RANGE_START, RANGE_END)]
