"""Rows as they are held for the writer: in little memory.

Parquet is written a whole row group at a time, so that many rows must be held. In a few ten thousand rows most numbers
repeat, and a dictionary with short indices takes a third of the plain values' memory. Text is held as it is: Parquet's
writer can use a dictionary of its own making only.
"""

import pyarrow as pa
import pyarrow.types as pt

INDEX = pa.int16()
SLICE_ROWS = 2**15 - 1
"""Rows of a slice: no more distinct values than the index can count."""


def held_schema(schema: pa.Schema) -> pa.Schema:
    """The types in which rows of a schema are held."""
    return pa.schema([field.with_type(_held_type(field.type)) for field in schema])


def hold(rows: pa.RecordBatch, schema: pa.Schema) -> list[pa.RecordBatch]:
    """The same rows as slices in ``held_schema``; columns may come dictionary-encoded or plain."""
    held = held_schema(schema)
    if rows.num_rows <= SLICE_ROWS:
        return [_encode(rows.columns, held)]
    columns = [plain(column) for column in rows.columns]
    return [
        _encode([column.slice(start, SLICE_ROWS) for column in columns], held)
        for start in range(0, rows.num_rows, SLICE_ROWS)
    ]


def plain(column: pa.Array) -> pa.Array:
    """A column without dictionary."""
    return column.dictionary_decode() if pt.is_dictionary(column.type) else column


def _held_type(type_: pa.DataType) -> pa.DataType:
    repeats = pt.is_integer(type_) or pt.is_floating(type_) or pt.is_decimal(type_) or pt.is_date(type_)
    return pa.dictionary(INDEX, type_) if repeats else type_


def _encode(columns: list[pa.Array], schema: pa.Schema) -> pa.RecordBatch:
    arrays = [
        _short(column) if pt.is_dictionary(field.type) else plain(column)
        for column, field in zip(columns, schema, strict=True)
    ]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _short(column: pa.Array) -> pa.DictionaryArray:
    if pt.is_dictionary(column.type) and column.dictionary.null_count:
        column = column.dictionary_decode()  # Parquet's writer wants NULLs among the indices, not in the dictionary
    encoded = column if pt.is_dictionary(column.type) else column.dictionary_encode()
    return pa.DictionaryArray.from_arrays(encoded.indices.cast(INDEX), encoded.dictionary)
