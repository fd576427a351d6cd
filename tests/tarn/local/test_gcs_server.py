"""The embedded object server, over HTTP and through Google's client: what a client was told is done survives a kill."""

import concurrent.futures
import random
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol

import google_crc32c
import pytest
import requests
from google.api_core.exceptions import NotFound, PreconditionFailed
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tarn.checksum import encode_crc32c


class Server(Protocol):
    url: str

    def kill(self) -> None: ...


Starter = Callable[[Path], AbstractContextManager[Server]]


def crc32c(content: bytes) -> str:
    return encode_crc32c(google_crc32c.value(content))


def client(url: str) -> storage.Client:
    return storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": url})


@pytest.fixture
def bucket(embedded_gcs: str) -> storage.Bucket:
    return client(embedded_gcs).create_bucket(f"b-{uuid.uuid4().hex}")


@pytest.mark.parametrize("size", [0, 1, 5000, 3_000_000])
@pytest.mark.parametrize("chunk", [None, 256 * 1024])
def test_an_object_comes_back_as_it_was_sent(bucket: storage.Bucket, size: int, chunk: int | None) -> None:
    content = bytes(random.Random(size).choices(b"\r\n\0-\xff", k=size))
    bucket.blob(f"folder/{size} {chunk}", chunk_size=chunk).upload_from_string(content)
    blob = bucket.get_blob(f"folder/{size} {chunk}")
    assert blob.download_as_bytes() == content
    assert (blob.size, blob.crc32c) == (size, crc32c(content))


def test_replacing_an_object_gives_it_a_new_generation_and_etag(bucket: storage.Bucket) -> None:
    first, second = bucket.blob("a"), bucket.blob("a")
    first.upload_from_string(b"one")
    second.upload_from_string(b"two")
    assert int(second.generation) > int(first.generation)
    assert (second.etag, second.crc32c) != (first.etag, first.crc32c)


@pytest.mark.parametrize("chunk", [None, 256 * 1024])
def test_generation_preconditions_are_honoured(bucket: storage.Bucket, chunk: int | None) -> None:
    blob = bucket.blob("a", chunk_size=chunk)
    blob.upload_from_string(b"one", if_generation_match=0)
    with pytest.raises(PreconditionFailed, match="pre-conditions"):
        blob.upload_from_string(b"two", if_generation_match=0)
    with pytest.raises(PreconditionFailed):
        bucket.delete_blob("a", if_generation_match=int(blob.generation) + 1)
    assert bucket.blob("a").download_as_bytes() == b"one"
    blob.upload_from_string(b"two", if_generation_match=blob.generation)
    bucket.delete_blob("a", if_generation_match=blob.generation)
    with pytest.raises(NotFound):
        bucket.blob("a").download_as_bytes()


def test_a_wrong_checksum_is_refused_and_leaves_the_object_alone(bucket: storage.Bucket, embedded_gcs: str) -> None:
    bucket.blob("a").upload_from_string(b"good")
    address = f"{embedded_gcs}/upload/storage/v1/b/{bucket.name}/o"
    session = requests.post(
        address, params={"uploadType": "resumable", "name": "a"}, json={"crc32c": "AAAAAA=="}, timeout=60
    )
    answer = requests.put(session.headers["Location"], data=b"other", timeout=60)
    assert answer.status_code == 400
    assert bucket.blob("a").download_as_bytes() == b"good"


def test_listing_keeps_to_the_prefix_and_groups_by_delimiter(bucket: storage.Bucket) -> None:
    for name in ("t/month=2024-01-01/a", "t/month=2024-02-01/a", "t2/month=2024-01-01/a"):
        bucket.blob(name).upload_from_string(b"x")
    assert [blob.name for blob in bucket.list_blobs(prefix="t/month=2024-01-01/")] == ["t/month=2024-01-01/a"]
    pages = bucket.list_blobs(prefix="t/", delimiter="/")
    assert list(pages) == []
    assert pages.prefixes == {"t/month=2024-01-01/", "t/month=2024-02-01/"}


