"""Some rows of a file, cast to the declared schema, and those among them that are bad."""

from collections.abc import Callable
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from tarn.dataset import Column
from tarn.parquetize.casts import Cast, cast
from tarn.parquetize.columns import Binding, FileColumns
from tarn.parquetize.held import hold, plain
from tarn.parquetize.types import ARROW_TYPES, arrow_schema


@dataclass(frozen=True)
class BadRow:
    """A row for the quarantine file. ``line`` is a CSV file's line, 1 the header, or a Parquet file's row, from 1."""

    line: int
    column: str | None
    value: str | None
    reason: str
    raw: str


@dataclass(frozen=True)
class Rows:
    """What became of ``read`` consecutive rows: the good ones, as they are held, and the bad ones."""

    read: int
    good: list[pa.RecordBatch]
    bad: tuple[BadRow, ...] = ()


@dataclass(frozen=True)
class Problem:
    """A value that could not be cast."""

    column: Column
    value: str

    @property
    def reason(self) -> str:
        """In words."""
        return f"{self.value!r} is not {self.column.type}"


@dataclass(frozen=True)
class CastRows:
    """Rows cast column by column; ``problems`` tells by row the first value that could not be cast."""

    rows: pa.RecordBatch
    schema: pa.Schema
    problems: dict[int, Problem]

    def good(self) -> list[pa.RecordBatch]:
        """The rows without a problem, as they are held."""
        rows = self.rows
        if self.problems:
            rows = rows.filter(pa.array([row not in self.problems for row in range(rows.num_rows)]))
        return hold(rows, self.schema)


def cast_rows(columns: FileColumns, values_at: Callable[[int], pa.Array], count: int) -> CastRows:
    """Cast ``count`` rows, whose values at a position of the file ``values_at`` gives."""
    arrays: list[pa.Array] = []
    problems: dict[int, Problem] = {}
    for binding in columns.bindings:
        casts = [cast(values_at(position), binding.column) for position in binding.positions]
        arrays.append(_first_value(casts, binding, count))
        for position, result in zip(binding.positions, casts, strict=True):
            for row in _bad_rows(result):
                problems.setdefault(row, Problem(binding.column, str(values_at(position)[row].as_py())))
    schema = arrow_schema(binding.column for binding in columns.bindings)
    return CastRows(pa.RecordBatch.from_arrays(arrays, schema.names), schema, problems)


def join_rows(parts: list[Rows]) -> Rows:
    """Consecutive rows as one."""
    return Rows(
        sum(part.read for part in parts),
        [batch for part in parts for batch in part.good],
        tuple(row for part in parts for row in part.bad),
    )


def _first_value(casts: list[Cast], binding: Binding, count: int) -> pa.Array:
    if not casts:
        return pa.nulls(count, ARROW_TYPES[binding.column.type])
    if len(casts) == 1:
        return casts[0].values
    return pc.coalesce(*(plain(result.values) for result in casts))


def _bad_rows(result: Cast) -> list[int]:
    return [] if result.bad is None else pc.indices_nonzero(result.bad).to_pylist()
