"""Blockchair offline: dumps and the API hold the same rows, and the blocks are the sums of their transactions."""

import datetime as dt
import gzip
from collections import defaultdict
from itertools import pairwise
from typing import Any

import pytest
import requests

from tarn_publishers.blockchair.chain import FIRST_DAY, Chain, subsidy
from tarn_publishers.blockchair.days import ChainDay
from tarn_publishers.blockchair.queries import Query, QueryRefusedError
from tarn_publishers.coingecko.coins import coins
from tarn_publishers.sample import Sample

DAY = dt.date(2024, 4, 14)
NOW = dt.datetime(2024, 4, 20, tzinfo=dt.UTC)


def dump(table: str, day: dt.date = DAY) -> str:
    return f"/blockchair/dumps/bitcoin/{table}/blockchair_bitcoin_{table}_{day:%Y%m%d}.tsv.gz"


def dumped(publishers, table: str, day: dt.date = DAY) -> list[dict[str, str]]:
    answer = publishers.get(dump(table, day))
    answer.raise_for_status()
    header, *lines = gzip.decompress(answer.content).decode().split("\n")
    return [dict(zip(header.split("\t"), line.split("\t"), strict=True)) for line in lines]


def asked(publishers, table: str, **query: Any) -> requests.Response:
    return publishers.get(f"/blockchair/api/bitcoin/{table}", params={"s": "id(asc)", **query})


def all_pages(publishers, table: str, q: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while True:
        body = asked(publishers, table, q=q, limit=100, offset=len(rows)).json()
        rows += body["data"]
        if len(body["data"]) < 100:
            assert body["context"]["total_rows"] == len(rows)
            return rows


@pytest.mark.parametrize(("table", "columns"), [("blocks", 36), ("transactions", 22)])
def test_a_dump_has_the_publishers_columns_and_no_final_newline(publishers, table, columns):
    answer = publishers.get(dump(table))
    text = gzip.decompress(answer.content)
    rows = dumped(publishers, table)
    assert not text.endswith(b"\n")
    assert {len(row) for row in rows} == {columns}
    assert len(rows) == int(answer.headers["X-Tarn-Rows"])


@pytest.mark.parametrize("table", ["blocks", "transactions"])
def test_the_api_has_the_rows_of_the_dump(publishers, table):
    by_dump = dumped(publishers, table)
    by_api = all_pages(publishers, table, f"time({DAY}..{DAY})")
    assert [row["hash"] for row in by_dump] == [row["hash"] for row in by_api]
    for from_dump, from_api in zip(by_dump, by_api, strict=True):
        assert from_api.pop("date") == str(DAY)
        for name, text in from_dump.items():
            assert text == str(from_api[name]) or float(text) == float(from_api[name])


def test_blocks_are_the_sums_of_their_transactions(publishers):
    sums: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for row in dumped(publishers, "transactions"):
        block = sums[row["block_id"]]
        block["count"] += 1
        for name in ("fee", "input_total", "output_total", "input_count", "output_count"):
            block[name] += int(row[name])
    blocks = {row["id"]: row for row in dumped(publishers, "blocks")}
    assert set(blocks) == set(sums)
    for height, block in blocks.items():
        found = sums[height]
        assert (int(block["transaction_count"]), int(block["fee_total"])) == (found["count"], found["fee"])
        assert (
            int(block["output_total"]) == int(block["input_total"]) + int(block["generation"]) == found["output_total"]
        )
        assert int(block["reward"]) == subsidy(int(height)) + found["fee"]


def test_days_follow_one_another_without_a_gap():
    chain = Chain("1", 2_000)
    days = [FIRST_DAY + dt.timedelta(days=number) for number in range(400)]
    for today, tomorrow in pairwise(days):
        assert chain.heights(today).stop == chain.heights(tomorrow).start
        assert chain.transaction_ids(today).stop == chain.transaction_ids(tomorrow).start
        assert 100 < len(chain.heights(today)) < 200


@pytest.mark.parametrize("rows", [1, 2_000, 600_000])
def test_every_block_has_a_miners_transaction_and_lies_on_its_day(rows):
    sample = Sample(rows)
    day = ChainDay(Chain("1", rows), DAY, coins(sample)[0])
    transactions = list(day.transactions())
    assert sum(row["is_coinbase"] for row in transactions) == len({row["block_id"] for row in transactions})
    assert {row["time"][:10] for row in day.blocks()} == {str(DAY)}


def test_a_dump_can_be_taken_in_parts_and_a_replaced_one_is_noticed(publishers):
    whole = publishers.get(dump("blocks"))
    tail = publishers.get(dump("blocks"), headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    assert (tail.status_code, tail.content) == (206, whole.content[1000:])
    publishers.arm(dump("blocks"), "changed")
    changed = publishers.get(dump("blocks"), headers={"Range": "bytes=1000-", "If-Range": whole.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"] != whole.headers["ETag"]) == (200, True)


def test_a_day_that_is_not_dumped_yet_is_404_and_the_api_has_it(publishers):
    today = dt.datetime.now(dt.UTC).date()
    for missing in (today, FIRST_DAY - dt.timedelta(days=1)):
        assert publishers.get(dump("blocks", missing)).status_code == 404
    assert asked(publishers, "blocks", q=f"time({today}..{today})").json()["context"]["total_rows"] > 100
    assert (
        publishers.get("/blockchair/dumps/bitcoin/blocks/blockchair_bitcoin_blocks_20240431.tsv.gz").status_code == 404
    )


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        ({"limit": 101}, "limit=101 is not a number from 0 to 100"),
        ({"offset": 10_001}, "offset=10001 is not a number from 0 to 10000"),
        ({"q": "time(yesterday)"}, "'yesterday' is no time"),
        ({"q": "size(1)"}, "cannot read q=size(1)"),
        ({"q": "id(a..b)"}, "no range of ids"),
        ({"q": "time(2024-04-14..2024-04-13)"}, "not a span"),
        ({"q": "time(2009-04-14..2024-04-13)"}, "not a span"),
        ({"s": "fee(asc)"}, "cannot sort"),
    ],
)
def test_a_request_beyond_the_limits_is_400_with_the_reason(publishers, query, reason):
    answer = asked(publishers, "blocks", **query)
    assert (answer.status_code, answer.json()["data"]) == (400, None)
    assert reason in answer.json()["context"]["error"]


def test_ids_and_seconds_narrow_a_request_and_the_order_turns_it(publishers):
    first, *_ = all_pages(publishers, "blocks", f"time({DAY})")
    assert asked(publishers, "blocks", q=f"time({DAY}),id({first['id']})").json()["data"] == [first]
    late = asked(publishers, "blocks", q=f"time({DAY} 23:00:00..{DAY} 23:59:59)").json()["data"]
    assert 1 <= len(late) < 20
    last = asked(publishers, "blocks", q=f"time({DAY})", s="id(desc)", limit=1).json()["data"]
    assert last == late[-1:]


def test_without_a_time_the_last_two_days_are_searched():
    query = Query.read({}, NOW)
    assert query.days() == [dt.date(2024, 4, 19), dt.date(2024, 4, 18)]
    with pytest.raises(QueryRefusedError, match="cannot read"):
        Query.read({"q": "nonsense"}, NOW)
