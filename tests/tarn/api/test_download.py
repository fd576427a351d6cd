"""download from APIs, against a small publisher over real HTTP."""

import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tarn.errors import DownloadRefused, NotPublished, PublisherUnavailable
from tarn.receipt import Receipt

from .conftest import Api, Asked, Reply, StoppedClock, blocks, paged

Fetch = Callable[..., Receipt]
DAY = "2024-05-19"
PAGES = {"size": "limit", "per_page": 4, "offset": "offset", "id": "id", "total": "context.total_rows"}


def paged_blocks(**source: Any) -> Any:
    return blocks(pages=PAGES, records="data", **source)


def ids(receipt: Receipt) -> list[int]:
    return [row["id"] for file in receipt.writes for row in json.loads(Path(file.uri).read_bytes())["data"]]


def test_each_page_is_kept_as_it_came(api: Api, fetch: Fetch) -> None:
    api.answer = lambda _: Reply(b'\xef\xbb\xbf[\r\n {"id": 1.10,\n "name": "a\\nb"} ]\n', headers={"ETag": 'W/"1"'})
    receipt = fetch(blocks(), DAY)
    [file] = receipt.writes
    assert Path(file.uri).name == "page-00001.jsonl"
    assert Path(file.uri).read_bytes() == b'[   {"id": 1.10,  "name": "a\\nb"} ]\n'
    assert receipt.reads[0].uri == f"{api.url}/chain/blocks?q=time%282024-05-19..2024-05-20%29"
    assert (receipt.reads[0].etag, receipt.source) == ('W/"1"', "json")
    assert [path.name for path in Path(file.uri).parent.iterdir()] == ["page-00001.jsonl"]


@pytest.mark.parametrize(("rows", "pages"), [(1, 1), (4, 1), (5, 2), (8, 2), (9, 3)])
def test_pages_are_asked_for_until_all_rows_came(api: Api, fetch: Fetch, rows: int, pages: int) -> None:
    api.answer = paged(rows)
    receipt = fetch(paged_blocks(), DAY)
    assert ids(receipt) == list(range(rows))
    assert len(receipt.writes) == len(api.asked) == pages


def test_pages_may_be_numbered_and_end_with_a_short_one(api: Api, fetch: Fetch) -> None:
    def answer(asked: Asked) -> Reply:
        at = (int(asked.query["page"]) - 1) * 3
        return Reply({"data": [{"id": number} for number in range(7)[at : at + 3]]})

    api.answer = answer
    dataset = blocks(pages={"size": "per_page", "per_page": 3, "number": "page"}, records="data")
    assert ids(fetch(dataset, DAY)) == list(range(7))
    assert [asked.query["page"] for asked in api.asked] == ["1", "2", "3"]


def test_an_unchanged_answer_is_not_sent_again(api: Api, fetch: Fetch) -> None:
    def answer(asked: Asked) -> Reply:
        if asked.headers.get("if-none-match") == '"v"':
            return Reply(b"", 304)
        return Reply([{"id": 1}], headers={"ETag": '"v"'})

    api.answer = answer
    first, again = fetch(blocks(), DAY), fetch(blocks(), DAY)
    assert (first.reused, again.reused) == (False, True)
    assert again.outputs_hold()
    assert again.writes == first.writes


def test_a_killed_download_goes_on_after_its_last_page(api: Api, fetch: Fetch, settings: Any) -> None:
    whole = paged(9)
    api.answer = lambda asked: whole(asked) if asked.query["offset"] != "8" else Reply(b"", 503)
    with pytest.raises(PublisherUnavailable, match="HTTP 503"):
        fetch(paged_blocks(), DAY)
    api.asked.clear()
    api.answer = whole
    assert ids(fetch(paged_blocks(), DAY)) == list(range(9))
    assert [asked.query["offset"] for asked in api.asked] == ["8"]


