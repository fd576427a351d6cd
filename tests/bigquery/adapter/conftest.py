"""The fixtures of dbt's own adapter suite, pointed at the emulator."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.factory import reset_adapters

# The suite's fixtures are for a conftest to take over: a plugin would give them to every other test as well.
from dbt.tests.fixtures.project import *  # noqa: F403

from ..conftest import PROJECT, Emulator


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "adapter: dbt's adapter suite beyond what every run has time for")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the long part of the suite to those who ask for it: `pytest -m adapter`."""
    if "adapter" in config.option.markexpr:
        return
    long = [item for item in items if item.get_closest_marker("adapter")]
    config.hook.pytest_deselected(items=long)
    items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="class", autouse=True)
def no_adapter_of_other_tests() -> None:
    """dbt keeps a process's first adapter, with its address: one that an earlier test's project left here."""
    reset_adapters()


@pytest.fixture(scope="class")
def dbt_profile_target(emulator: Emulator) -> dict[str, Any]:
    return {
        "type": "bigquery",
        "method": "oauth-secrets",
        "token": "dummy",
        "api_endpoint": emulator.url,
        "project": PROJECT,
        "location": "US",
        "threads": 4,
        "job_retries": 0,
    }


@pytest.fixture(scope="class")
def logs_dir(tmp_path_factory: pytest.TempPathFactory, prefix: str) -> Iterator[str]:
    """dbt's logs, outside the repository."""
    folder = str(tmp_path_factory.mktemp("logs") / prefix)
    before = os.environ.get("DBT_LOG_PATH")
    os.environ["DBT_LOG_PATH"] = folder
    yield folder
    del os.environ["DBT_LOG_PATH"]
    if before is not None:
        os.environ["DBT_LOG_PATH"] = before


@pytest.fixture(scope="class")
def test_data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the suite keeps the files that it makes; it makes the folder, and takes it away again."""
    return tmp_path_factory.mktemp("data") / "made"
