"""Genuine files of the publishers, and hard files of other projects, where they lie beside the checkout."""

from pathlib import Path

import pytest

from tarn.arrival import inspect
from tarn.dataset import Dataset, find_dataset
from tarn.errors import DownloadRefused, FileRefused
from tarn.parquetize.held import plain
from tarn.parquetize.raw_file import open_raw
from tarn.parquetize.rows import Rows, join_rows
from tarn.progress import silent
from tarn.settings import CHECKOUT
from tarn.source import SourceFormat

REAL = CHECKOUT.parent / "shared" / "data" / "real"
TAXI = REAL / "tlc"
HEADS = sorted((TAXI / "csv_heads_1kib").glob("*.csv"))

pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="there are no genuine files beside the checkout")


def dataset(name: str) -> Dataset:
    return find_dataset(name, CHECKOUT / "datasets")


def read(path: Path, name: str, format_: SourceFormat = SourceFormat.CSV) -> tuple[Rows, tuple[str, ...]]:
    with open_raw(path, format_, dataset(name), silent) as raw:
        return join_rows(list(raw.rows)), raw.columns.ignored


def column(rows: Rows, name: str) -> list[object]:
    return [value for batch in rows.good for value in plain(batch.column(name)).to_pylist()]


@pytest.mark.parametrize("path", HEADS, ids=lambda path: path.stem)
def test_every_layout_since_2009_maps_to_the_declared_schema(path: Path) -> None:
    service = path.name.split("_")[0].replace("fhvhv", "fhv")
    rows, ignored = read(path, f"taxi_{service}")
    lines = path.read_text().splitlines()
    cut = len(lines)  # the file was cut within its last line
    whole = [line for line in lines[1:-1] if line]
    assert [row.line for row in rows.bad] in ([], [cut])
    assert rows.read in (len(whole), len(whole) + 1)
    assert set(ignored) <= {"hvfhs_license_num"}
    for required in dataset(f"taxi_{service}").columns:
        if required.required:
            assert None not in column(rows, required.name)[: len(whole)]


@pytest.mark.parametrize(
    ("file", "name", "format_", "count"),
    [
        ("csv_gz_official/green_tripdata_2020-04.csv.gz", "taxi_green", "csv.gz", 35_612),
        ("csv_gz_official/green_tripdata_2020-05.csv.gz", "taxi_green", "csv.gz", 57_360),
        ("parquet_official/green_tripdata_2023-12.parquet", "taxi_green", "parquet", 64_215),
        ("samples/yellow_2025-01_first10000.parquet", "taxi_yellow", "parquet", 10_000),
        ("samples/yellow_2025-01_first10000.csv", "taxi_yellow", "csv", 10_000),
        ("ge_samples/yellow_tripdata_sample_2019-07.csv", "taxi_yellow", "csv", 10_000),
        ("ge_samples/yellow_tripdata_sample_2020-04.csv", "taxi_yellow", "csv", 10_000),
        ("zones/taxi_zone_lookup.2024.csv", "taxi_zones", "csv", 265),
        ("zones/taxi+_zone_lookup.csv", "taxi_zones", "csv", 265),
        ("zones/taxi_zone_lookup.seed.csv", "taxi_zones", "csv", 265),
    ],
)
def test_no_genuine_row_is_bad(file: str, name: str, format_: str, count: int) -> None:
    rows, ignored = read(TAXI / file, name, SourceFormat(format_))
    assert (rows.read, sum(batch.num_rows for batch in rows.good), rows.bad, ignored) == (count, count, (), ())


def test_csv_and_parquet_of_a_sample_give_the_same_rows() -> None:
    sample = TAXI / "samples" / "yellow_2025-01_first10000"
    by_csv, _ = read(sample.with_suffix(".csv"), "taxi_yellow")
    by_parquet, _ = read(sample.with_suffix(".parquet"), "taxi_yellow", SourceFormat.PARQUET)
    for declared in dataset("taxi_yellow").columns:
        assert column(by_csv, declared.name) == column(by_parquet, declared.name)


def test_old_vendors_and_payments_are_told_in_todays_numbers() -> None:
    rows, _ = read(TAXI / "csv_heads_1kib" / "yellow_tripdata_2009-01.csv", "taxi_yellow")
    assert column(rows, "vendor_id")[:2] == [2, 2]
    assert column(rows, "payment_type")[:2] == [2, 1]


def test_the_base_of_2018_is_found_under_its_other_name() -> None:
    rows, _ = read(TAXI / "csv_heads_1kib" / "fhv_tripdata_2018-03.csv", "taxi_fhv")
    assert set(column(rows, "dispatching_base_num")) == {"B02836"}


def test_a_file_of_another_service_is_refused() -> None:
    file = TAXI / "derived" / "mislabelled_fhv_is_yellow_2009.parquet"
    with pytest.raises(FileRefused, match=r"lacks columns of taxi_fhv: dispatching_base_num.*It has: vendor_name"):
        read(file, "taxi_fhv", SourceFormat.PARQUET)


def test_a_pointer_of_git_lfs_is_refused_by_name() -> None:
    with pytest.raises(DownloadRefused, match="Git LFS pointer"):
        inspect(REAL / "nasty" / "lfs_pointer_green_tripdata_2019-09.csv.gz", SourceFormat.CSV_GZ)


def test_a_gzip_file_of_several_members_is_whole() -> None:
    inspect(REAL / "nasty" / "flate2_multi.txt.gz", SourceFormat.CSV_GZ)


def loose(*names: str) -> Dataset:
    columns = [
        {"name": f"c{at}", "type": "STRING", "description": "any", "aliases": [name]} for at, name in enumerate(names)
    ]
    source = {"format": "csv", "url": "http://example.org/f", "mirror": "f"}
    return Dataset.model_validate(
        {"name": "loose", "description": "Any.", "publisher": "a test", "sources": [source], "columns": columns}
    )


def read_as(columns: tuple[str, ...], file: str) -> Rows:
    format_ = SourceFormat.CSV_GZ if file.endswith(".gz") else SourceFormat.CSV
    with open_raw(REAL / "nasty" / file, format_, loose(*columns), silent) as raw:
        rows: list[Rows] = list(raw.rows)
    return join_rows(rows)


@pytest.mark.parametrize(
    ("file", "columns", "good", "bad"),
    [
        ("spectrum_newlines_crlf.csv", ("a", "b", "c"), 3, 0),
        ("csvkit_bad.csv", ("column_a", "column_b", "column_c"), 1, 2),
        ("spectrum_escaped_quotes.csv", ("a", "b"), 2, 0),
        ("csvkit_real_ks_1033_data.csv", ("state", "county", "fips"), 1575, 0),
    ],
)
def test_hard_files_lose_no_row(file: str, columns: tuple[str, ...], good: int, bad: int) -> None:
    rows = read_as(columns, file)
    assert (sum(batch.num_rows for batch in rows.good), len(rows.bad)) == (good, bad)


@pytest.mark.parametrize("file", ["messytables_utf-16le_encoded.csv", "duckdb_nullbyte_header.csv"])
def test_a_file_that_is_not_utf8_is_refused(file: str) -> None:
    with pytest.raises(FileRefused, match="not text in UTF-8"):
        read_as(("a",), file)
