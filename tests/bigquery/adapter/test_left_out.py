"""Every class of dbt's suite is run here, or left out for a reason: none is forgotten when a newer suite comes."""

import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import dbt.tests.adapter
import pytest
import yaml

pytestmark = pytest.mark.slow

HERE = Path(__file__).parent
SUITE = Path(dbt.tests.adapter.__path__[0])


def classes_with_tests(module: ModuleType) -> Iterator[type]:
    for name, cls in vars(module).items():
        own = inspect.isclass(cls) and cls.__module__ == module.__name__
        if own and not name.lower().startswith("test") and any(_is_test(cls, member) for member in dir(cls)):
            yield cls


def _is_test(cls: type, member: str) -> bool:
    return member.startswith("test_") and inspect.isfunction(getattr(cls, member))


@pytest.fixture(scope="module")
def suite() -> set[type]:
    """The classes that an adapter is to take over; those whose names begin with Test are PostgreSQL's own."""
    files = (file.relative_to(SUITE).with_suffix("") for file in SUITE.rglob("*.py") if file.stem != "__init__")
    modules = [importlib.import_module(".".join((dbt.tests.adapter.__name__, *file.parts))) for file in files]
    return {cls for module in modules for cls in classes_with_tests(module)}


@pytest.fixture(scope="module")
def run_here() -> set[type]:
    modules = [importlib.import_module(f".{file.stem}", __package__) for file in HERE.glob("test_*.py")]
    tests = [
        cls
        for module in modules
        for name, cls in vars(module).items()
        if name.startswith("Test") and inspect.isclass(cls) and cls.__module__ == module.__name__
    ]
    return {base for cls in tests for base in cls.__mro__}


@pytest.fixture(scope="module")
def left_out() -> list[str]:
    groups = yaml.safe_load((HERE / "left_out.yaml").read_text(encoding="utf-8"))
    return [name for group in groups for name in group["classes"]]


def test_every_class_is_run_or_left_out(suite: set[type], run_here: set[type], left_out: list[str]) -> None:
    missing = {cls.__name__ for cls in suite - run_here}
    assert missing == set(left_out)
    assert len(left_out) == len(missing)
