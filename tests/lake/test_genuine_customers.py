"""The genuine file of the customers' transactions through the steps of the lake: each of its rows is accounted for."""

import json
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tarn.bigquery import bigquery_client
from tarn.dataset import Dataset, find_dataset
from tarn.pipeline import run_partition
from tarn.receipt import Receipt
from tarn.settings import CHECKOUT, Settings
from tarn.staging import Workspace

GENUINE = CHECKOUT.parent / "shared" / "data" / "real" / "ebury" / "customer_transactions.csv"
DAY = "2023-07-20"

pytestmark = pytest.mark.skipif(not GENUINE.exists(), reason="there are no genuine files beside the checkout")


@pytest.fixture
def lake(tmp_path: Path, settings: Settings, cloud: dict[str, str]) -> Iterator[Settings]:
    """A lake whose publisher sends the genuine file as the delivery of a day."""
    folder = tmp_path / "published" / "customers"
    folder.mkdir(parents=True)
    shutil.copy(GENUINE, folder / f"customer_transactions_{DAY}.csv")
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield settings.model_copy(update=cloud | {"publishers": f"http://127.0.0.1:{httpd.server_port}"})
        httpd.shutdown()


@pytest.fixture
def dataset() -> Dataset:
    return find_dataset("customers_transactions", CHECKOUT / "datasets")


@pytest.fixture
def receipts(lake: Settings, dataset: Dataset) -> dict[str, Receipt]:
    """What each step says of the day."""
    return {receipt.step: receipt for receipt in run_partition(dataset, dataset.partition(DAY), lake)}


def test_every_row_is_kept_repaired_or_quarantined_and_counted_by_its_rule(receipts: dict[str, Receipt]) -> None:
    cleaned = receipts["parquetize"]
    assert cleaned.rows_read == 100
    assert (cleaned.rows_kept, cleaned.rows_repaired, cleaned.rows_quarantined) == (49, 35, 16)
    assert cleaned.rows_written == 84
    # Of the genuine dirt (10 ids, 14 customers, 12 dates, 6 products, 11 prices, 9 taxes), what rows without a quantity
    # take with them into quarantine is not counted.
    assert cleaned.repaired_by == {
        "transaction_id: strip_prefix T": 7,
        "customer_id: blank": 12,
        "transaction_date: date_format %d-%m-%Y": 8,
        "product_id: strip_prefix P": 3,
        "price: words": 6,
        "tax: words": 8,
    }
    assert cleaned.quarantined_by == {"quantity: blank quarantine": 16}


def test_the_quarantine_names_row_and_rule(lake: Settings, dataset: Dataset, receipts: dict[str, Receipt]) -> None:
    assert receipts["parquetize"].rows_quarantined == 16
    file = Workspace.of(dataset, dataset.partition(DAY), lake).quarantine
    first = json.loads(file.read_text().splitlines()[0])
    assert first == {
        "line": 7,
        "column": "quantity",
        "value": None,
        "reason": "is blank",
        "raw": "1006,506.0,2023-07-20,101,Product A,,77.61,24.56",
        "rule": "quantity: blank quarantine",
    }


def test_bigquery_has_the_repaired_values_and_the_checks_hold(lake: Settings, receipts: dict[str, Receipt]) -> None:
    assert receipts["load"].rows_written == receipts["validate"].rows_read == 84
    assert receipts["validate"].checks["most transactions name their customer"] == 12
    table = f"`{lake.project}.{lake.lake_dataset}.customers_transactions`"
    # 1009 has a price in words, 1010 a letter, 1011 a tax in words, 1015 a letter before its product, 1016 a day first.
    rows = bigquery_client(lake).query_and_wait(
        "SELECT transaction_id, customer_id, transaction_date, product_id, quantity, price, tax"
        f" FROM {table} WHERE transaction_id IN (1007, 1009, 1010, 1011, 1015, 1016) ORDER BY transaction_id"
    )
    assert [tuple(map(str, row.values())) for row in rows] == [
        ("1007", "None", "2023-07-18", "102", "5", "78.28", "18.24"),
        ("1009", "509", "2023-07-16", "104", "5", "200", "10.69"),
        ("1010", "500", "2023-07-15", "100", "4", "200.35", "17.34"),
        ("1011", "501", "2023-07-16", "101", "3", "112.25", "15"),
        ("1015", "505", "2023-07-16", "100", "4", "52.97", "7.61"),
        ("1016", "506", "2023-07-11", "101", "1", "137.05", "16.48"),
    ]
