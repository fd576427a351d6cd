"""Which columns of a publisher's file hold which declared columns."""

from collections.abc import Sequence
from dataclasses import dataclass

from tarn.dataset import Column, Dataset, fold_name
from tarn.errors import FileRefused


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
    def used(self) -> list[int]:
        """The positions that hold a declared column, in the file's order."""
        return sorted({position for binding in self.bindings for position in binding.positions})

    @property
    def ignored(self) -> tuple[str, ...]:
        """The names that the dataset does not declare."""
        used = set(self.used)
        return tuple(name for position, name in enumerate(self.names) if position not in used)


def bind_columns(dataset: Dataset, names: Sequence[str]) -> FileColumns:
    """Find each declared column among a file's, by its own name first and then by its aliases in order.

    Raises FileRefused where a required column is missing, or where not one declared column is there.
    """
    positions: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        positions.setdefault(fold_name(name), []).append(position)
    bindings = tuple(
        Binding(column, tuple(found for name in _names(column) for found in positions.get(name, ())))
        for column in dataset.columns
    )
    missing = [binding.column for binding in bindings if binding.column.required and not binding.positions]
    if not any(binding.positions for binding in bindings):
        missing = list(dataset.columns)
    if missing:
        wanted = "; ".join(
            f"{column.name} (also called {', '.join(column.aliases) or 'nothing else'})" for column in missing
        )
        raise FileRefused(
            f"The file lacks columns of {dataset.name}: {wanted}. "
            f"It has: {', '.join(name.strip() for name in names)}. "
            "Either it is another file than its name says, or the layout is new and the dataset needs an alias."
        )
    return FileColumns(tuple(names), bindings)


def _names(column: Column) -> list[str]:
    return list(dict.fromkeys(fold_name(name) for name in (column.name, *column.aliases)))
