"""Writes a month's batches as Parquet, in the layout of its era, in memory that does not grow."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tarn_publishers.taxi.layouts import ParquetLayout
from tarn_publishers.taxi.names import MONEY, POSITIONS, TEXTS, TIMES, sources
from tarn_publishers.taxi.words import with_words

ROW_GROUP_BATCHES = 4


def write_parquet(out: BinaryIO, batches: Iterable[pa.RecordBatch], layout: ParquetLayout) -> None:
    """Writes a Parquet file of fixed settings, in row groups of some 250,000 rows."""
    schema = _parquet_schema(layout)
    with pq.ParquetWriter(out, schema, compression=layout.compression) as writer:
        for group in _grouped(batches, ROW_GROUP_BATCHES):
            writer.write_table(pa.Table.from_batches([_published(batch, layout, schema) for batch in group]))


def _parquet_schema(layout: ParquetLayout) -> pa.Schema:
    names = [name.strip() for name in layout.header.split(",")]
    return pa.schema(
        [(name, _parquet_type(source, layout)) for name, source in zip(names, sources(layout.header), strict=True)]
    )


def _parquet_type(source: str, layout: ParquetLayout) -> pa.DataType:
    if source in layout.types:
        return layout.types[source]
    if source in layout.words or source in TEXTS:
        return layout.text
    if source in TIMES:
        return pa.timestamp("us")
    if source in MONEY or source in POSITIONS or source == "distance":
        return pa.float64()
    return pa.int64()


def _published(batch: pa.RecordBatch, layout: ParquetLayout, schema: pa.Schema) -> pa.RecordBatch:
    columns = [
        _typed_column(batch, source, field.type, layout)
        for source, field in zip(sources(layout.header), schema, strict=True)
    ]
    return pa.record_batch(columns, schema=schema)


def _typed_column(batch: pa.RecordBatch, source: str, type_: pa.DataType, layout: ParquetLayout) -> pa.Array:
    if source in layout.blank or pa.types.is_null(type_):
        return pa.nulls(len(batch), type_)
    column = batch.column(source)
    if source in layout.filled:
        column = column.fill_null(layout.filled[source])
    column = with_words(column, source, layout.words)
    if source in TIMES:
        return column.cast(pa.timestamp("s")).cast(type_)
    if source in MONEY or source == "distance":
        return pc.divide(column.cast(pa.float64()), 100.0)
    if source in POSITIONS:
        return pc.divide(column.cast(pa.float64()), 1_000_000.0)
    return column.cast(type_)


def _grouped(batches: Iterable[pa.RecordBatch], size: int) -> Iterator[list[pa.RecordBatch]]:
    remaining = iter(batches)
    while group := list(islice(remaining, size)):
        yield group
