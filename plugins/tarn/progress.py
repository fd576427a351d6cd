"""How far a step has come, told to whoever shows it: a bar on a terminal, a line in a task's log, or nobody."""

from typing import Protocol


class Progress(Protocol):
    """Hears from a running step; called often, so it must be quick."""

    def __call__(self, done: int, total: int | None, unit: str, /) -> None:
        """``done`` of ``total`` units (``bytes`` or ``rows``) are through; ``total`` is None where nobody knows it."""


def silent(done: int, total: int | None, unit: str, /) -> None:
    """Show nothing."""
