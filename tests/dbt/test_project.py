"""The dbt project beside the rest of the lake: the same tables, settings and zones; no account needed to parse it."""

from pathlib import Path

import pytest
import yaml
from dbt.cli.main import dbtRunner
from jinja2 import Environment

from tarn.dataset import dataset_names, load_dataset
from tarn.settings import CHECKOUT, Settings

PROJECT = CHECKOUT / "dbt"
DATASETS = CHECKOUT / "datasets"
SOURCES = {path.parent.name: path for path in (PROJECT / "models/staging").glob("*/_sources.yml")}
ZONES = CHECKOUT.parent / "shared/data/real/tlc/zones/taxi_zone_lookup.2024.csv"


def parse(folder: Path, *arguments: str) -> object:
    """What `dbt parse` says."""
    where = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--target-path", str(folder)]
    return dbtRunner().invoke(["--quiet", "--log-path", str(folder), "parse", *where, *arguments])


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
    ("months", "complaint"),
    [
        ("{start_month: '2020-04-01'}", "var end_month is None: give both start_month and end_month"),
        ("{start_month: '2020-04-15', end_month: '2020-05-01'}", "var start_month is 2020-04-15"),
        ("{start_month: '2020-05-01', end_month: '2020-04-01'}", "var end_month lies before var start_month"),
    ],
)
def test_months_that_make_no_sense_are_refused(tmp_path: Path, months: str, complaint: str) -> None:
    outcome = parse(tmp_path, "--target", "local", "--vars", months)
    assert complaint in str(outcome.exception)


@pytest.mark.skipif(not ZONES.exists(), reason="the publisher's zone list is not beside the project")
def test_our_zones_are_the_publishers() -> None:
    def places(path: Path) -> list[str]:
        lines = path.read_text(encoding="utf-8").replace('"', "").splitlines()[1:]
        return [line for line in lines if not line.startswith(("264,", "265,"))]

    assert places(PROJECT / "seeds/taxi/taxi_zone_names.csv") == places(ZONES)
