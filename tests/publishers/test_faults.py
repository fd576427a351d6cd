"""Each fault, as a client meets it over a real connection."""

import datetime as dt
import gzip
import socket
import threading
import time
import zlib
from email.utils import parsedate_to_datetime

import pytest
import requests

GREEN = "/taxi/green/green_tripdata_2019-03.csv.gz"
YELLOW = "/taxi/yellow/yellow_tripdata_2019-03.csv.gz"


def _with_fault(publishers, fault: str, **kwargs) -> requests.Response:
    return publishers.get(GREEN, headers={"X-Tarn-Fault": fault}, **kwargs)


@pytest.mark.parametrize("status", [402, 403, 404, 429, 430, 434, 435, 500, 502, 503, 504])
def test_a_refusal_with_and_without_retry_after(publishers, status):
    assert "Retry-After" not in _with_fault(publishers, str(status)).headers
    told = _with_fault(publishers, f"{status};retry_after=3")
    assert (told.status_code, told.headers["Retry-After"]) == (status, "3")


def test_a_retry_after_may_be_a_date(publishers):
    before = dt.datetime.now(dt.UTC).replace(microsecond=0)
    told = parsedate_to_datetime(_with_fault(publishers, "429;retry_after=60;as_date=1").headers["Retry-After"])
    assert before + dt.timedelta(seconds=60) <= told <= dt.datetime.now(dt.UTC) + dt.timedelta(seconds=60)


def test_an_error_page_may_say_429_and_when_to_come_again(publishers):
    page = _with_fault(publishers, "html;status=429;retry_after=2")
    assert (page.status_code, page.headers["Retry-After"]) == (429, "2")
    assert page.text.startswith("<!doctype html>")


@pytest.mark.parametrize(
    ("fault", "status", "error"),
    [
        ("json-error", 200, "Something went wrong"),
        ("json-error;shape=2;status=500", 500, "Internal Server Error"),
        ("json-error;shape=3;status=429", 429, None),
    ],
)
def test_an_apis_error_comes_in_three_shapes(publishers, fault, status, error):
    answer = _with_fault(publishers, fault)
    assert (answer.status_code, answer.json().get("error")) == (status, error)
    assert _with_fault(publishers, "json-error;shape=3").json()["status"]["error_code"] == 429


def test_an_empty_object_says_200(publishers):
    answer = _with_fault(publishers, "empty-object")
    assert (answer.status_code, answer.json()) == (200, {})


def test_a_slow_body_is_whole_and_takes_its_time(publishers):
    whole = publishers.get(GREEN, headers={"Range": "bytes=0-999"})
    begun = time.monotonic()
    slow = publishers.get(GREEN, headers={"X-Tarn-Fault": "slow;rate=2500", "Range": "bytes=0-999"})
    assert time.monotonic() - begun >= 0.3
    assert (slow.content, slow.headers["Content-Length"]) == (whole.content, "1000")


def test_a_cut_declares_the_whole_length_and_closes_early(publishers):
    size = len(publishers.get(GREEN).content)
    with _with_fault(publishers, "cut;after=1000", stream=True) as answer:
        assert answer.headers["Content-Length"] == str(size)
        with pytest.raises(requests.exceptions.ChunkedEncodingError, match="1000 bytes read"):
            _ = answer.content


def test_a_cut_of_a_resumed_download_counts_from_its_own_start(publishers):
    answer = publishers.get(GREEN, headers={"X-Tarn-Fault": "cut;after=10", "Range": "bytes=500-"}, stream=True)
    assert answer.status_code == 206
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="10 bytes read"):
        _ = answer.content


def test_a_stall_outlasts_the_clients_patience(publishers):
    with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
        requests.get(publishers.url + GREEN, headers={"X-Tarn-Fault": "stall;seconds=60"}, timeout=0.5)


def test_a_short_stall_still_gives_the_whole_file(publishers):
    assert _with_fault(publishers, "stall;seconds=0.1;after=0").content == publishers.get(GREEN).content


def test_a_wrong_length_is_whole_by_http_and_cut_by_gzip(publishers):
    whole, short = publishers.get(GREEN), _with_fault(publishers, "wrong-length;short=8")
    assert short.headers["Content-Length"] == str(len(short.content)) == str(len(whole.content) - 8)
    with pytest.raises(EOFError):
        gzip.decompress(short.content)
    assert zlib.decompressobj(31).decompress(short.content) != b""


