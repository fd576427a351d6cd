"""The pytest plugin, as somebody uses it who has only the emulator installed."""

import importlib.metadata
import subprocess
import sys
from pathlib import Path

TESTS = """
import pytest


@pytest.fixture(scope="session")
def tarn_bigquery_options():
    return ["--project", "mine", "--log-level", "info"]


def test_a_query(tarn_bigquery):
    client = tarn_bigquery.client()
    client.create_dataset("d")
    client.query("CREATE TABLE d.t AS SELECT 1 AS one").result()
    assert [row.one for row in client.query("SELECT one FROM d.t").result()] == [1]


def test_it_is_the_same_for_the_session(tarn_bigquery):
    assert [item.table_id for item in tarn_bigquery.client().list_tables("d")] == ["t"]
    assert tarn_bigquery.environment["BIGQUERY_EMULATOR_HOST"] == tarn_bigquery.dbt_output["api_endpoint"]
"""


def run(folder: Path, *arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_fixture_serves_queries(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS)
    plugin = () if is_registered() else ("-p", "tarn_bigquery.pytest_plugin")
    assert "2 passed" in run(tmp_path, "-q", *plugin)


def test_a_failed_start_says_why(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(TESTS.replace('"--project", "mine"', '"--host", "192.0.2.1"'))
    plugin = () if is_registered() else ("-p", "tarn_bigquery.pytest_plugin")
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *plugin]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Cannot listen on 192.0.2.1" in done.stdout


def is_registered() -> bool:
    """Whether the installed package names the plugin: an installation from before it did not."""
    return any(entry.name == "tarn_bigquery" for entry in importlib.metadata.entry_points(group="pytest11"))
