"""Columns whose type has changed under a declared name: nothing that the file holds in them is of the declared type."""

import dataclasses
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc

from tarn.cleaning import QUARANTINE, Policy
from tarn.dataset import Column, ColumnType, Dataset
from tarn.errors import FileRefused
from tarn.evolution import text_column
from tarn.parquetize.casts import cast
from tarn.parquetize.columns import Binding, FileColumns
from tarn.parquetize.repairs import clean

SAMPLE_ROWS = 1_000
TEXT_SUFFIX = "_text"


def adapt_types(columns: FileColumns, dataset: Dataset, sample: Callable[[int], pa.Array]) -> FileColumns:
    """Apply the dataset's policy to columns of another type; ``sample`` gives a position's first values.

    ``evolve`` keeps the values as text, in a column beside the declared one that ends in ``_text``; the declared one is
    NULL then, as with ``ignore``. With ``refuse`` nothing is done here: the cast refuses the file, or row after row.
    Raises FileRefused where a column has changed without which the file is of no use.
    """
    if dataset.changed_types is Policy.REFUSE:
        return columns
    bindings: list[Binding] = []
    texts: list[Binding] = []
    for binding in columns.bindings:
        if not _has_changed(binding, sample):
            bindings.append(binding)
            continue
        column = binding.column
        if column.required or column.blank == QUARANTINE:
            raise FileRefused(f"Column {column.name} is required, and nothing in it is {column.type} any more.")
        bindings.append(Binding(column, ()))
        if dataset.changed_types is Policy.EVOLVE:
            texts.append(Binding(text_column(column.name + TEXT_SUFFIX), binding.positions))
    return dataclasses.replace(columns, bindings=(*bindings, *texts))


def _has_changed(binding: Binding, sample: Callable[[int], pa.Array]) -> bool:
    return bool(binding.positions) and all(_nothing_fits(sample(at), binding.column) for at in binding.positions)


def _nothing_fits(values: pa.Array, column: Column) -> bool:
    if column.type is ColumnType.STRING:
        return False
    (cleaned,) = clean([values], column).values
    try:
        outcome = cast(cleaned, column)
    except FileRefused:
        return True
    if outcome.bad is None:
        return False
    return bool(pc.any(outcome.bad).as_py()) and pc.sum(outcome.values.is_valid()).as_py() == 0
