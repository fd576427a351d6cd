"""Some rows of a file, cast to the declared schema, and those among them that are bad."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from tarn.cleaning import QUARANTINE
from tarn.dataset import Column
from tarn.parquetize.casts import Cast, cast
from tarn.parquetize.columns import Binding, FileColumns
from tarn.parquetize.held import hold, plain
from tarn.parquetize.repairs import BLANK, clean
from tarn.parquetize.types import ARROW_TYPES, arrow_schema


@dataclass(frozen=True)
class BadRow:
    """A row for the quarantine file. ``line`` is a CSV file's line, 1 the header, or a Parquet file's row, from 1.

    ``rule`` names what it broke, in a few words that many rows share.
    """

    line: int
    column: str | None
    value: str | None
    reason: str
    raw: str
    rule: str = "row: cannot be read"


@dataclass(frozen=True)
class Rows:
    """What became of ``read`` consecutive rows: the good ones, as they are held, and the bad ones.

    Of the good ones ``repaired`` were changed by cleaning rules; ``repairs`` counts the rows that each rule changed.
    """

    read: int
    good: list[pa.RecordBatch]
    bad: tuple[BadRow, ...] = ()
    repaired: int = 0
    repairs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Problem:
    """A value that could not be cast, or None: a blank that the dataset does not want."""

    column: Column
    value: str | None

    @property
    def reason(self) -> str:
        """In words."""
        return "is blank" if self.value is None else f"{self.value!r} is not {self.column.type}"

    @property
    def rule(self) -> str:
        """What the value broke, without the value."""
        return f"{self.column.name}: {f'{BLANK} {QUARANTINE}' if self.value is None else f'not {self.column.type}'}"


@dataclass(frozen=True)
class CastRows:
    """Rows cast column by column; ``problems`` tells by row the first value that could not be cast.

    ``repairs`` has by cleaning rule the rows that it changed, the bad ones among them.
    """

    rows: pa.RecordBatch
    schema: pa.Schema
    problems: dict[int, Problem]
    repairs: dict[str, pa.BooleanArray] = field(default_factory=dict)

    def without_bad(self, read: int, bad: tuple[BadRow, ...] = ()) -> Rows:
        """The good rows among ``read``, and how many of them were repaired; ``bad`` is passed on."""
        changed = pa.nulls(0, pa.bool_())
        counts: dict[str, int] = {}
        good = pa.array([row not in self.problems for row in range(self.rows.num_rows)]) if self.repairs else None
        for number, (rule, rows) in enumerate(self.repairs.items()):
            changed = pc.or_(changed, rows) if number else rows
            counts[rule] = pc.sum(pc.and_(rows, good)).as_py() or 0
        repaired = pc.sum(pc.and_(changed, good)).as_py() or 0 if self.repairs else 0
        return Rows(read, self.good(), bad, repaired, {rule: count for rule, count in counts.items() if count})

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
    repairs: dict[str, pa.BooleanArray] = {}
    for binding in columns.bindings:
        cleaned = clean([values_at(position) for position in binding.positions], binding.column)
        repairs |= cleaned.repairs
        casts = [cast(values, binding.column) for values in cleaned.values]
        arrays.append(_first_value(casts, binding, count))
        for position, result in zip(binding.positions, casts, strict=True):
            for row in _bad_rows(result):
                problems.setdefault(row, Problem(binding.column, str(values_at(position)[row].as_py())))
        if cleaned.refused is not None:
            for row in pc.indices_nonzero(cleaned.refused).to_pylist():
                problems.setdefault(row, Problem(binding.column, None))
    schema = arrow_schema(binding.column for binding in columns.bindings)
    return CastRows(pa.RecordBatch.from_arrays(arrays, schema.names), schema, problems, repairs)


def join_rows(parts: list[Rows]) -> Rows:
    """Consecutive rows as one."""
    return Rows(
        sum(part.read for part in parts),
        [batch for part in parts for batch in part.good],
        tuple(row for part in parts for row in part.bad),
        sum(part.repaired for part in parts),
        sum((Counter(part.repairs) for part in parts), Counter()),
    )


def _first_value(casts: list[Cast], binding: Binding, count: int) -> pa.Array:
    if not casts:
        return pa.nulls(count, ARROW_TYPES[binding.column.type])
    if len(casts) == 1:
        return casts[0].values
    return pc.coalesce(*(plain(result.values) for result in casts))


def _bad_rows(result: Cast) -> list[int]:
    return [] if result.bad is None else pc.indices_nonzero(result.bad).to_pylist()
