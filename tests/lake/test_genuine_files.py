"""Genuine files of the taxi publisher through the whole lake, from an HTTP server to the answers of BigQuery."""

import shutil
import threading
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.csv
import pyarrow.parquet
import pytest
from google.cloud import bigquery

from tarn.bigquery import bigquery_client
from tarn.dataset import Dataset, find_dataset
from tarn.pipeline import run_partition
from tarn.receipt import Receipt
from tarn.settings import CHECKOUT, Settings

GENUINE = CHECKOUT.parent / "shared" / "data" / "real" / "tlc"
MONTHS = {
    "2020-04": ("csv_gz_official/green_tripdata_2020-04.csv.gz", "taxi/green", 35_612),
    "2020-05": ("csv_gz_official/green_tripdata_2020-05.csv.gz", "taxi/green", 57_360),
    "2023-12": ("parquet_official/green_tripdata_2023-12.parquet", "trip-data", 64_215),
}

pytestmark = pytest.mark.skipif(not GENUINE.is_dir(), reason="there are no genuine files beside the checkout")


@pytest.fixture
def publisher(tmp_path: Path) -> Iterator[str]:
    """The address of a server that has the genuine files where the publisher has them."""
    for file, folder, _ in MONTHS.values():
        (tmp_path / "published" / folder).mkdir(parents=True, exist_ok=True)
        shutil.copy(GENUINE / file, tmp_path / "published" / folder)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "published"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}"
        httpd.shutdown()


@pytest.fixture
def lake(settings: Settings, cloud: dict[str, str], publisher: str) -> Settings:
    return settings.model_copy(update=cloud | {"publishers": publisher})


@pytest.fixture
def green() -> Dataset:
    return find_dataset("taxi_green", CHECKOUT / "datasets")


def amounts_of(file: Path) -> pyarrow.ChunkedArray:
    """The column total_amount, by a plain read."""
    read: Callable[[Path], pyarrow.Table] = (
        pyarrow.parquet.read_table if file.suffix == ".parquet" else pyarrow.csv.read_csv
    )
    return read(file)["total_amount"]


def run_lake(lake: Settings, green: Dataset, month: str) -> dict[str, Receipt]:
    return {receipt.step: receipt for receipt in run_partition(green, green.partition(month), lake)}


def test_counts_and_sums_through_bigquery_are_those_of_the_files(lake: Settings, green: Dataset) -> None:
    receipts = {month: run_lake(lake, green, month) for month in MONTHS}
    client = bigquery_client(lake)
    table = f"`{lake.project}.{lake.lake_dataset}.taxi_green`"
    query = f"SELECT month, COUNT(*) AS trips, SUM(total_amount) AS amount FROM {table} GROUP BY month"
    answers = {f"{row['month']:%Y-%m}": row for row in client.query_and_wait(query)}
    assert set(answers) == set(MONTHS)
    for month, (file, _, rows) in MONTHS.items():
        parquetized = receipts[month]["parquetize"]
        assert (parquetized.rows_read, parquetized.rows_written, parquetized.rows_quarantined) == (rows, rows, 0)
        assert receipts[month]["load"].rows_written == answers[month]["trips"] == rows
        assert answers[month]["amount"] == pytest.approx(pc.sum(amounts_of(GENUINE / file)).as_py(), abs=0.001)


def test_every_month_has_the_declared_columns(lake: Settings, green: Dataset) -> None:
    for month in MONTHS:
        run_lake(lake, green, month)
    client = bigquery_client(lake)
    columns = [field.name for field in client.get_table(f"{lake.project}.{lake.lake_dataset}.taxi_green").schema]
    assert columns == [*(column.name for column in green.columns), "month"]


def test_a_second_run_does_nothing_and_a_forced_one_leaves_the_same_bytes(lake: Settings, green: Dataset) -> None:
    first = run_lake(lake, green, "2020-04")
    second = run_lake(lake, green, "2020-04")
    assert all(receipt.reused for receipt in second.values())
    partition = green.partition("2020-04")
    forced = {receipt.step: receipt for receipt in run_partition(green, partition, lake, force=True)}
    assert not any(receipt.reused for receipt in forced.values())
    assert forced["upload"].writes == first["upload"].writes
    assert forced["load"].rows_written == first["load"].rows_written


def test_partitions_are_pruned_by_the_key(lake: Settings, green: Dataset) -> None:
    for month in ("2020-04", "2020-05"):
        run_lake(lake, green, month)
    client = bigquery_client(lake)
    table = f"`{lake.project}.{lake.lake_dataset}.taxi_green`"
    both, one = (
        client.query(f"SELECT SUM(total_amount) FROM {table} WHERE {condition}", bigquery.QueryJobConfig(dry_run=True))
        for condition in ("TRUE", "month = DATE '2020-04-01'")
    )
    assert 0 < one.total_bytes_processed < both.total_bytes_processed
