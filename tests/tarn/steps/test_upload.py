"""upload, against real object servers; their faults are made by a proxy in front of them."""

import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

import pytest
import requests
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tarn import gcs
from tarn.dataset import Dataset
from tarn.errors import InputMissing, UploadFailed
from tarn.partition import Partition
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace
from tarn.steps.upload import upload

PARTITION = Partition.parse("2024-01")
FOLDER = "trips/month=2024-01-01/"
OBJECT = f"{FOLDER}trips_2024-01.parquet"

Leave = Callable[[Settings, bytes], Path]


@pytest.fixture
def leave(parquetized: Callable[..., Path], trips: Dataset) -> Leave:
    """Leaves a file of these bytes as parquetize would."""
    return lambda settings, content: parquetized(settings, trips, PARTITION, content)


@pytest.fixture
def lake(settings: Settings, gcs_url: str) -> Settings:
    return settings.model_copy(update={"gcs_endpoint": gcs_url})


@pytest.fixture
def bucket(lake: Settings) -> storage.Bucket:
    return bucket_of(lake)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gcs, "LONGEST_WAIT_SECONDS", 0.01)


def bucket_of(settings: Settings) -> storage.Bucket:
    client = storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": settings.gcs_url})
    return client.bucket(settings.bucket)


def contents(bucket: storage.Bucket) -> dict[str, bytes]:
    return {blob.name: blob.download_as_bytes() for blob in bucket.list_blobs()}


def test_the_bucket_is_made_and_holds_the_partition_s_file(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket
) -> None:
    file = leave(lake, os.urandom(3_000_000))
    seen: list[tuple[int, int | None, str]] = []
    receipt = upload(trips, PARTITION, lake, progress=lambda done, total, unit: seen.append((done, total, unit)))
    assert contents(bucket) == {OBJECT: file.read_bytes()}
    [written] = receipt.writes
    assert written.uri == f"gs://{lake.bucket}/{OBJECT}"
    assert (written.bytes, written.crc32c) == (3_000_000, bucket.get_blob(OBJECT).crc32c)
    assert (receipt.rows_written, receipt.reused) == (3, False)
    assert Receipt.load(Workspace.of(trips, PARTITION, lake).receipt("upload")) == receipt
    assert seen[-1] == (3_000_000, 3_000_000, "bytes")
    assert sorted(seen) == seen


def test_the_second_upload_of_the_same_file_does_nothing(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket
) -> None:
    leave(lake, b"one")
    first = upload(trips, PARTITION, lake)
    generation = bucket.get_blob(OBJECT).generation
    second = upload(trips, PARTITION, lake)
    assert second.reused
    assert second.finished_at == first.finished_at
    assert bucket.get_blob(OBJECT).generation == generation
    assert not upload(trips, PARTITION, lake, force=True).reused
    assert bucket.get_blob(OBJECT).generation != generation


def test_a_new_file_takes_the_place_of_the_old_one(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket
) -> None:
    leave(lake, b"one")
    upload(trips, PARTITION, lake)
    leave(lake, b"two")
    assert not upload(trips, PARTITION, lake).reused
    assert contents(bucket) == {OBJECT: b"two"}


def test_stale_objects_of_the_partition_go_and_no_others(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket
) -> None:
    leave(lake, b"one")
    upload(trips, PARTITION, lake)
    kept = ["trips/month=2024-02-01/a.parquet", "trips_2/month=2024-01-01/a.parquet"]
    for name in (f"{FOLDER}old.parquet", f"{FOLDER}deeper/old.parquet", *kept):
        bucket.blob(name).upload_from_string(b"x")
    assert not upload(trips, PARTITION, lake).reused
    assert sorted(contents(bucket)) == sorted([OBJECT, *kept])


def test_an_object_that_someone_changed_or_removed_is_put_again(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket
) -> None:
    leave(lake, b"one")
    upload(trips, PARTITION, lake)
    bucket.blob(OBJECT).upload_from_string(b"ONE")
    upload(trips, PARTITION, lake)
    assert contents(bucket) == {OBJECT: b"one"}
    bucket.delete_blob(OBJECT)
    upload(trips, PARTITION, lake)
    assert contents(bucket) == {OBJECT: b"one"}


