"""Genuine answers of CoinGecko and genuine dumps and answers of Blockchair, through the whole lake."""

import datetime as dt
import gzip
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import pytest

from tarn.bigquery import bigquery_client
from tarn.dataset import find_dataset
from tarn.pipeline import run_partition
from tarn.receipt import Receipt
from tarn.settings import CHECKOUT, Settings

GENUINE = CHECKOUT.parent / "shared" / "data" / "real"
DUMPS = GENUINE / "blockchair" / "dumps"
HOURS = GENUINE / "coingecko" / "body" / "hourly_historical_prices_for_one_coin.json"

pytestmark = pytest.mark.skipif(not GENUINE.is_dir(), reason="there are no genuine files beside the checkout")


class Publishers:
    """Answers for each path; a path that has none is not published."""

    def __init__(self) -> None:
        self.url = ""
        self.bodies: dict[str, bytes] = {}

    def has(self, path: str, body: bytes) -> None:
        self.bodies[path] = body


@pytest.fixture
def publishers() -> Iterator[Publishers]:
    known = Publishers()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = known.bodies.get(urlsplit(self.path).path)
            self.send_response(404 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        known.url = f"http://127.0.0.1:{httpd.server_port}"
        yield known
        httpd.shutdown()


@pytest.fixture
def lake(settings: Settings, cloud: dict[str, str], publishers: Publishers) -> Settings:
    return settings.model_copy(update=cloud | {"publishers": publishers.url})


def run(lake: Settings, name: str, day: str) -> dict[str, Receipt]:
    """Every step of a day; each has accounted for its rows."""
    dataset = find_dataset(name, CHECKOUT / "datasets")
    receipts = {receipt.step: receipt for receipt in run_partition(dataset, dataset.partition(day), lake)}
    rows = receipts["parquetize"]
    assert rows.rows_read == (rows.rows_written or 0) + (rows.rows_quarantined or 0)
    assert receipts["load"].rows_written == rows.rows_written
    return receipts


def rows_of(lake: Settings, name: str) -> list[dict[str, Any]]:
    """The rows of a table, their values by the publisher's names where those are other ones."""
    sql = f"SELECT * FROM `{lake.project}.{lake.lake_dataset}.{name}`"
    columns = find_dataset(name, CHECKOUT / "datasets").columns
    published = {column.name: column.aliases[0] for column in columns if column.aliases}
    rows = bigquery_client(lake).query_and_wait(sql)
    return [dict(row) | {published[name]: value for name, value in row.items() if name in published} for row in rows]


def by_name(header: str, line: str) -> dict[str, str]:
    return dict(zip(header.split("\t"), line.split("\t"), strict=True))


@pytest.mark.parametrize(
    ("day", "file"),
    [
        ("2009-01-03", "blockchair_bitcoin_blocks_20090103.tsv.gz"),
        ("2024-04-14", "blockchair_bitcoin_blocks_20240414.first9rows.retabbed.tsv"),
    ],
)
def test_a_dump_of_blocks_arrives_field_by_field(lake: Settings, publishers: Publishers, day: str, file: str) -> None:
    content = (DUMPS / file).read_bytes()
    packed = content if file.endswith(".gz") else gzip.compress(content)
    name = f"blockchair_bitcoin_blocks_{day.replace('-', '')}.tsv.gz"
    publishers.has(f"/blockchair/dumps/bitcoin/blocks/{name}", packed)
    header, *lines = gzip.decompress(packed).decode().strip("\n").split("\n")

    receipts = run(lake, "crypto_blocks", day)

    assert (receipts["parquetize"].rows_written, receipts["parquetize"].rows_quarantined) == (len(lines), 0)
    found = {str(row["id"]): row for row in rows_of(lake, "crypto_blocks")}
    for published in (by_name(header, line) for line in lines):
        row = found[published["id"]]
        assert str(row["day"]) == day
        for column, text in published.items():
            value = row[column]
            assert str(value) == text or float(text) == pytest.approx(float(value), rel=1e-15), column


@pytest.mark.parametrize(("table", "day"), [("blocks", "2019-10-18"), ("transactions", "2019-10-22")])
def test_where_there_is_no_dump_the_apis_answer_arrives(
    lake: Settings, publishers: Publishers, table: str, day: str
) -> None:
    answer = json.loads((GENUINE / "blockchair" / "api" / f"bitcoin_{table}_limit_1.json").read_text())
    answer["context"] |= {"total_rows": 1, "limit": 100}  # the example was cut to one row of all that there are
    publishers.has(f"/blockchair/api/bitcoin/{table}", json.dumps(answer).encode())

    receipts = run(lake, f"crypto_{table}", day)

    assert "/api/" in receipts["download"].reads[0].uri
    [row] = rows_of(lake, f"crypto_{table}")
    [published] = answer["data"]
    for column in set(published) - {"date"}:
        assert str(row[column]) == str(published[column]) or row[column] == published[column], column


@pytest.mark.parametrize(
    "file",
    [
        "body/coins_markets_2026-05-18_one_coin.json",
        "body/market_data_for_a_coin_in_myr.json",
        "jkorf/GetMarkets.txt",
    ],
)
def test_a_market_arrives_whatever_its_year(lake: Settings, publishers: Publishers, file: str) -> None:
    text = (GENUINE / "coingecko" / file).read_text()
    body = text[text.index("[") :]
    publishers.has("/coingecko/api/v3/coins/markets", body.encode())
    [published] = json.loads(body)

    run(lake, "crypto_markets", "2024-04-07")

    [row] = rows_of(lake, "crypto_markets")
    for column in ("symbol", "name", "current_price", "market_cap", "market_cap_rank", "max_supply", "ath", "atl"):
        assert row[column] == published[column]
    assert (row["coin_id"], row["roi_times"]) == ("bitcoin", None)
    assert row["last_updated"] == dt.datetime.fromisoformat(published["last_updated"])


def test_a_course_arrives_point_by_point_as_far_as_it_lies_on_the_day(lake: Settings, publishers: Publishers) -> None:
    series = json.loads(HOURS.read_text())
    coins = find_dataset("crypto_prices", CHECKOUT / "datasets").sources[0].each["coin"]
    for coin in coins:
        publishers.has(f"/coingecko/api/v3/coins/{coin}/market_chart/range", HOURS.read_bytes())
    start = dt.datetime(2021, 5, 1, tzinfo=dt.UTC).timestamp() * 1000
    expected = {ms: price for ms, price in series["prices"] if start <= ms < start + 86_400_000}

    receipts = run(lake, "crypto_prices", "2021-05-01")

    assert 20 <= len(expected) <= 25
    assert receipts["parquetize"].rows_written == len(expected) * len(coins)
    rows = rows_of(lake, "crypto_prices")
    assert {row["coin_id"] for row in rows} == set(coins)
    caps, volumes = dict(series["market_caps"]), dict(series["total_volumes"])
    for row in rows:
        moment = row["timestamp_ms"]
        told = (row["price_usd"], row["market_cap_usd"], row["total_volume_usd"])
        assert told == (expected[moment], caps[moment], volumes[moment])
