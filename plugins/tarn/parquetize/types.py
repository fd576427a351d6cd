"""BigQuery's types in Arrow's terms."""

from collections.abc import Iterable

import pyarrow as pa

from tarn.dataset import Column, ColumnType

ARROW_TYPES: dict[ColumnType, pa.DataType] = {
    ColumnType.STRING: pa.string(),
    ColumnType.INT64: pa.int64(),
    ColumnType.FLOAT64: pa.float64(),
    ColumnType.NUMERIC: pa.decimal128(38, 9),
    ColumnType.BOOL: pa.bool_(),
    ColumnType.DATE: pa.date32(),
    ColumnType.DATETIME: pa.timestamp("us"),
    ColumnType.TIMESTAMP: pa.timestamp("us", tz="UTC"),
}


def arrow_schema(columns: Iterable[Column]) -> pa.Schema:
    """The schema of declared columns, in which every file of their dataset is written."""
    return pa.schema([pa.field(column.name, ARROW_TYPES[column.type]) for column in columns])
