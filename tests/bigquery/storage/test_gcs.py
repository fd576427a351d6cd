"""The client of the object store, against servers that fail in the ways that servers do."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google_crc32c
import pytest

from tarn_bigquery.storage import gcs
from tarn_bigquery.storage.errors import (
    AccessDeniedError,
    NotFoundError,
    ObjectChangedError,
    StorageError,
    UnavailableError,
)
from tarn_bigquery.storage.gcs import ObjectStore, ObjectVersion

CONTENT = b"some content"


@dataclass
class Script:
    """What a server answers, request by request; the last answer goes on for ever."""

    answers: list[tuple[int, bytes]] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    cut_bodies: int = 0


@pytest.fixture
def script() -> Script:
    return Script()


@pytest.fixture
def store(script: Script, monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            url = urlsplit(self.path)
            script.requests.append({"path": url.path, **{k: v[0] for k, v in parse_qs(url.query).items()}})
            status, body = script.answers[min(len(script.requests), len(script.answers)) - 1]
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if script.cut_bodies:
                script.cut_bodies -= 1
                body = body[: len(body) // 2]
            self.wfile.write(body)

        def do_POST(self) -> None:
            script.bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.do_GET()

        def log_message(self, *_: Any) -> None:
            """Keep the tests' output to itself."""

    monkeypatch.setattr(gcs, "_FIRST_DELAY_SECONDS", 0.001)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield ObjectStore(f"http://127.0.0.1:{server.server_port}")
    server.shutdown()
    server.server_close()


def page(*names: str, token: str | None = None) -> tuple[int, bytes]:
    items = [{"name": name, "generation": "7", "crc32c": "AAAAAA==", "size": "0"} for name in names]
    return 200, json.dumps({"items": items} | ({"nextPageToken": token} if token else {})).encode()


def version(content: bytes = CONTENT) -> ObjectVersion:
    checksum = base64.b64encode(google_crc32c.Checksum(content).digest()).decode()
    return ObjectVersion("b", "a/b c#1", "7", checksum, len(content))


def test_pages_are_followed(store: ObjectStore, script: Script) -> None:
    script.answers = [page("a", "b", token="t1"), page("c")]
    assert [o.name for o in store.list_objects("b", "x/").objects] == ["a", "b", "c"]
    assert [r.get("pageToken") for r in script.requests] == [None, "t1"]
    assert script.requests[0]["prefix"] == "x/"


def test_a_server_that_repeats_its_token_ends(store: ObjectStore, script: Script) -> None:
    script.answers = [page("a", token="t1")]
    assert [o.name for o in store.list_objects("b").objects] == ["a"]
    assert len(script.requests) == 2


def test_transient_failures_are_tried_again(store: ObjectStore, script: Script) -> None:
    script.answers = [(503, b""), (429, b""), (200, b"not json"), page("a")]
    assert [o.name for o in store.list_objects("b").objects] == ["a"]


def test_giving_up_says_where_and_why(store: ObjectStore, script: Script) -> None:
    script.answers = [(503, b"")]
    with pytest.raises(UnavailableError, match=r"Cannot read gs://b at http://127.* after 5 attempts: it answered 503"):
        store.list_objects("b")
    assert len(script.requests) == 5


def test_no_server_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "_FIRST_DELAY_SECONDS", 0.001)
    with pytest.raises(UnavailableError, match="Is the object store running"):
        ObjectStore("http://127.0.0.1:1").list_objects("b")


@pytest.mark.parametrize(
    ("status", "kind"), [(404, NotFoundError), (403, AccessDeniedError), (401, AccessDeniedError), (400, StorageError)]
)
def test_refusals_are_not_tried_again(store: ObjectStore, script: Script, status: int, kind: type[Exception]) -> None:
    script.answers = [(status, b"reason")]
    with pytest.raises(kind):
        store.list_objects("b")
    assert len(script.requests) == 1


def test_download_asks_for_the_generation(store: ObjectStore, script: Script, tmp_path: Path) -> None:
    script.answers = [(200, CONTENT)]
    store.download(version(), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert script.requests[0]["generation"] == "7"
    assert script.requests[0]["path"] == "/download/storage/v1/b/b/o/a%2Fb%20c%231"


def test_a_body_that_is_cut_is_fetched_again(store: ObjectStore, script: Script, tmp_path: Path) -> None:
    script.answers = [(200, CONTENT)]
    script.cut_bodies = 2
    store.download(version(), tmp_path / "f")
    assert (tmp_path / "f").read_bytes() == CONTENT
    assert len(script.requests) == 3


@pytest.mark.parametrize("answer", [(404, b""), (200, b"other stuff!"), (200, b"longer than it was")])
def test_what_is_not_the_listed_version_is_refused(
    store: ObjectStore, script: Script, tmp_path: Path, answer: tuple[int, bytes]
) -> None:
    script.answers = [answer]
    with pytest.raises(ObjectChangedError):
        store.download(version(), tmp_path / "f")


def test_missing_google_credentials_are_explained(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", "")
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    with pytest.raises(AccessDeniedError, match="application-default login"):
        ObjectStore.connect("https://storage.googleapis.com")
    connect: Callable[[str], ObjectStore] = ObjectStore.connect
    assert connect("http://127.0.0.1:4443").endpoint == "http://127.0.0.1:4443"


def stored(checksum: str) -> tuple[int, bytes]:
    return 200, json.dumps({"name": "a/b c#1", "crc32c": checksum}).encode()


def test_an_upload_is_sent_again_whole(store: ObjectStore, script: Script, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    script.answers = [(503, b""), stored(version().crc32c)]
    store.upload(tmp_path / "file", "b", "a/b c#1")
    assert script.bodies == [CONTENT, CONTENT]
    assert script.requests[1] == {"path": "/upload/storage/v1/b/b/o", "uploadType": "media", "name": "a/b c#1"}


def test_an_upload_that_arrives_otherwise_is_an_error(store: ObjectStore, script: Script, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    script.answers = [stored("AAAAAA==")]
    with pytest.raises(ObjectChangedError, match="gs://b/x is not what was sent"):
        store.upload(tmp_path / "file", "b", "x")


@pytest.mark.parametrize(("status", "kind"), [(404, NotFoundError), (403, AccessDeniedError), (503, UnavailableError)])
def test_an_upload_that_is_refused(
    store: ObjectStore, script: Script, tmp_path: Path, status: int, kind: type[Exception]
) -> None:
    (tmp_path / "file").write_bytes(b"")
    script.answers = [(status, b"")]
    with pytest.raises(kind, match="gs://b/x"):
        store.upload(tmp_path / "file", "b", "x")


def test_a_proxy_is_not_asked_for_this_machine(
    store: ObjectStore, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://192.0.2.1:9")
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    script.answers = [(200, json.dumps({"items": [{"name": "a"}]}).encode())]
    assert [version.name for version in store.list_objects("b").objects] == ["a"]
