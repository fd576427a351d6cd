"""What the modules of this folder share: dbt's classes of tests, taken over as they are."""

from collections.abc import Iterable

import pytest


def as_tests(module: str, bases: Iterable[type], mark: pytest.MarkDecorator | None = None) -> dict[str, type]:
    """A class for pytest to collect in `module` of each base class of dbt's suite, by its name."""
    made = {}
    for base in bases:
        name = f"Test{base.__name__.removeprefix('Base')}"
        cls = type(name, (base,), {"__module__": module})
        made[name] = mark(cls) if mark else cls
    return made