def test_killed_between_the_put_and_the_receipt_it_finishes_the_next_time(
    lake: Settings, trips: Dataset, leave: Leave, bucket: storage.Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(lake, b"one")
    with monkeypatch.context() as patch:
        patch.setattr(Receipt, "save", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            upload(trips, PARTITION, lake)
    generation = bucket.get_blob(OBJECT).generation
    receipt = upload(trips, PARTITION, lake)
    assert bucket.get_blob(OBJECT).generation == generation
    assert Receipt.load(Workspace.of(trips, PARTITION, lake).receipt("upload")) is not None
    assert [written.uri for written in receipt.writes] == [f"gs://{lake.bucket}/{OBJECT}"]


def test_without_parquetize_it_says_what_to_run(settings: Settings, trips: Dataset) -> None:
    with pytest.raises(InputMissing, match=r"run scripts/parquetize\.py trips 2024-01 first"):
        upload(trips, PARTITION, settings)


def test_a_file_that_changed_since_parquetize_is_not_sent(settings: Settings, trips: Dataset, leave: Leave) -> None:
    leave(settings, b"one").write_bytes(b"ONE")
    with pytest.raises(InputMissing, match="no longer what parquetize wrote"):
        upload(trips, PARTITION, settings)


@pytest.mark.usefixtures("impatient")
def test_with_no_server_it_says_how_to_start_one(settings: Settings, trips: Dataset, leave: Leave) -> None:
    leave(settings, b"one")
    with pytest.raises(UploadFailed, match=r"does not answer.*`tarn up`"):
        upload(trips, PARTITION, settings)


# What follows needs a server that misbehaves.


@dataclass
class Exchange:
    """A request on its way through the proxy, and its answer on the way back."""

    method: str
    path: str
    body: bytes
    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    answer: bytes = b""

    @property
    def is_content(self) -> bool:
        """Whether it carries an object's content."""
        return self.method == "PUT"

    def change(self, **fields: object) -> None:
        """Change fields of the answer's JSON; None removes one."""
        resource = json.loads(self.answer) | fields
        self.answer = json.dumps({name: value for name, value in resource.items() if value is not None}).encode()


@dataclass
class Faults:
    """What the proxy does to the exchanges that pass."""

    before: Callable[[Exchange], None] = lambda _: None
    after: Callable[[Exchange], None] = lambda _: None
    seen: list[str] = field(default_factory=list)


class Drop(Exception):
    """Raised by a fault to close the connection without an answer."""


@pytest.fixture
def proxied(settings: Settings, any_gcs: str) -> Iterator[tuple[Settings, Faults]]:
    """A lake whose object server misbehaves as the test wants."""
    faults = Faults()

    class Proxy(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _pass_on(self) -> None:
            exchange = Exchange(self.command, self.path, self.rfile.read(int(self.headers.get("Content-Length", 0))))
            faults.seen.append(f"{exchange.method} {exchange.path}")
            try:
                faults.before(exchange)
                if not exchange.status:
                    self._forward(exchange)
                faults.after(exchange)
            except Drop:
                self.close_connection = True
                return
            self.send_response(exchange.status)
            for name, value in exchange.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(exchange.answer)))
            self.end_headers()
            self.wfile.write(exchange.answer)

        def _forward(self, exchange: Exchange) -> None:
            answer = requests.request(
                exchange.method, any_gcs + exchange.path, data=exchange.body, headers=self.headers, timeout=60
            )
            exchange.status, exchange.answer = answer.status_code, answer.content
            exchange.headers = {name: answer.headers[name] for name in ("Location",) if name in answer.headers}

        do_GET = do_POST = do_PUT = do_DELETE = _pass_on  # noqa: N815

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Proxy) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield settings.model_copy(update={"gcs_endpoint": f"http://127.0.0.1:{httpd.server_port}"}), faults
        httpd.shutdown()


