"""Rows as the answers of ReadRows carry them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage_api import arrow

# gRPC clients refuse messages above 4 MB unless they are told otherwise.
_PIECE_BYTES = 1024 * 1024
_BATCH_ROWS = 16_384

Message = dict[str, Any]


class Encoder(Protocol):
    """One of the API's formats. What it gives are fields of the API's messages, by their names."""

    def schema(self) -> Message:
        """The schema, as ReadSession and the first ReadRowsResponse of a stream carry it."""

    def rows(self, batch: pa.RecordBatch) -> Message:
        """Rows in BigQuery's Arrow types, as a ReadRowsResponse carries them."""


@dataclass(frozen=True)
class ArrowEncoder:
    """Arrow IPC: the schema on its own, and record batches without it.

    `compression` is lz4 or zstd, for the buffers of each batch; None leaves them as they are.
    """

    fields: list[Field]
    compression: str | None = None

    def schema(self) -> Message:
        return {"arrow_schema": {"serialized_schema": arrow.schema_of(self.fields).serialize().to_pybytes()}}

    def rows(self, batch: pa.RecordBatch) -> Message:
        sink = pa.BufferOutputStream()
        options = pa.ipc.IpcWriteOptions(compression=self.compression)
        with pa.ipc.new_stream(sink, batch.schema, options=options) as writer:
            writer.write_batch(batch)
        messages = pa.ipc.MessageReader.open_stream(sink.getvalue())
        messages.read_next_message()
        data = messages.read_next_message().serialize().to_pybytes()
        return {"arrow_record_batch": {"serialized_record_batch": data, "row_count": batch.num_rows}}


def pieces(table: pa.Table, fields: list[Field]) -> Iterator[pa.RecordBatch]:
    """The rows in BigQuery's Arrow types, cut so small that each piece makes a message which every client takes."""
    for batch in table.to_batches(max_chunksize=_BATCH_ROWS):
        if not batch.num_rows:
            continue
        rows = arrow.converted(batch, fields)
        step = max(_PIECE_BYTES * rows.num_rows // max(rows.nbytes, 1), 1)
        for start in range(0, rows.num_rows, step):
            yield rows.slice(start, step)
