"""dbt with every materialisation that it has for BigQuery, each for the first time and again."""

import shutil
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from .conftest import Tape, Wire

pytestmark = pytest.mark.slow

PROJECT = Path(__file__).parents[1] / "bigquery" / "dbt_project"
METHODS = {
    "bigquery.datasets.list", "bigquery.jobs.get", "bigquery.jobs.getQueryResults",
    "bigquery.jobs.insert", "bigquery.tables.delete", "bigquery.tables.get", "bigquery.tables.list",
    "bigquery.tables.patch",
}  # fmt: skip


@pytest.fixture(scope="module")
def tape(wire: Wire, tmp_path_factory: pytest.TempPathFactory) -> Tape:
    """Seeds, models, snapshots and tests, all twice; then the docs with their catalog."""
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(PROJECT, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMULATOR_URL", wire.bigquery.url)
        for command in (["build"], ["build"], ["docs", "generate"]):
            places = ["--project-dir", str(folder), "--profiles-dir", str(folder)]
            outcome = dbtRunner().invoke(["--quiet", *command, *places])
            assert outcome.success, outcome.exception
    return wire.tape()


def test_the_requests_are_the_apis(tape: Tape) -> None:
    assert tape.request_violations() == []
    assert tape.methods().keys() >= METHODS


def test_the_emulator_s_answers_are_the_apis(tape: Tape) -> None:
    assert tape.answer_violations() == []