def test_an_html_page_an_empty_body_and_a_pointer_say_200(publishers):
    page, empty, pointer = (_with_fault(publishers, kind) for kind in ("html", "empty", "lfs-pointer"))
    assert {page.status_code, empty.status_code, pointer.status_code} == {200}
    assert page.headers["Content-Type"].startswith("text/html")
    assert page.text.startswith("<!doctype html>")
    assert empty.content == b""
    assert pointer.text.startswith("version https://git-lfs.github.com/spec/v1\noid sha256:")


def test_a_changed_file_has_another_tag_and_other_bytes_from_then_on(publishers):
    before = publishers.get(GREEN)
    publishers.arm(GREEN, "changed", skip=1)
    first = publishers.get(GREEN, headers={"Range": "bytes=0-99"})
    second = publishers.get(GREEN, headers={"Range": "bytes=100-", "If-Range": first.headers["ETag"]})
    assert first.headers["ETag"] == before.headers["ETag"]
    assert second.status_code == 200, "If-Range no longer holds, so the whole new file comes"
    assert second.headers["ETag"] != before.headers["ETag"]
    assert second.headers["Last-Modified"] != before.headers["Last-Modified"]
    assert second.content != before.content
    assert publishers.get(GREEN).content == second.content
    requests.delete(f"{publishers.url}/_faults", timeout=10)
    assert publishers.get(GREEN).content == before.content


def test_an_armed_fault_strikes_its_paths_as_often_as_told(publishers):
    publishers.arm("/taxi/green/*", "503", times=2)
    assert requests.head(publishers.url + GREEN, timeout=10).status_code == 200, "only GET meets faults"
    assert publishers.get(YELLOW).status_code == 200
    assert [publishers.get(GREEN).status_code for _ in range(3)] == [503, 503, 200]


def test_the_armed_are_listed_until_they_are_spent_or_disarmed(publishers):
    publishers.arm(GREEN, "429", retry_after=2)
    publishers.arm(YELLOW, "empty")
    publishers.get(YELLOW)
    (left,) = publishers.get("/_faults").json()
    assert (left["path"], left["fault"]["kind"], left["fault"]["retry_after"], left["times"]) == (GREEN, "429", 2, 1)
    requests.delete(f"{publishers.url}/_faults", timeout=10)
    assert publishers.get("/_faults").json() == []
    assert publishers.get(GREEN).status_code == 200


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"path": "*"}, "needs a path and a kind"),
        ({"path": "*", "kind": "flood"}, "no such fault: 'flood'"),
        ({"path": "*", "kind": "cut", "later": 1}, "has no later"),
        ({"path": "*", "kind": "cut", "after": "soon"}, "not a number"),
        ({"path": "*", "kind": "stall", "seconds": -1}, "less than zero"),
        ({"path": "*", "kind": "json-error", "shape": 4}, "a shape 1 to 3"),
        ({"path": "*", "kind": "html", "status": 99}, "a status is 200 to 599"),
        ({"path": "*", "kind": "slow", "rate": 0}, "1 byte a second or more"),
        ({"path": "*", "kind": "cut", "times": 0}, "times is a whole number"),
        ([], "needs a path and a kind"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused_with_the_reason(publishers, body, reason):
    answer = requests.post(f"{publishers.url}/_faults", json=body, timeout=10)
    assert answer.status_code == 400
    assert reason in answer.json()["error"]


def test_a_header_that_names_no_fault_is_refused(publishers):
    answer = _with_fault(publishers, "flood")
    assert (answer.status_code, "no such fault" in answer.text) == (400, True)


def test_shares_strike_about_that_often_and_the_same_requests_for_one_seed(start_publishers, tmp_path):
    def statuses() -> list[int]:
        with start_publishers(tmp_path, "--rows", "10", "--faults", "503;retry_after=1=0.3,429=0.2") as publishers:
            return [publishers.get(GREEN).status_code for _ in range(100)]

    first = statuses()
    assert 15 < first.count(503) < 45
    assert 8 < first.count(429) < 35
    assert statuses() == first


def test_a_stalled_answer_does_not_hold_up_the_others(publishers):
    stalled = socket.create_connection((publishers.url.split(":")[1].strip("/"), int(publishers.url.split(":")[2])))
    stalled.sendall(f"GET {GREEN} HTTP/1.1\r\nHost: x\r\nX-Tarn-Fault: stall;after=0\r\n\r\n".encode())
    assert stalled.recv(12) == b"HTTP/1.1 200"
    answers: list[int] = []
    others = [threading.Thread(target=lambda: answers.append(publishers.get(GREEN).status_code)) for _ in range(4)]
    for other in others:
        other.start()
    for other in others:
        other.join()
    stalled.close()
    assert answers == [200] * 4
