"""Parquet: what a file's footer says, as BigQuery understands it.

Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-parquet#parquet_conversions
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.formats.arrow import decimal_type, is_list
from tarn_bigquery.storage.formats.rows import BAD_RECORDS
from tarn_bigquery.storage.schema import SourceColumn

_BYTES_PER_VALUE = {
    **dict.fromkeys(("INTEGER", "FLOAT", "DATE", "TIME", "DATETIME", "TIMESTAMP"), 8),
    "BOOLEAN": 1,
    "NUMERIC": 16,
    "BIGNUMERIC": 32,
}
_GROUP = "group"
_MAP_WRAPPING = ("key_value",)
_PLAIN_TYPES = {
    "BOOLEAN": "BOOLEAN",
    "INT32": "INTEGER",
    "INT64": "INTEGER",
    "INT96": "TIMESTAMP",
    "FLOAT": "FLOAT",
    "DOUBLE": "FLOAT",
    "BYTE_ARRAY": "BYTES",
    "FIXED_LEN_BYTE_ARRAY": "BYTES",
}
_ANNOTATED_TYPES = {
    "STRING": "STRING",
    "JSON": "JSON",
    "DATE": "DATE",
    "TIME": "TIME",
    "FLOAT16": "FLOAT",
    "UNKNOWN": "NULL",
}


@dataclass(frozen=True, slots=True)
class ParquetOptions:
    """REST's parquetOptions, which say how some Parquet types are understood."""

    enum_as_string: bool = False
    enable_list_inference: bool = False

    @classmethod
    def from_rest(cls, options: dict[str, Any]) -> ParquetOptions:
        return cls(bool(options.get("enumAsString")), bool(options.get("enableListInference")))


@dataclass(frozen=True, slots=True)
class ParquetFooter:
    """What is known of a file without reading its rows.

    `layout` is the same for two files exactly if one reader fits both. `column_bytes` holds sizes as
    BigQuery counts them: eight bytes for an INT64, and the pages before compression for types of varying width.
    `bad_records` were left out when the file was made of another format.
    """

    rows: int
    columns: tuple[SourceColumn, ...]
    layout: str
    column_bytes: dict[str, int]
    bad_records: int = 0


def read_footer(path: Path, options: ParquetOptions) -> ParquetFooter:
    """Read the footer of a file.

    Raises:
        pyarrow.ArrowException: the file is not Parquet, or is damaged.
    """
    metadata = pq.read_metadata(path)
    columns = _SchemaWalk(metadata.schema, options).columns()
    bad_records = int((metadata.metadata or {}).get(BAD_RECORDS.encode(), 0))
    return ParquetFooter(metadata.num_rows, columns, repr(columns), _column_bytes(metadata, columns), bad_records)


class _SchemaWalk:
    """Walks a schema in Arrow's terms and takes Parquet's leaf columns in step.

    Arrow gives the nesting, and the leaves the physical types and the names of the groups around lists.
    """

    def __init__(self, schema: pq.ParquetSchema, options: ParquetOptions) -> None:
        self._arrow = schema.to_arrow_schema()
        self._leaves = [schema.column(index) for index in range(len(schema))]
        self._options = options
        self._position = 0

    def columns(self) -> tuple[SourceColumn, ...]:
        return tuple(self._column(field.name, field.type, depth=1) for field in self._arrow)

    def _column(self, name: str, kind: pa.DataType, depth: int) -> SourceColumn:
        """A column; the first `depth` parts of its leaves' paths lead to it."""
        if pa.types.is_struct(kind):
            children = tuple(self._column(child.name, child.type, depth + 1) for child in kind)
            return SourceColumn(_record(name, [child.field for child in children]), _GROUP, children)
        if pa.types.is_map(kind):
            return self._map(name, kind, depth)
        if is_list(kind):
            return self._list(name, kind.value_type, depth)
        leaf = self._leaves[self._position]
        self._position += 1
        field = {"name": name, "type": self._type_of(leaf, kind), "mode": "NULLABLE"}
        return SourceColumn(field, leaf.physical_type)

    def _list(self, name: str, kind: pa.DataType, depth: int) -> SourceColumn:
        path = self._leaves[self._position].path.split(".")
        levels = len(path) - depth - _levels_below(kind)
        wrapping = tuple(path[depth : depth + 2]) if levels == 2 else ()
        element = self._column(wrapping[-1] if wrapping else name, kind, depth + levels)
        if not wrapping or self._options.enable_list_inference:
            field = {**element.field, "name": name, "mode": "REPEATED"}
        else:
            field = _record(name, [_record(wrapping[0], [element.field], mode="REPEATED")])
        return SourceColumn(field, _GROUP, element=element, wrapping=wrapping)

    def _map(self, name: str, kind: pa.MapType, depth: int) -> SourceColumn:
        key = self._column("key", kind.key_type, depth + 2)
        value = self._column("value", kind.item_type, depth + 2)
        entry = SourceColumn(_record(_MAP_WRAPPING[0], [key.field, value.field]), _GROUP, (key, value))
        field = _record(name, [{**entry.field, "mode": "REPEATED"}])
        return SourceColumn(field, _GROUP, element=entry, wrapping=_MAP_WRAPPING, is_map=True)

    def _type_of(self, leaf: pq.ColumnSchema, kind: pa.DataType) -> str:
        annotation = leaf.logical_type.type
        if annotation == "TIMESTAMP":
            return "TIMESTAMP" if kind.tz else "DATETIME"
        if annotation == "DECIMAL":
            return decimal_type(kind.precision, kind.scale)
        if annotation == "ENUM":
            return "STRING" if self._options.enum_as_string else "BYTES"
        return _ANNOTATED_TYPES.get(annotation) or _PLAIN_TYPES[leaf.physical_type]


def _levels_below(kind: pa.DataType) -> int:
    """How many parts of a path lead from a node of this type to its first leaf."""
    if pa.types.is_struct(kind):
        return 1 + _levels_below(kind.field(0).type)
    if pa.types.is_map(kind):
        return 2 + _levels_below(kind.key_type)
    return 2 + _levels_below(kind.value_type) if is_list(kind) else 0


def _record(name: str, fields: list[Field], mode: str = "NULLABLE") -> Field:
    return {"name": name, "type": "RECORD", "mode": mode, "fields": fields}


def _column_bytes(metadata: pq.FileMetaData, columns: tuple[SourceColumn, ...]) -> dict[str, int]:
    types = {column.name: str(column.field["type"]) for column in columns}
    sizes = dict.fromkeys(types, 0)
    for group_index in range(metadata.num_row_groups):
        group = metadata.row_group(group_index)
        for index in range(group.num_columns):
            chunk = group.column(index)
            name = chunk.path_in_schema.partition(".")[0]
            width = _BYTES_PER_VALUE.get(types.get(name, ""))
            sizes[name] = sizes.get(name, 0) + (chunk.num_values * width if width else chunk.total_uncompressed_size)
    return sizes
