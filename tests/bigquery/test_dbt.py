"""A real dbt project against the emulator: every materialisation twice, and the rows that must come of it."""

import contextlib
import datetime as dt
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dbt.cli.main import dbtRunner
from google.cloud import bigquery

from .conftest import Emulator

pytestmark = pytest.mark.slow

PROJECT_DIR = Path(__file__).parent / "dbt_project"
FIRST, SECOND = dt.date(2024, 1, 1), dt.date(2024, 1, 2)


class Dbt:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def run(self, *arguments: str, succeeds: bool = True) -> list[str]:
        """Run dbt in the project, which must succeed or fail as said. Returns the messages of what failed."""
        with contextlib.chdir(self.folder):
            done = dbtRunner().invoke(["--quiet", *arguments])
        results = getattr(done.result, "results", [])
        messages = [str(result.message) for result in results if result.status in {"error", "fail"}]
        assert done.success == succeeds, (done.exception, messages)
        return messages

    def written(self, name: str) -> Any:
        """A JSON file of those that dbt writes."""
        return json.loads((self.folder / "target" / name).read_text())


@pytest.fixture(scope="module")
def built(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Dbt]:
    folder = tmp_path_factory.mktemp("dbt") / "project"
    shutil.copytree(PROJECT_DIR, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMULATOR_URL", emulator.url)
        patch.setenv("DBT_PROFILES_DIR", str(folder))
        dbt = Dbt(folder)
        dbt.run("build")
        dbt.run("build", "--vars", "gone: true")
        yield dbt


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


@pytest.mark.feature("dbt", "merge with incremental_predicates")
def test_rows_beyond_the_predicates_are_not_matched(client: bigquery.Client, built: Dbt) -> None:
    rows = values(client, "SELECT id, d FROM dbt_t.merged_with_predicates ORDER BY id")
    assert rows == [(1, FIRST), (1, FIRST), (2, SECOND)]


@pytest.mark.feature("dbt", "incremental append, on_schema_change")
def test_appended_rows_come_again_with_their_new_column(client: bigquery.Client, built: Dbt) -> None:
    rows = values(client, "SELECT id, extra FROM dbt_t.appended ORDER BY id, extra")
    assert rows == [(1, None), (1, 1), (2, None), (2, 1)]


@pytest.mark.feature("dbt", "snapshots by timestamp and by check")
def test_snapshots_keep_what_was(client: bigquery.Client, built: Dbt) -> None:
    assert values(client, "SELECT COUNT(*), COUNT(dbt_valid_to) FROM dbt_t.snap_check") == [(2, 0)]
    assert values(client, "SELECT COUNT(*), COUNT(dbt_valid_to) FROM dbt_t.snap_ts") == [(3, 1)]


@pytest.mark.feature("dbt", "snapshots with hard_deletes: invalidate and new_record")
def test_snapshots_see_a_row_deleted(client: bigquery.Client, built: Dbt) -> None:
    rows = values(client, "SELECT id, dbt_valid_to IS NULL FROM dbt_t.snap_invalidated ORDER BY id")
    assert rows == [(1, True), (2, False)]
    sql = "SELECT id, dbt_valid_to IS NULL, dbt_is_deleted FROM dbt_t.snap_new_record ORDER BY id, dbt_valid_from"
    assert values(client, sql) == [(1, True, "False"), (2, False, "False"), (2, True, "True")]


def test_a_seed_has_its_types(client: bigquery.Client, built: Dbt) -> None:
    fields = {field.name: field.field_type for field in client.get_table("dbt_t.zones").schema}
    assert fields == {"id": "INTEGER", "name": "STRING", "amount": "NUMERIC", "at": "DATE"}


def test_definitions_reach_the_table(client: bigquery.Client, built: Dbt) -> None:
    table = client.get_table("dbt_t.base")
    assert (table.description, table.labels, table.clustering_fields) == ("a table", {"a": "b"}, ["s"])
    assert (table.schema[0].description, table.schema[0].mode) == ("key", "REQUIRED")
    assert table.time_partitioning.field == "d"


@pytest.mark.feature("dbt", "data tests and unit tests")
def test_every_test_was_run(built: Dbt) -> None:
    built.run("test")
    ran = {
        result["unique_id"].split(".")[0] + ":" + result["status"]
        for result in built.written("run_results.json")["results"]
    }
    assert ran == {"test:pass", "unit_test:pass"}


@pytest.mark.feature("dbt", "contracts, kept and violated")
def test_a_violated_contract_is_told(client: bigquery.Client, built: Dbt) -> None:
    for _ in range(2):
        (told,) = built.run("run", "-s", "breaks_contract", "--vars", "violate: true", succeeds=False)
        assert "enforced contract that failed" in told
        assert "STRING" in told
        assert "DATE" in told
    assert values(
        client, "SELECT COUNT(*) FROM dbt_t.INFORMATION_SCHEMA.TABLES WHERE table_name = 'breaks_contract'"
    ) == [(0,)]


@pytest.mark.feature("dbt", "source freshness by a column and by the table's own time")
def test_sources_are_fresh_or_stale(built: Dbt) -> None:
    for _ in range(2):
        built.run("source", "freshness", succeeds=False)
        found = {r["unique_id"].split(".")[-1]: r["status"] for r in built.written("sources.json")["results"]}
        assert found == {"merged": "pass", "zones": "pass", "overwritten": "warn", "base": "error"}


@pytest.mark.feature("dbt", "clone")
def test_clones_have_the_rows_and_are_tables_of_their_own(client: bigquery.Client, built: Dbt) -> None:
    state = built.folder / "state"
    state.mkdir()
    shutil.copy(built.folder / "target" / "manifest.json", state)
    for _ in range(2):
        built.run("clone", "--state", "state", "--target", "cloned", "-s", "base", "staged", "zones", "--full-refresh")
    for relation, kind in (("base", "TABLE"), ("staged", "VIEW"), ("zones", "TABLE")):
        assert client.get_table(f"dbt_cloned.{relation}").table_type == kind
        rows = values(client, f"SELECT * FROM dbt_t.{relation} ORDER BY id")
        assert values(client, f"SELECT * FROM dbt_cloned.{relation} ORDER BY id") == rows
    client.query_and_wait("DELETE FROM dbt_cloned.base WHERE TRUE")
    assert values(client, "SELECT COUNT(*) FROM dbt_t.base") == [(2,)]


@pytest.mark.feature("dbt", "docs generate with a full catalog")
def test_the_catalog_knows_every_relation(built: Dbt) -> None:
    for _ in range(2):
        built.run("docs", "generate")
    catalog = built.written("catalog.json")
    assert catalog["errors"] is None
    expected = {name for name, node in built.written("manifest.json")["nodes"].items() if _is_relation(node)}
    assert set(catalog["nodes"]) == expected
    base = catalog["nodes"]["model.t.base"]
    assert {c["name"]: c["index"] for c in base["columns"].values()} == {"id": 1, "d": 2, "s": 3, "f": 4}
    assert base["stats"]["num_rows"]["value"] == 2


def _is_relation(node: dict[str, Any]) -> bool:
    return node["resource_type"] in {"model", "seed", "snapshot"} and node["config"]["materialized"] != "ephemeral"
