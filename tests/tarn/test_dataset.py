"""Datasets as YAML: what a file may say, and how a wrong one is told."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from tarn.dataset import Dataset, dataset_names, find_dataset, fold_name, load_dataset
from tarn.errors import InvalidDataset, NotPublished
from tarn.partition import Partition, partition_range
from tarn.settings import CHECKOUT

DATASETS = CHECKOUT / "datasets"
TRIPS: dict[str, Any] = {
    "name": "trips",
    "description": "Trips.",
    "publisher": "A test",
    "sources": [{"format": "csv", "url": "https://example.org/{month}.csv", "mirror": "/trips/{month}.csv"}],
    "columns": [
        {"name": "id", "type": "INT64", "description": "the trip", "aliases": ["Trip ID"], "recode": {1: 2, "N": 0}},
        {"name": "flag", "type": "BOOL", "description": "a flag"},
    ],
}


def written(folder: Path, **changes: Any) -> Path:
    path = folder / "trips.yaml"
    path.write_text(yaml.safe_dump(TRIPS | changes), encoding="utf-8")
    return path


@pytest.mark.parametrize("name", dataset_names(DATASETS))
def test_the_datasets_of_the_project_are_valid(name: str) -> None:
    dataset = find_dataset(name, DATASETS)
    assert dataset.description
    assert all(column.description for column in dataset.columns)


@pytest.mark.parametrize(
    ("name", "first", "csv", "parquet"),
    [
        ("taxi_yellow", "2009-01", ("2019-01", "2021-07"), ("2018-12", "2021-08")),
        ("taxi_green", "2013-08", ("2019-01", "2021-07"), ("2018-12", "2021-08")),
        ("taxi_fhv", "2015-01", ("2019-01", "2019-12"), ("2018-12", "2020-01")),
    ],
)
def test_every_month_since_the_first_has_a_source(
    name: str, first: str, csv: tuple[str, str], parquet: tuple[str, str]
) -> None:
    dataset = find_dataset(name, DATASETS)
    for month in partition_range(dataset.partition(first), dataset.partition("2026-01")):
        assert dataset.candidates(month, {})
    assert {dataset.candidates(dataset.partition(month), {})[0].format for month in csv} == {"csv.gz"}
    assert {dataset.candidates(dataset.partition(month), {})[0].format for month in parquet} == {"parquet"}
    with pytest.raises(NotPublished, match="has not published 2008-12"):
        dataset.candidates(dataset.partition("2008-12"), {})


def test_what_is_left_out_has_defaults(tmp_path: Path) -> None:
    dataset = load_dataset(written(tmp_path))
    assert (dataset.prefix, dataset.table, dataset.quarantine_limit) == ("trips", "trips", 0)
    assert dataset.columns[0].names == {"id", "trip id"}
    assert dataset.columns[0].recode == {"1": "2", "N": "0"}


def test_an_address_is_the_publishers_or_the_mirrors() -> None:
    source = Dataset.model_validate(TRIPS).sources[0]
    month = Partition.parse("2024-02")
    assert source.address(month, None) == "https://example.org/2024-02.csv"
    assert source.address(month, "http://localhost:1") == "http://localhost:1/trips/2024-02.csv"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"name": "Trips"}, "name: String should match"),
        ({"colums": []}, "colums: Extra inputs"),
        ({"columns": []}, "columns: Tuple should have at least 1"),
        ({"columns": [{"name": "id", "type": "INT", "description": "x"}]}, "columns.0.type: Input should be"),
        ({"columns": [{"name": "month", "type": "DATE", "description": "x"}]}, "already names the partition key"),
        ({"columns": [*TRIPS["columns"], {"name": "trip", "type": "DATE", "description": "x", "aliases": ["ID "]}]},
         "column trip: 'id' already names column id"),
        ({"sources": [TRIPS["sources"][0] | {"url": "data:,x"}]}, "sources.0.url: String should match"),
        ({"sources": [TRIPS["sources"][0] | {"url": "http://x/{week}"}]}, "unknown placeholder {week}; there"),
        ({"sources": TRIPS["sources"] * 2}, "sources: two are called 'csv'"),
        ({"sources": [TRIPS["sources"][0] | {"from": "2024-13"}]}, "sources.0.from: "),
        ({"quarantine_limit": 2}, "quarantine_limit: Input should be less"),
        ({"name": "other"}, "must be the file's own name"),
    ],
)  # fmt: skip
def test_a_wrong_file_is_told_by_file_field_and_reason(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    path = written(tmp_path, **changes)
    with pytest.raises(InvalidDataset) as error:
        load_dataset(path)
    assert str(path) in str(error.value)
    assert words in str(error.value)


@pytest.mark.parametrize("content", [b"a: [", b"\xff", b"- a list", b""])
def test_what_is_no_dataset_at_all_is_told(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "trips.yaml"
    path.write_bytes(content)
    with pytest.raises(InvalidDataset, match=r"trips\.yaml"):
        load_dataset(path)


def test_an_unknown_name_lists_the_known_ones(tmp_path: Path) -> None:
    written(tmp_path)
    with pytest.raises(InvalidDataset, match="there are: trips"):
        find_dataset("../trips", tmp_path)


def test_the_fingerprint_follows_what_is_written_and_nothing_else() -> None:
    dataset = Dataset.model_validate(TRIPS)
    reworded = Dataset.model_validate(TRIPS | {"description": "Other words.", "publisher": "Another"})
    renamed = Dataset.model_validate(TRIPS | {"columns": TRIPS["columns"][:1]})
    assert dataset.fingerprint == reworded.fingerprint != renamed.fingerprint


def test_names_are_compared_without_case_blanks_and_byte_order_mark() -> None:
    assert {fold_name(name) for name in ("\ufeffTrip_type ", " TRIP_TYPE\r", "trip_type")} == {"trip_type"}
