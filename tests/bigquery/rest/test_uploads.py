"""Files sent with a load job: in one request, and in pieces that are asked about, zipped, repeated or given up."""

import gzip
import json
from typing import Any

import pytest
import requests

from .conftest import SECONDS, Api, field, make_table

CSV = b"1\n2\n3\n"
START = "/upload/bigquery/v2/projects/lake/jobs"


@pytest.fixture
def table(api: Api, home: str) -> str:
    return make_table(api, home, "t", field("a", "INTEGER"))


def job(home: str, **reference: str) -> dict[str, Any]:
    table = {"projectId": "lake", "datasetId": home.partition("/")[2], "tableId": "t"}
    return {"jobReference": reference, "configuration": {"load": {"destinationTable": table, "sourceFormat": "CSV"}}}


def begin(api: Api, home: str, start: str = START, **given: Any) -> str:
    """Begin a resumable upload. Returns where its pieces go."""
    answer = api.send("POST", start, params={"uploadType": "resumable"}, **(given or {"json": job(home)}))
    assert (answer.status_code, answer.content) == (200, b"")
    return answer.headers["Location"]


def put(address: str, data: bytes, content_range: str | None = None, **headers: str) -> requests.Response:
    head = headers | ({"Content-Range": content_range} if content_range else {})
    return requests.put(address, data=data, headers=head, timeout=SECONDS)


def loaded(api: Api, home: str, answer: requests.Response) -> list[list[Any]]:
    """The rows of the table once the job that an upload was answered with is over."""
    assert answer.status_code == 200, answer.text
    job_id = answer.json()["jobReference"]["jobId"]
    while (state := api.call("GET", f"jobs/{job_id}")["status"])["state"] != "DONE":
        pass
    assert "errorResult" not in state, state
    return api.rows(f"SELECT a FROM {home.partition('/')[2]}.t ORDER BY a")


def test_pieces_and_questions_about_them(api: Api, home: str, table: str) -> None:
    address = begin(api, home)
    answer = put(address, b"", "bytes */*")
    assert (answer.status_code, answer.headers.get("range")) == (308, None)
    answer = put(address, CSV[:2], "bytes 0-1/*")
    assert (answer.status_code, answer.headers["range"]) == (308, "bytes=0-1")
    answer = put(address, CSV[:3], "bytes 0-2/6")
    assert (answer.status_code, answer.headers["range"]) == (308, "bytes=0-2")
    assert put(address, b"", "bytes */6").headers["range"] == "bytes=0-2"
    assert put(address, CSV[5:], "bytes 5-5/6").status_code == 400
    assert loaded(api, home, put(address, CSV[3:], "bytes 3-5/6")) == [["1"], ["2"], ["3"]]


@pytest.mark.feature("Loads and exports", "uploads: pieces, questions, gzip, cancelling by DELETE")
def test_an_upload_that_is_over_is_told_again_and_loaded_once(api: Api, home: str, table: str) -> None:
    address = begin(api, home)
    first = put(address, CSV)
    again = put(address, b"", "bytes */6")
    assert again.json()["jobReference"] == first.json()["jobReference"]
    assert len(loaded(api, home, again)) == 3


@pytest.mark.parametrize("start", [START, f"/resumable{START}"])
def test_an_upload_is_given_up(api: Api, home: str, table: str, start: str) -> None:
    address = begin(api, home, start)
    put(address, CSV[:2], "bytes 0-1/6")
    assert requests.delete(address, timeout=SECONDS).status_code == 499
    for answer in (put(address, b"", "bytes */*"), requests.delete(address, timeout=SECONDS)):
        assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (404, "notFound")


def test_pieces_may_be_zipped(api: Api, home: str, table: str) -> None:
    zipped = {"data": gzip.compress(json.dumps(job(home)).encode()), "headers": {"Content-Encoding": "gzip"}}
    address = begin(api, home, **zipped)
    answer = put(address, gzip.compress(CSV), "bytes 0-5/6", **{"Content-Encoding": "gzip"})
    assert len(loaded(api, home, answer)) == 3


@pytest.mark.parametrize("zipped", ["nothing", "parts", "whole"])
def test_all_in_one_request(api: Api, home: str, table: str, zipped: str) -> None:
    parts = [("application/json", json.dumps(job(home)).encode()), ("*/*", CSV)]
    body = b""
    for kind, content in parts:
        encoding, data = ("Content-Encoding: gzip\r\n", gzip.compress(content)) if zipped == "parts" else ("", content)
        body += f"--b\r\nContent-Type: {kind}\r\n{encoding}\r\n".encode() + data + b"\r\n"
    body += b"--b--\r\n"
    head = {"Content-Type": "multipart/related; boundary=b"}
    if zipped == "whole":
        body, head = gzip.compress(body), {**head, "Content-Encoding": "gzip"}
    answer = api.send("POST", START, params={"uploadType": "multipart"}, data=body, headers=head)
    assert len(loaded(api, home, answer)) == 3


def test_a_file_without_a_job(api: Api) -> None:
    answer = api.send("POST", START, params={"uploadType": "media"}, data=CSV)
    error = answer.json()["error"]
    assert (answer.status_code, error["message"]) == (400, "Required parameter is missing: configuration")


def test_a_job_that_there_is_already(api: Api, home: str, table: str) -> None:
    job_id = f"up_{home[-8:]}"
    assert len(loaded(api, home, put(begin(api, home, json=job(home, jobId=job_id)), CSV))) == 3
    answer = put(begin(api, home, json=job(home, jobId=job_id)), CSV)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (409, "duplicate")
