"""Which columns of a publisher's file hold which declared columns, and what becomes of the others."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from tarn.cleaning import QUARANTINE, Policy
from tarn.dataset import Column, Dataset, fold_name
from tarn.errors import FileRefused
from tarn.evolution import text_column

NAME_LENGTH = 120


@dataclass(frozen=True)
class Binding:
    """A declared column and the positions in the file that may hold it, best first; none where the file lacks it."""

    column: Column
    positions: tuple[int, ...]


@dataclass(frozen=True)
class FileColumns:
    """A file's columns, as a dataset sees them."""

    names: tuple[str, ...]
    bindings: tuple[Binding, ...]

    @property
    def columns(self) -> tuple[Column, ...]:
        """What is written of the file, in order."""
        return tuple(binding.column for binding in self.bindings)

    @property
    def used(self) -> list[int]:
        """The positions that hold a written column, in the file's order."""
        return sorted({position for binding in self.bindings for position in binding.positions})

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names that the dataset does not declare and that are left out."""
        used = set(self.used)
        return tuple(name for position, name in enumerate(self.names) if position not in used)


def bind_columns(dataset: Dataset, names: Sequence[str]) -> FileColumns:
    """Find each declared column among a file's, by its own name first and then by its aliases in order.

    The dataset's policies say what becomes of columns that only one of the two has. Raises FileRefused where a required
    column is missing, where not one declared column is there, or where a policy refuses the file.
    """
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        positions.setdefault(fold_name(name), []).append(position)
    bindings = [
        Binding(column, tuple(found for name in _names(column) for found in positions.get(name, ())))
        for column in dataset.columns
    ]
    _require_columns(dataset, bindings, names)
    if dataset.dropped_columns is Policy.EVOLVE:
        bindings = [binding for binding in bindings if binding.positions]
    declared = {name for column in dataset.columns for name in column.names}
    unknown = {name: found for name, found in positions.items() if name and name not in declared}
    if unknown and dataset.new_columns is Policy.REFUSE:
        raise FileRefused(
            f"The file has columns that {dataset.name} does not declare: {', '.join(unknown)}. Declare them, or let"
            f" new_columns be {Policy.EVOLVE} or {Policy.IGNORE}."
        )
    if dataset.new_columns is Policy.EVOLVE:
        bindings += _evolved(dataset, unknown)
    return FileColumns(tuple(names), tuple(bindings))


def _require_columns(dataset: Dataset, bindings: Sequence[Binding], names: Sequence[str]) -> None:
    lacking = [binding.column for binding in bindings if not binding.positions]
    if dataset.dropped_columns is Policy.REFUSE or len(lacking) == len(bindings):
        missing = lacking
    else:
        missing = [column for column in lacking if column.required or column.blank == QUARANTINE]
    if missing:
        wanted = "; ".join(
            f"{column.name} (also called {', '.join(column.aliases) or 'nothing else'})" for column in missing
        )
        raise FileRefused(
            f"The file lacks columns of {dataset.name}: {wanted}. "
            f"It has: {', '.join(name.strip() for name in names)}. "
            "Either it is another file than its name says, or the layout is new and the dataset needs an alias."
        )


def _evolved(dataset: Dataset, unknown: dict[str, list[int]]) -> Iterator[Binding]:
    taken = {column.name for column in dataset.columns} | {dataset.partition_by.value}
    for name, found in unknown.items():
        evolved = _identifier(name, taken)
        taken.add(evolved)
        yield Binding(text_column(evolved), tuple(found))


def _identifier(name: str, taken: Collection[str]) -> str:
    plain = re.sub(r"[^a-z0-9_]+", "_", name)[:NAME_LENGTH]
    plain = plain if re.match("[a-z_]", plain) else f"_{plain}"
    while plain in taken:
        plain += "_"
    return plain


def _names(column: Column) -> list[str]:
    return list(dict.fromkeys(fold_name(name) for name in (column.name, *column.aliases)))
