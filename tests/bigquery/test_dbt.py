"""A real dbt project against the emulator: every materialisation twice, and the rows that must come of it."""

import datetime as dt
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.cloud import bigquery

from .conftest import Emulator

pytestmark = pytest.mark.slow

PROJECT_DIR = Path(__file__).parent / "dbt_project"
FIRST, SECOND = dt.date(2024, 1, 1), dt.date(2024, 1, 2)


class Dbt:
    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url = folder, url

    def run(self, *arguments: str) -> None:
        """Run dbt in a process of its own, which must succeed."""
        done = subprocess.run(
            [Path(sys.executable).with_name("dbt"), "--quiet", *arguments],
            cwd=self.folder,
            env={**os.environ, "EMULATOR_URL": self.url, "DBT_PROFILES_DIR": str(self.folder)},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def built(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(PROJECT_DIR, folder)
    dbt = Dbt(folder, emulator.url)
    dbt.run("build")
    dbt.run("build")
    return dbt


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


@pytest.mark.feature("dbt", "seed, view, table, ephemeral, insert_overwrite (static, dynamic, copy_partitions)")
@pytest.mark.parametrize("model", ["overwritten", "overwritten_by_copy", "overwritten_static", "base", "staged"])
def test_rows_are_there_once(client: bigquery.Client, built: Dbt, model: str) -> None:
    assert values(client, f"SELECT id, d, s, f FROM dbt_t.{model} ORDER BY id") == [
        (1, FIRST, "x", 1.5),
        (2, SECOND, "y", 2.5),
    ]


@pytest.mark.parametrize("model", ["ingested", "ingested_by_copy", "ingested_static"])
def test_rows_stand_once_in_the_partitions_of_their_day(client: bigquery.Client, built: Dbt, model: str) -> None:
    assert client.get_table(f"dbt_t.{model}").time_partitioning.field is None
    rows = values(client, f"SELECT _PARTITIONDATE AS day, * FROM dbt_t.{model} ORDER BY id")
    assert rows == [(FIRST, 1, "x", 1.5), (SECOND, 2, "y", 2.5)]


@pytest.mark.feature("dbt", "merge and microbatch")
@pytest.mark.parametrize("model", ["merged", "microbatched"])
def test_merged_rows_are_there_once(client: bigquery.Client, built: Dbt, model: str) -> None:
    assert values(client, f"SELECT id, d FROM dbt_t.{model} ORDER BY id") == [(1, FIRST), (2, SECOND)]


def test_appended_rows_come_again_with_their_new_column(client: bigquery.Client, built: Dbt) -> None:
    rows = values(client, "SELECT id, extra FROM dbt_t.appended ORDER BY id, extra")
    assert rows == [(1, None), (1, 1), (2, None), (2, 1)]


@pytest.mark.feature("dbt", "snapshots by timestamp and by check")
def test_snapshots_keep_what_was(client: bigquery.Client, built: Dbt) -> None:
    assert values(client, "SELECT COUNT(*), COUNT(dbt_valid_to) FROM dbt_t.snap_check") == [(2, 0)]
    assert values(client, "SELECT COUNT(*), COUNT(dbt_valid_to) FROM dbt_t.snap_ts") == [(3, 1)]


def test_a_seed_has_its_types(client: bigquery.Client, built: Dbt) -> None:
    fields = {field.name: field.field_type for field in client.get_table("dbt_t.zones").schema}
    assert fields == {"id": "INTEGER", "name": "STRING", "amount": "NUMERIC", "at": "DATE"}


def test_definitions_reach_the_table(client: bigquery.Client, built: Dbt) -> None:
    table = client.get_table("dbt_t.base")
    assert (table.description, table.labels, table.clustering_fields) == ("a table", {"a": "b"}, ["s"])
    assert (table.schema[0].description, table.schema[0].mode) == ("key", "REQUIRED")
    assert table.time_partitioning.field == "d"


@pytest.mark.feature("dbt", "docs generate with a full catalog")
def test_the_catalog_knows_every_relation(built: Dbt) -> None:
    built.run("docs", "generate")
    catalog = json.loads((built.folder / "target" / "catalog.json").read_text())
    assert catalog["errors"] is None
    base = catalog["nodes"]["model.t.base"]
    assert {c["name"]: c["index"] for c in base["columns"].values()} == {"id": 1, "d": 2, "s": 3, "f": 4}
    assert base["stats"]["num_rows"]["value"] == 2