def test_what_was_downloaded_before_is_used_while_the_publisher_is_away(api: Api, fetch: Fetch) -> None:
    api.answer = paged(9)
    first = fetch(paged_blocks(), DAY)
    whole = paged(3)
    api.answer = lambda asked: whole(asked) if asked.query["offset"] == "0" else Reply(b"", 503)
    api.first = [Reply(b"", 503)] * 4
    again = fetch(paged_blocks(), DAY)
    assert again.reused
    assert ids(again) == ids(first)


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({"error": "coin not found"}), "HTTP 200 with the error: coin not found"),
        (Reply({"status": 500, "error": "Internal"}), "HTTP 200 with the error 500: Internal"),
        (Reply({"status": {"error_code": 429, "error_message": "Slow down"}}), "with the error 429: Slow down"),
        (Reply({"data": None, "context": {"code": 430, "error": "Blocked"}}), "with the error 430: Blocked"),
        (Reply({"error": True, "message": "no such column"}), "with the error: no such column"),
        (Reply(b"<!doctype html><title>Too many</title>"), "sends a web page instead of an answer"),
        (Reply(b'[{"id": 1'), "sends no JSON"),
        (Reply(b""), "sends nothing instead of an answer"),
        (Reply(b"<html>Too Many Requests</html>", 429), "limits how often it is asked: HTTP 429"),
        (Reply(b"Access denied", 403), "HTTP 403"),
        *((Reply(b"", status), f"HTTP {status}") for status in (402, 430, 434, 435, 500, 503)),
    ],
)
def test_a_refusal_is_told_and_tried_again(api: Api, fetch: Fetch, reply: Reply, words: str) -> None:
    api.answer = lambda _: reply
    with pytest.raises((DownloadRefused, PublisherUnavailable), match=words):
        fetch(blocks(), DAY)
    tries = len(api.asked)
    assert tries > 1
    api.answer = lambda _: Reply([{"id": 1}])
    api.first = [reply] * (tries - 1)
    assert fetch(blocks(), DAY).writes


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        (Reply({}), "should have a list of records at 'data', and has nothing"),
        (Reply({"data": {}}), "has an empty object"),
        (Reply({"data": [1]}), "should be objects"),
        (Reply({"error": True, "message": "bad query"}, 400), "HTTP 400 Bad Request: bad query"),
        (Reply({"status": {"error_code": 10002, "error_message": "API key missing"}}, 401), "TARN_KEY_<PUBLISHER>"),
        (Reply({"data": [{"id": number} for number in range(9)]}), "9 records came where 4 were asked for"),
    ],
)
def test_what_trying_again_would_not_change_is_refused_at_once(
    api: Api, fetch: Fetch, reply: Reply, words: str
) -> None:
    api.answer = lambda _: reply
    with pytest.raises(DownloadRefused, match=words):
        fetch(paged_blocks(), DAY)
    assert len(api.asked) == 1


@pytest.mark.parametrize("after", ["30", "Mon, 20 May 2024 12:00:30 GMT"])
def test_retry_after_is_obeyed(api: Api, fetch: Fetch, time_: StoppedClock, after: str) -> None:
    api.answer = lambda _: Reply([{"id": 1}])
    api.first = [Reply(b"<html>Slow down</html>", 429, {"Retry-After": after})]
    fetch(blocks(), DAY)
    assert time_.slept == [30]


def test_requests_are_held_apart_across_tasks_too(api: Api, fetch: Fetch, time_: StoppedClock) -> None:
    api.answer = paged(9)
    fetch(paged_blocks(requests_per_minute=1), DAY, {"rate_limits": {"chain": 30}})
    assert time_.slept == [2, 2, 2]


def test_a_row_that_comes_twice_has_all_pages_asked_for_again(api: Api, fetch: Fetch) -> None:
    def moved(asked: Asked) -> Reply:
        at = max(0, int(asked.query["offset"]) - 1)  # a record has come in before the second page was asked for
        return Reply({"data": [{"id": number} for number in range(9)[at : at + 4]]})

    api.answer = moved
    with pytest.raises(DownloadRefused, match=r"the record id 3 came twice.*2 times in a row.*stable order"):
        fetch(paged_blocks(), DAY)


def test_a_row_that_is_skipped_is_told(api: Api, fetch: Fetch) -> None:
    api.answer = lambda asked: Reply({"data": [{"id": 1}], "context": {"total_rows": 2}})
    with pytest.raises(DownloadRefused, match="1 records came where the publisher tells of 2"):
        fetch(paged_blocks(), DAY)


def test_more_rows_than_the_api_gives_are_refused(api: Api, fetch: Fetch) -> None:
    api.answer = paged(100)
    with pytest.raises(DownloadRefused, match="gives no more than 12 records"):
        fetch(blocks(pages=PAGES | {"last_offset": 8}, records="data"), DAY)


def test_no_record_is_not_published(api: Api, fetch: Fetch) -> None:
    with pytest.raises(NotPublished, match="A chain has no record of it"):
        fetch(blocks(), DAY)


def test_a_partition_of_the_future_is_not_asked_for(api: Api, fetch: Fetch) -> None:
    with pytest.raises(NotPublished, match="lies in the future"):
        fetch(blocks(), "2024-05-21")
    assert not api.asked


def test_each_repeats_the_request_for_a_value(api: Api, fetch: Fetch) -> None:
    api.answer = lambda asked: Reply([{"id": asked.path}])
    dataset = blocks(mirror="chain/{coin}/blocks", each={"coin": ["bit coin", "ether"]})
    receipt = fetch(dataset, DAY)
    assert [asked.path for asked in api.asked] == ["/chain/bit%20coin/blocks", "/chain/ether/blocks"]
    assert [file.values for file in receipt.writes] == [{"coin": "bit coin"}, {"coin": "ether"}]


