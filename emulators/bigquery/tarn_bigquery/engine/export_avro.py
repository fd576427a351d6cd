"""Exported rows as an Avro file. Apart from the other formats, since fastavro is an extra."""

from typing import IO

import pyarrow as pa
from fastavro.write import Writer

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage_api.avro import record_schema, records


class AvroRows:
    def __init__(self, file: IO[bytes], fields: list[Field], codec: str) -> None:
        self._fields = fields
        self._writer = Writer(file, record_schema(fields), codec)

    def write(self, batch: pa.RecordBatch) -> None:
        for row in records(batch, self._fields):
            self._writer.write(row)

    def flush(self) -> None:
        self._writer.flush()
