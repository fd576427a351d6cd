"""Write rows as a Parquet file whose row groups are large."""

from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.parquet as pq
import pyarrow.types as pt

from tarn.parquetize.held import held_schema

ROW_GROUP_BYTES = 52 << 20
"""Held in memory for a row group. Encoded, taxi trips take 20 MiB of that, where BigQuery likes 16 to 128."""


class RowGroupWriter:
    """Gathers held rows and writes them a row group at a time. The same rows give the same bytes."""

    def __init__(self, path: Path, schema: pa.Schema) -> None:
        self._schema = held_schema(schema)
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="zstd",
            use_dictionary=[field.name for field in schema if not pt.is_timestamp(field.type)],  # times seldom repeat
            store_schema=False,  # else readers would see the dictionaries that rows are held in
        )
        self._held: list[pa.RecordBatch] = []
        self._held_bytes = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is None:
            self._write()
        self._writer.close()

    def add(self, rows: list[pa.RecordBatch]) -> None:
        """Take rows that ``hold`` gave."""
        self._held += rows
        self._held_bytes += sum(batch.nbytes for batch in rows)
        if self._held_bytes >= ROW_GROUP_BYTES:
            self._write()

    def _write(self) -> None:
        if self._held:
            table = pa.Table.from_batches(self._held, self._schema)
            self._writer.write_table(table, row_group_size=max(table.num_rows, 1))
        self._held = []
        self._held_bytes = 0