def test_an_interrupted_repetition_goes_on_with_the_next_value(api: Api, fetch: Fetch) -> None:
    api.answer = lambda asked: Reply(b"", 500) if "ether" in asked.path else Reply([{"id": 1}])
    dataset = blocks(mirror="chain/{coin}/blocks", each={"coin": ["bitcoin", "ether", "tether"]})
    with pytest.raises(PublisherUnavailable):
        fetch(dataset, DAY)
    api.asked.clear()
    api.answer = lambda _: Reply([{"id": 1}])
    assert len(fetch(dataset, DAY).writes) == 3
    assert [asked.path for asked in api.asked] == ["/chain/ether/blocks", "/chain/tether/blocks"]


def test_a_window_begins_where_the_newest_earlier_one_ended(api: Api, fetch: Fetch) -> None:
    api.answer = lambda asked: Reply([{"id": 1, ":at": asked.query["since"] + "+"}, {"id": 2, ":at": "2000"}])
    dataset = blocks(params={"since": "{mark}", "until": "{next}"}, mark={"field": ":at", "first": "2012-07-01"})
    first = fetch(dataset, "2024-05-10")
    second = fetch(dataset, "2024-05-12")
    again = fetch(dataset, "2024-05-10", force=True)
    assert (first.since, first.mark) == ("2012-07-01", "2012-07-01+")
    assert (second.since, second.mark) == ("2012-07-01+", "2012-07-01++")
    assert again.since == "2012-07-01"
    assert api.asked[1].query["until"] == "2024-05-13"


def test_a_snapshot_is_of_the_present_and_taken_once(api: Api, fetch: Fetch) -> None:
    api.answer = lambda _: Reply([{"id": 1}])
    dataset = blocks(snapshot=True, url=f"{api.url}/live")
    live = {"publishers": "live"}
    with pytest.raises(NotPublished, match="tells of the present only"):
        fetch(dataset, "2024-05-18", live)
    assert not fetch(dataset, DAY, live).reused
    assert fetch(dataset, DAY, live).reused
    assert len(api.asked) == 1


def test_days_ago_reach_back_to_the_partitions_first_hour(api: Api, fetch: Fetch) -> None:
    api.answer = lambda _: Reply([{"id": 1}])
    fetch(blocks(params={"days": "{days_ago}", "from": "{day:unix}"}), DAY)
    assert api.asked[0].query == {"days": "2", "from": "1716076800"}


def test_a_secret_is_sent_and_told_to_nobody(
    api: Api, fetch: Fetch, caplog: pytest.LogCaptureFixture, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.DEBUG)
    api.answer = lambda _: Reply([{"id": 1}])
    api.first = [Reply(b"", 500)]
    dataset = blocks(key={"publisher": "chain", "header": "x-key"})
    monkeypatch.setenv("TARN_KEY_CHAIN", "s3cret")
    fetch(dataset, DAY)
    assert [asked.headers["x-key"] for asked in api.asked] == ["s3cret", "s3cret"]
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "s3cret" not in written + caplog.text


def test_a_redirection_is_not_followed_with_the_key(api: Api, fetch: Fetch) -> None:
    api.answer = lambda _: Reply(b"", 302, {"Location": f"{api.url}/elsewhere"})
    with pytest.raises(DownloadRefused, match="HTTP 302"):
        fetch(blocks(), DAY)
    assert len(api.asked) == 1


def test_where_one_source_has_nothing_the_next_is_asked(api: Api, fetch: Fetch) -> None:
    api.answer = lambda asked: Reply(b"", 404) if asked.path.endswith(".csv") else Reply([{"id": 1}])
    dump = {"format": "csv", "url": "https://example.org/{day}.csv", "mirror": "dumps/{day}.csv"}
    dataset = blocks()
    dataset = type(dataset).model_validate(dataset.model_dump(by_alias=True) | {
        "sources": [dump, dataset.sources[0].model_dump(by_alias=True)]
    })  # fmt: skip
    assert fetch(dataset, DAY).source == "json"
    api.answer = lambda asked: Reply(b"id\n1\n") if asked.path.endswith(".csv") else Reply([])
    receipt = fetch(dataset, DAY)
    assert receipt.source == "csv"
    assert [path.name for path in Path(receipt.writes[0].uri).parent.iterdir()] == [f"{DAY}.csv"]
    with pytest.raises(NotPublished, match="not published: A chain has no record"):
        fetch(dataset, "2024-05-18", {"sources": {"blocks": "json"}})
