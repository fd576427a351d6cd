"""A pipeline's models as they are read for Cosmos, beside what dbt itself finds."""

import json
from pathlib import Path

import pytest
from dbt.cli.main import dbtRunner

from tarn.airflow.dbt_graph import pipeline_models, write_listing
from tarn.settings import CHECKOUT

PROJECT = CHECKOUT / "dbt"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project of two models of one pipeline, and one of another."""
    files = {
        "staging/shop/stg_a.sql": "select 1 from {{ lake_table('a') }} {# ref('b') #}",
        "staging/shop/_staging.yml": "models: [{name: stg_a, columns: [{name: x, data_tests: [unique]}]}]",
        "marts/shop/b.sql": "-- depends_on: {{ ref( \"stg_a\" ) }}\nselect * from {{ ref('elsewhere') }}",
        "marts/shop/_marts.yml": "models: [{name: b, columns: [{name: x}]}]\nunit_tests: [{name: u, model: b}]",
        "marts/other/elsewhere.sql": "select 1",
    }
    for name, text in files.items():
        path = tmp_path / "models" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_model_is_found_with_what_it_reads_and_whether_it_is_tested(project: Path) -> None:
    a, b = pipeline_models(project, "shop")
    assert (a.name, a.reads, a.is_tested, str(a.file)) == ("stg_a", (), True, "models/staging/shop/stg_a.sql")
    assert (b.name, b.reads, b.is_tested, b.unique_id) == ("b", ("stg_a",), False, "model.tarn.b")
    assert pipeline_models(project, "nothing") == []


def test_the_listing_follows_the_files_and_is_left_alone_while_they_stay(project: Path, tmp_path: Path) -> None:
    listing = write_listing(project, "shop", tmp_path / "state" / "models.jsonl")
    before = listing.stat().st_mtime_ns
    assert write_listing(project, "shop", listing).stat().st_mtime_ns == before
    (project / "models/marts/shop/c.sql").write_text("select * from {{ ref('b') }}")
    nodes = [json.loads(line) for line in write_listing(project, "shop", listing).read_text().splitlines()]
    assert [node["unique_id"] for node in nodes] == [
        "model.tarn.stg_a",
        "test.tarn.stg_a",
        "model.tarn.b",
        "model.tarn.c",
    ]
    assert nodes[-1]["depends_on"] == {"nodes": ["model.tarn.b"]}


@pytest.mark.slow
def test_it_is_what_dbt_finds(tmp_path: Path) -> None:
    where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(tmp_path)]
    outcome = dbtRunner().invoke(["--quiet", "--log-path", str(tmp_path), "parse", *where, "--target", "local"])
    assert outcome.success, outcome.exception
    nodes = outcome.result.nodes
    tested = {getattr(node, "attached_node", None) for node in nodes.values()}
    for pipeline in ("customers", "taxi", "crypto"):
        found = {one.name: one for one in nodes.values() if one.resource_type == "model" and pipeline in one.tags}
        ours = pipeline_models(PROJECT, pipeline)
        assert {model.name for model in ours} == set(found)
        for model in ours:
            read = {nodes[name].name for name in found[model.name].depends_on.nodes if name.startswith("model.")}
            assert set(model.reads) == read & set(found)
            assert model.is_tested == (model.unique_id in tested)
            assert str(model.file) == found[model.name].original_file_path
