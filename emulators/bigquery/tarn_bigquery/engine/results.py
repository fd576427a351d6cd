"""Results of queries: Arrow files that pages are cut from, so that memory holds few rows between calls."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path
from typing import Protocol

import pyarrow as pa

from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.engine.database import Database
from tarn_bigquery.sql.types import Field

_BATCH_ROWS = 16_384
# A file costs more time than such a query; a thousand jobs of this size cost memory that no one misses.
_SMALL_BYTES = 16_384


class RowSource(Protocol):
    """Rows that can be read in pages, any number of times, in one order."""

    @property
    def schema(self) -> list[Field]: ...

    def total_rows(self) -> int: ...

    def page(self, start: int, limit: int) -> pa.Table:
        """Up to `limit` rows from row `start` on."""


@dataclass(frozen=True)
class NoRows:
    """The result of a statement that has none: DDL and DML."""

    schema: list[Field]

    def total_rows(self) -> int:
        return 0

    def page(self, start: int, limit: int) -> pa.Table:
        return pa.table({})


@dataclass(frozen=True)
class ArrowRows:
    """A few rows, held in memory."""

    schema: list[Field]
    table: pa.Table

    def total_rows(self) -> int:
        return self.table.num_rows

    def page(self, start: int, limit: int) -> pa.Table:
        return self.table.slice(start, limit)


@dataclass(frozen=True)
class ArrowFile:
    """The result of a query in the Arrow IPC format: on disk and mapped where it is read, or in memory."""

    place: Path | pa.Buffer
    schema: list[Field]
    rows: int
    bytes: int

    def total_rows(self) -> int:
        return self.rows

    def shared(self, path: Path) -> "ArrowFile":
        """The same rows for another owner, under a name of its own. Raises FileNotFoundError where they are gone."""
        if not isinstance(self.place, Path):
            return self
        path.hardlink_to(self.place)
        return replace(self, place=path)

    def discard(self) -> None:
        """Take the file's name away: whoever has its rows keeps them."""
        if isinstance(self.place, Path):
            self.place.unlink(missing_ok=True)

    def save(self, path: Path) -> None:
        """Have a file hold rows that are in memory."""
        if isinstance(self.place, pa.Buffer):
            path.write_bytes(self.place)

    def page(self, start: int, limit: int) -> pa.Table:
        with pa.memory_map(str(self.place)) if isinstance(self.place, Path) else pa.BufferReader(self.place) as source:
            reader = pa.ipc.open_file(source)
            # Every batch but the last is of one size, so the first batch that is needed is known.
            size = reader.get_batch(0).num_rows if reader.num_record_batches else 0
            first = min(start // size, reader.num_record_batches) if size else 0
            batches, found, skip = [], 0, start - first * size
            for index in range(first, reader.num_record_batches):
                if found >= skip + limit:
                    break
                batches.append(reader.get_batch(index))
                found += batches[-1].num_rows
            return pa.Table.from_batches(batches, reader.schema).slice(skip, limit)


@dataclass(frozen=True)
class StoredRows:
    """The rows of a native table. `relation` is the SQL that reads it, with the columns of the schema."""

    database: Database
    relation: str
    schema: list[Field]

    @classmethod
    def of(cls, database: Database, ref: TableRef, schema: list[Field], where: str = "TRUE") -> "StoredRows":
        """The rows of a table, or those of them that meet a condition in DuckDB's SQL."""
        columns = ", ".join(quote(field["name"]) for field in schema) or "NULL"
        return cls(database, f"(SELECT {columns} FROM {duck_path(ref)} WHERE {where})", schema)  # noqa: S608

    def total_rows(self) -> int:
        with self.database.cursor() as cursor:
            row = cursor.execute(f"SELECT count(*) FROM {self.relation}").fetchone()  # noqa: S608
        return int(row[0]) if row else 0

    def page(self, start: int, limit: int) -> pa.Table:
        with self.database.cursor() as cursor:
            query = f"FROM {self.relation} LIMIT {limit} OFFSET {start}"
            return cursor.sql(query).to_arrow_table()


def place_of_rows(folder: Path, project: str, job_id: str) -> Path:
    """The file of a job's rows, where they are a file."""
    return folder / f"{project}.{job_id}.arrow"


def keep_rows(reader: pa.RecordBatchReader, schema: list[Field], path: Path) -> ArrowFile:
    """Keep all batches, as batches of one size: in memory where they are one small batch, else at `path`."""
    batches = _even_batches(reader)
    begun = list(islice(batches, 2))
    if len(begun) < 2 and sum(batch.nbytes for batch in begun) <= _SMALL_BYTES:
        memory = pa.BufferOutputStream()
        rows, size = _write(begun, reader.schema, memory)
        return ArrowFile(memory.getvalue(), schema, rows, size)
    with pa.OSFile(str(path), "wb") as file:
        rows, size = _write(chain(begun, batches), reader.schema, file)
    return ArrowFile(path, schema, rows, size)


def _write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: pa.NativeFile) -> tuple[int, int]:
    """Write batches in the IPC format; their rows and bytes."""
    rows = size = 0
    with pa.ipc.new_file(sink, schema) as writer:
        for batch in batches:
            writer.write_batch(batch)
            rows += batch.num_rows
            size += batch.nbytes
    return rows, size


def _even_batches(reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    pending: list[pa.RecordBatch] = []
    held = 0
    for batch in reader:
        pending.append(batch)
        held += batch.num_rows
        if held >= _BATCH_ROWS:
            table = pa.Table.from_batches(pending).combine_chunks()
            whole = held - held % _BATCH_ROWS
            yield from table.slice(0, whole).to_batches(max_chunksize=_BATCH_ROWS)
            pending, held = table.slice(whole).to_batches(), held - whole
    if held:
        yield from pa.Table.from_batches(pending).combine_chunks().to_batches()
