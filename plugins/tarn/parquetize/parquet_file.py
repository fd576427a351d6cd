"""Read a publisher's Parquet file as rows of the declared schema."""

import json
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq

from tarn.dataset import Dataset
from tarn.parquetize.changed_types import SAMPLE_ROWS, adapt_types
from tarn.parquetize.columns import FileColumns, bind_columns
from tarn.parquetize.rows import BadRow, Rows, cast_rows

BATCH_ROWS = 32_767


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a Parquet file; ``row`` is the number of the first, from 1."""

    data: pa.RecordBatch
    row: int

    @property
    def end(self) -> int:
        """The number of the last row."""
        return self.row + self.data.num_rows - 1


@dataclass(frozen=True)
class ParquetInput:
    """An open Parquet file and where the declared columns are in it."""

    file: pq.ParquetFile
    columns: FileColumns

    def batches(self) -> Iterator[Batch]:
        """The file's rows, with the used columns alone; pages are read as they are needed."""
        names = [self.columns.names[position] for position in self.columns.used]
        row = 1
        for data in self.file.iter_batches(BATCH_ROWS, columns=names, use_threads=False):
            yield Batch(data, row)
            row += data.num_rows

    def read(self, batch: Batch) -> Rows:
        """Cast a batch's rows. Several threads may read batches of one file at the same time."""
        place = {position: index for index, position in enumerate(self.columns.used)}
        cast = cast_rows(self.columns, lambda position: batch.data.column(place[position]), batch.data.num_rows)
        bad = [
            BadRow(
                batch.row + row,
                problem.column.name,
                problem.value,
                problem.reason,
                _as_json(batch.data, row),
                problem.rule,
            )
            for row, problem in sorted(cast.problems.items())
        ]
        return cast.without_bad(batch.data.num_rows, tuple(bad))


def open_parquet(file: pq.ParquetFile, dataset: Dataset) -> ParquetInput:
    """Find the dataset's columns in a Parquet file.

    Raises FileRefused where it lacks a required column.
    """
    columns = bind_columns(dataset, file.schema_arrow.names)
    return ParquetInput(file, adapt_types(columns, dataset, lambda position: _sampled(file, position)))


def _sampled(file: pq.ParquetFile, position: int) -> pa.Array:
    batches = file.iter_batches(SAMPLE_ROWS, columns=[file.schema_arrow.names[position]], use_threads=False)
    empty = pa.nulls(0, file.schema_arrow.types[position])
    return next((batch.column(0) for batch in batches), empty)


def _as_json(batch: pa.RecordBatch, row: int) -> str:
    return json.dumps(batch.slice(row, 1).to_pylist()[0], default=str)
