"""Arrow tables as BigQuery's columns: the part that ORC and Avro have in common."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from tarn_bigquery.sql.types import Field

_TEST_AND_TYPE: tuple[tuple[Callable[[pa.DataType], bool], str], ...] = (
    (pa.types.is_boolean, "BOOLEAN"),
    (pa.types.is_integer, "INTEGER"),
    (pa.types.is_floating, "FLOAT"),
    (pa.types.is_date, "DATE"),
    (pa.types.is_time, "TIME"),
    (pa.types.is_string, "STRING"),
    (pa.types.is_large_string, "STRING"),
)


def field_of(name: str, kind: pa.DataType) -> Field:
    """The BigQuery field that holds an Arrow type's values."""
    if pa.types.is_map(kind):
        entry = pa.struct([("key", kind.key_type), ("value", kind.item_type)])
        return {**field_of(name, entry), "mode": "REPEATED"}
    if is_list(kind):
        return {**field_of(name, kind.value_type), "mode": "REPEATED"}
    if pa.types.is_struct(kind):
        children = [field_of(child.name, child.type) for child in kind]
        return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": children}
    return {"name": name, "type": _scalar_type(kind), "mode": "NULLABLE"}


def is_list(kind: pa.DataType) -> bool:
    """Whether the type is one of Arrow's lists; a map is not."""
    return pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)


def decimal_type(precision: int, scale: int) -> str:
    """The BigQuery type that holds decimals of so many digits, of which `scale` follow the point."""
    if scale <= 9 and precision - scale <= 29:
        return "NUMERIC"
    return "BIGNUMERIC" if scale <= 38 and precision - scale <= 38 else "STRING"


def write_parquet(schema: pa.Schema, batches: Iterable[pa.RecordBatch], target: Path) -> None:
    """Write batches as they come, so that memory holds one at a time."""
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _scalar_type(kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz else "DATETIME"
    if pa.types.is_decimal(kind):
        return decimal_type(kind.precision, kind.scale)
    return next((name for test, name in _TEST_AND_TYPE if test(kind)), "BYTES")
