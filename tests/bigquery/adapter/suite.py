"""What the modules of this folder share: dbt's classes of tests, taken over as they are."""

from collections.abc import Iterable


def as_tests(module: str, bases: Iterable[type]) -> dict[str, type]:
    """A class for pytest to collect in `module` of each base class of dbt's suite, by its name."""
    names = {f"Test{base.__name__.removeprefix('Base')}": base for base in bases}
    return {name: type(name, (base,), {"__module__": module}) for name, base in names.items()}
