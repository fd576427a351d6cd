"""The dbt project beside the rest of the lake: the same tables, settings and zones; no account needed to parse it."""

import json
from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner
from jinja2 import Environment

from tarn.dataset import dataset_names, load_dataset
from tarn.marts import WINDOW
from tarn.settings import CHECKOUT, Settings

PROJECT = CHECKOUT / "dbt"
DATASETS = CHECKOUT / "datasets"
SOURCES = {path.parent.name: path for path in (PROJECT / "models/staging").glob("*/_sources.yml")}
ZONES = CHECKOUT.parent / "shared/data/real/tlc/zones/taxi_zone_lookup.2024.csv"


def parse(folder: Path, *arguments: str) -> object:
    """What `dbt parse` says."""
    where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder)]
    return dbtRunner().invoke(["--quiet", "--log-path", str(folder), "parse", *where, *arguments])


@pytest.fixture(scope="module")
def parsed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which dbt finds what it has read of the project before, without a window."""
    folder = tmp_path_factory.mktemp("parsed")
    with pytest.MonkeyPatch.context() as patch:
        set_window(patch, {})
        assert parse(folder).success
    return folder


def set_window(patch: pytest.MonkeyPatch, window: dict[str, str]) -> None:
    """Let the environment name this window and no other."""
    for name in WINDOW:
        patch.setenv(name, window.get(name, ""))


@pytest.mark.parametrize("name", [name for name in dataset_names(DATASETS) if name.split("_")[0] in SOURCES])
def test_a_source_has_the_columns_that_its_dataset_declares(name: str) -> None:
    dataset = load_dataset(DATASETS / f"{name}.yaml")
    declared = [{"name": dataset.partition_by, "data_type": "date"}]
    declared += [{"name": column.name, "data_type": column.type.lower()} for column in dataset.columns]
    sources = SOURCES[name.split("_")[0]].read_text()
    tables = {table["name"]: table for table in yaml.safe_load(sources)["sources"][0]["tables"]}
    assert tables[dataset.table]["columns"] == declared


def test_the_local_profile_assumes_what_the_settings_assume() -> None:
    profile = yaml.safe_load((PROJECT / "profiles.yml").read_text())["tarn"]
    render = Environment().from_string  # noqa: S701 - nothing here is HTML

    def value(key: str) -> str:
        return render(profile["outputs"]["local"][key]).render(env_var=lambda _, default: default)

    usual = Settings.model_construct()
    assert render(profile["target"]).render(env_var=lambda _, default: default) == usual.target
    assert value("api_endpoint") == usual.bigquery_url
    assert (value("project"), value("dataset"), value("location")) == (
        usual.project,
        usual.marts_dataset,
        usual.location,
    )


@pytest.mark.slow
def test_the_gcp_target_parses_without_an_account(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "somebodys-project")
    monkeypatch.delenv("GOOGLE_APPLICATION_CREDENTIALS", raising=False)
    assert parse(tmp_path, "--target", "gcp").success


@pytest.mark.slow
@pytest.mark.parametrize(
    ("window", "complaint"),
    [
        ({"TARN_START_MONTH": "2020-04-01"}, "TARN_END_MONTH, or var end_month, is empty: give both edges"),
        (
            {"TARN_START_MONTH": "2020-04-15", "TARN_END_MONTH": "2020-05-01"},
            "TARN_START_MONTH, or var start_month, is 2020-04-15: give the first day of a month",
        ),
        (
            {"TARN_START_MONTH": "2020-05-01", "TARN_END_MONTH": "2020-04-01"},
            "TARN_END_MONTH, or var end_month, is 2020-04-01: it lies before start_month, which is 2020-05-01",
        ),
        (
            {"TARN_START_DAY": "2024-04-14", "TARN_END_DAY": "15.4.2024"},
            "TARN_END_DAY, or var end_day, is 15.4.2024: give both edges, each as a day",
        ),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(
    parsed: Path, window: dict[str, str], complaint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_window(monkeypatch, window)
    outcome = parse(parsed)
    assert complaint in str(outcome.exception)


@pytest.mark.slow
def test_vars_that_make_no_sense_are_refused(parsed: Path) -> None:
    outcome = parse(parsed, "--vars", "{start_month: 2020-04-01}")
    assert "TARN_END_MONTH, or var end_month, is empty: give both edges" in str(outcome.exception)


@pytest.mark.slow
def test_a_window_of_the_environment_does_what_vars_do_without_the_project_being_read_anew(
    parsed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def parse_into(folder: Path, window: dict[str, str], *arguments: str) -> int:
        set_window(monkeypatch, window)
        assert parse(folder, *arguments).success
        projects = json.loads((folder / "perf_info.json").read_text())["projects"]
        return sum(parser["parsed_path_count"] for project in projects for parser in project["parsers"])

    def configs(folder: Path) -> dict[str, object]:
        nodes = json.loads((folder / "manifest.json").read_text())["nodes"]
        return {name: node["config"] for name, node in nodes.items()}

    edges = {f"{edge}_{length}": "2024-04-01" for edge in ("start", "end") for length in ("day", "month", "year")}
    window = {f"TARN_{name}".upper(): day for name, day in edges.items()}
    whole = parse_into(tmp_path, {}, "--vars", json.dumps(edges))
    parse_into(parsed, {})
    without = configs(parsed)
    assert parse_into(parsed, window) < whole / 3
    assert configs(parsed) == configs(tmp_path) != without
    assert parse_into(parsed, {}) < whole / 3
    assert configs(parsed) == without


@pytest.mark.skipif(not ZONES.exists(), reason="the publisher's zone list is not beside the project")
def test_our_zones_are_the_publishers() -> None:
    def places(path: Path) -> list[str]:
        lines = path.read_text(encoding="utf-8").replace('"', "").splitlines()[1:]
        return [line for line in lines if not line.startswith(("264,", "265,"))]

    assert places(PROJECT / "seeds/taxi/taxi_zone_names.csv") == places(ZONES)
