"""Read the answers of an API, one a line, as rows of the declared schema.

An object within a record gives a column for each of its fields, named by the way to it, such as ``location.latitude``;
where the dataset declares a column of the object's own name, it is that column's text in JSON. A record may lack any
field.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tarn.api.answers import NotJson, as_text, parse
from tarn.api.records import Record, records_in
from tarn.dataset import Dataset, fold_name
from tarn.errors import FileRefused
from tarn.parquetize.casts import text_array
from tarn.parquetize.changed_types import SAMPLE_ROWS, adapt_types
from tarn.parquetize.columns import FileColumns, bind_columns
from tarn.parquetize.rows import BadRow, Rows, cast_rows
from tarn.partition import Partition
from tarn.receipt import Artifact
from tarn.source import ApiSource

BATCH_ROWS = 8_192


@dataclass(frozen=True)
class Pages:
    """A partition's answers on disk, and what is needed to find the records in them."""

    files: Sequence[Artifact]
    source: ApiSource
    partition: Partition

    def records(self) -> Iterator[Record]:
        """Every record, in order; an answer is in memory at a time."""
        for file in self.files:
            with Path(file.uri).open("rb") as lines:
                for line in lines:
                    yield from self._records_of(line, file)

    def _records_of(self, line: bytes, file: Artifact) -> list[Record]:
        try:
            return records_in(parse(line), self.source, self.partition, file.values)
        except NotJson as error:
            raise FileRefused(f"{file.uri} is damaged: {error}. Delete it and download it again.") from None


@dataclass(frozen=True)
class Batch:
    """Consecutive records; ``row`` is the number of the first, from 1."""

    records: list[Record]
    row: int


@dataclass(frozen=True)
class JsonInput:
    """A partition's answers, and where the declared columns are in them."""

    pages: Pages
    columns: FileColumns
    whole: frozenset[str]

    def batches(self) -> Iterator[Batch]:
        """The records, in order."""
        records = self.pages.records()
        row = 1
        while batch := list(itertools.islice(records, BATCH_ROWS)):
            yield Batch(batch, row)
            row += len(batch)

    def read(self, batch: Batch) -> Rows:
        """Cast a batch's records. Several threads may read batches at the same time."""
        flat = [flatten(record, self.whole) for record in batch.records]

        def values_at(position: int) -> pa.Array:
            return _texts(flat, self.columns.names[position])

        cast = cast_rows(self.columns, values_at, len(flat))
        bad = [
            BadRow(
                line=batch.row + row,
                column=problem.column.name,
                value=problem.value,
                reason=problem.reason,
                raw=as_text(batch.records[row]) or "",
                rule=problem.rule,
            )
            for row, problem in sorted(cast.problems.items())
        ]
        return cast.without_bad(len(flat), tuple(bad))


def open_json(pages: Pages, dataset: Dataset) -> JsonInput:
    """Find the dataset's columns in the records.

    Every record is looked at: what is null in one may be there in another only. Raises FileRefused where an answer is
    damaged, or where all records lack a required column.
    """
    whole = frozenset(name for column in dataset.columns for name in column.names)
    names = dict.fromkeys(name for record in pages.records() for name in flatten(record, whole))
    columns = bind_columns(dataset, list(names))
    sample = [flatten(record, whole) for record in itertools.islice(pages.records(), SAMPLE_ROWS)]
    adapted = adapt_types(columns, dataset, lambda position: _texts(sample, columns.names[position]))
    return JsonInput(pages, adapted, whole)


def flatten(record: Record, whole: frozenset[str]) -> dict[str, Any]:
    """A record's values by the way to them; an object whose own name is in ``whole`` is not taken apart."""
    return dict(_leaves(record, "", whole))


def _leaves(record: Record, prefix: str, whole: frozenset[str]) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        path = f"{prefix}{name}"
        if isinstance(value, dict) and fold_name(path) not in whole:
            yield from _leaves(value, f"{path}.", whole)
        else:
            yield path, value


def _texts(records: list[dict[str, Any]], name: str) -> pa.Array:
    return text_array(as_text(record.get(name)) for record in records)