def test_an_object_whose_crc32c_is_not_the_file_s_is_removed(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def lie(exchange: Exchange) -> None:
        if exchange.is_content:
            exchange.change(crc32c="AAAAAA==")

    faults.after = lie
    with pytest.raises(UploadFailed, match=f"{OBJECT} arrived with crc32c AAAAAA==") as failure:
        upload(trips, PARTITION, lake)
    assert str(Workspace.of(trips, PARTITION, lake).parquet) in str(failure.value)
    faults.after = lambda _: None
    assert contents(bucket_of(lake)) == {}
    assert Receipt.load(Workspace.of(trips, PARTITION, lake).receipt("upload")) is None


@pytest.mark.parametrize("arrives", [b"one", b"two"])
def test_where_the_server_gives_no_crc32c_the_object_is_read_back(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave, arrives: bytes
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def say_nothing(exchange: Exchange) -> None:
        if exchange.is_content:
            exchange.change(crc32c=None)
        elif "alt=media" in exchange.path:
            exchange.answer = arrives

    faults.after = say_nothing
    if arrives == b"one":
        upload(trips, PARTITION, lake)
    else:
        with pytest.raises(UploadFailed, match="arrived with crc32c"):
            upload(trips, PARTITION, lake)


def test_bytes_that_change_on_the_way_are_refused_by_the_server(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def flip(exchange: Exchange) -> None:
        if exchange.is_content:
            exchange.body = b"onf"

    faults.before = flip
    with pytest.raises(UploadFailed, match="answered 400"):
        upload(trips, PARTITION, lake)
    assert contents(bucket_of(lake)) == {}


@pytest.mark.parametrize("first", [b"", b"zero"], ids=["new object", "replaced object"])
def test_a_lost_race_is_an_error_and_leaves_the_winner_alone(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave, first: bytes
) -> None:
    lake, faults = proxied
    if first:
        leave(lake, first)
        upload(trips, PARTITION, lake)
    leave(lake, b"mine")

    def race(exchange: Exchange) -> None:
        if exchange.is_content:
            faults.before = lambda _: None
            bucket_of(lake).blob(OBJECT).upload_from_string(b"theirs")

    faults.before = race
    with pytest.raises(UploadFailed, match=f"{OBJECT} was replaced by someone else"):
        upload(trips, PARTITION, lake)
    assert contents(bucket_of(lake)) == {OBJECT: b"theirs"}


def test_two_runs_that_send_the_same_file_agree(proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave) -> None:
    lake, faults = proxied
    leave(lake, b"same")

    def race(exchange: Exchange) -> None:
        if exchange.is_content:
            faults.before = lambda _: None
            bucket_of(lake).blob(OBJECT).upload_from_string(b"same")

    faults.before = race
    upload(trips, PARTITION, lake)
    assert contents(bucket_of(lake)) == {OBJECT: b"same"}


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("status", [429, 500, 503])
def test_passing_failures_are_tried_again(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave, status: int
) -> None:
    lake, faults = proxied
    leave(lake, b"one")
    failed: set[str] = set()

    def fail_once(exchange: Exchange) -> None:
        kind = f"{exchange.method} {exchange.path.split('?')[0]}"
        if kind not in failed:
            failed.add(kind)
            exchange.status = status

    faults.before = fail_once
    upload(trips, PARTITION, lake)
    assert contents(bucket_of(lake)) == {OBJECT: b"one"}


@pytest.mark.usefixtures("impatient")
def test_an_answer_that_was_lost_is_no_lost_race(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def lose(exchange: Exchange) -> None:
        if exchange.is_content:
            faults.after = lambda _: None
            raise Drop

    faults.after = lose
    upload(trips, PARTITION, lake)
    assert contents(bucket_of(lake)) == {OBJECT: b"one"}


@pytest.mark.usefixtures("impatient")
def test_it_gives_up_on_a_server_that_keeps_failing(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def fail(exchange: Exchange) -> None:
        exchange.status = 503

    faults.before = fail
    with pytest.raises(UploadFailed, match="answered 503"):
        upload(trips, PARTITION, lake)
    assert len(faults.seen) == gcs.ATTEMPTS


def test_stale_objects_go_only_after_the_new_ones_are_there(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")
    upload(trips, PARTITION, lake)
    bucket_of(lake).blob(f"{FOLDER}old.parquet").upload_from_string(b"x")
    leave(lake, b"two")
    faults.seen.clear()
    upload(trips, PARTITION, lake)
    assert [request.split()[0] for request in faults.seen] == ["GET", "POST", "PUT", "DELETE"]


def test_a_list_of_several_pages_is_read_to_its_end(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")
    upload(trips, PARTITION, lake)
    for number in range(5):
        bucket_of(lake).blob(f"{FOLDER}{number}").upload_from_string(b"x")

    def page(exchange: Exchange) -> None:
        if exchange.method == "GET" and "prefix=" in exchange.path:
            items = json.loads(exchange.answer)["items"]
            [start] = parse_qs(exchange.path).get("pageToken", ["0"])
            rest = items[int(start) + 2 :]
            exchange.change(items=items[int(start) :][:2], nextPageToken=str(int(start) + 2) if rest else None)

    faults.after = page
    upload(trips, PARTITION, lake)
    assert sum("pageToken" in request for request in faults.seen) == 2
    faults.after = lambda _: None
    assert sorted(contents(bucket_of(lake))) == [OBJECT]


def test_a_refused_account_is_told_what_it_needs(
    proxied: tuple[Settings, Faults], trips: Dataset, leave: Leave
) -> None:
    lake, faults = proxied
    leave(lake, b"one")

    def refuse(exchange: Exchange) -> None:
        exchange.status = 403

    faults.before = refuse
    with pytest.raises(UploadFailed, match=r"refuses access.*roles/storage\.objectUser"):
        upload(trips, PARTITION, lake)
    assert len(faults.seen) == 1