def test_a_new_bucket_is_what_it_was_asked_to_be(embedded_gcs: str) -> None:
    bucket = client(embedded_gcs).bucket("asked-for")
    bucket.iam_configuration.uniform_bucket_level_access_enabled = True
    created = client(embedded_gcs).create_bucket(bucket, location="europe-west1")
    assert created.location.lower() == "europe-west1"
    assert created.iam_configuration.uniform_bucket_level_access_enabled


def test_nobody_can_wipe_the_lake_by_an_address(bucket: storage.Bucket, embedded_gcs: str) -> None:
    bucket.blob("a").upload_from_string(b"kept")
    assert requests.get(f"{embedded_gcs}/wipe", timeout=60).status_code >= 400
    assert bucket.blob("a").download_as_bytes() == b"kept"


def test_a_slow_client_does_not_hold_the_others_up(bucket: storage.Bucket, embedded_gcs: str) -> None:
    started, release = threading.Event(), threading.Event()

    def slow_body() -> Iterator[bytes]:
        yield b"first"
        started.set()
        release.wait()
        yield b" last"

    with concurrent.futures.ThreadPoolExecutor() as pool:
        address = f"{embedded_gcs}/upload/storage/v1/b/{bucket.name}/o"
        parameters = {"uploadType": "media", "name": "slow"}
        slow = pool.submit(requests.post, address, slow_body(), params=parameters, timeout=60)
        try:
            assert started.wait(timeout=30)
            bucket.blob("quick").upload_from_string(b"done")
        finally:
            release.set()
        assert slow.result().ok
    assert bucket.blob("slow").download_as_bytes() == b"first last"


def test_what_was_acknowledged_survives_kills_at_any_moment(start_gcs: Starter, tmp_path: Path) -> None:
    chance = random.Random(7)
    acknowledged: dict[str, set[bytes | None]] = {}
    for _ in range(4):
        with start_gcs(tmp_path) as server:
            bucket = client(server.url).bucket("lake")
            if not bucket.exists():
                bucket.create()
            assert_kept(bucket, acknowledged)
            timer = threading.Timer(chance.uniform(0.1, 0.8), server.kill)
            timer.start()
            write_until_killed(server.url, chance, acknowledged)
            timer.join()
    with start_gcs(tmp_path) as server:
        assert_kept(client(server.url).bucket("lake"), acknowledged)


def write_until_killed(url: str, chance: random.Random, acknowledged: dict[str, set[bytes | None]]) -> None:
    """Replace a few objects over and over; ``acknowledged`` tells what each may hold now, None for no object."""
    address = f"{url}/upload/storage/v1/b/lake/o"
    while True:
        name, content = f"object-{chance.randrange(5)}", chance.randbytes(chance.randrange(200_000))
        acknowledged.setdefault(name, {None}).add(content)
        try:
            answer = requests.post(address, content, params={"uploadType": "media", "name": name}, timeout=60)
        except requests.ConnectionError:
            return
        assert answer.ok
        acknowledged[name] = {content}


def assert_kept(bucket: storage.Bucket, acknowledged: dict[str, set[bytes | None]]) -> None:
    blobs = {blob.name: blob for blob in bucket.list_blobs()}
    for name, possible in acknowledged.items():
        content = blobs[name].download_as_bytes() if name in blobs else None
        assert content in possible
        assert content is None or blobs[name].crc32c == crc32c(content)


def test_a_change_that_a_kill_cut_short_is_settled_at_the_next_start(start_gcs: Starter, tmp_path: Path) -> None:
    with start_gcs(tmp_path) as server:
        bucket = client(server.url).create_bucket("lake")
        bucket.blob("replaced").upload_from_string(b"old")
        bucket.blob("deleted").upload_from_string(b"old")
        server.kill()
    [replaced] = tmp_path.rglob("replaced")
    [deleted] = tmp_path.rglob("deleted")
    replaced.write_bytes(b"new!")
    deleted.unlink()
    with start_gcs(tmp_path) as server:
        [blob] = client(server.url).bucket("lake").list_blobs()
        assert (blob.name, blob.size, blob.crc32c) == ("replaced", 4, crc32c(b"new!"))
        assert blob.download_as_bytes() == b"new!"
