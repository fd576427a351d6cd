"""The cache: bounded, shared, and safe to lose."""

from __future__ import annotations

import shutil
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tarn_bigquery.storage.cache import ObjectCache


def writes(content: bytes, calls: list[bytes]) -> object:
    def produce(target: Path) -> None:
        calls.append(content)
        target.write_bytes(content)

    return produce


@pytest.mark.feature("External tables", "a cache of bounded size")
def test_least_recently_used_goes_first(tmp_path: Path) -> None:
    cache, calls = ObjectCache(tmp_path, max_bytes=20), []
    for key in ("a", "b", "a", "c"):
        cache.acquire(key, writes(key.encode() * 10, calls))
        cache.release(key)
    cache.acquire("a", writes(b"never", calls))
    cache.acquire("b", writes(b"b" * 10, calls))
    assert calls == [b"a" * 10, b"b" * 10, b"c" * 10, b"b" * 10]


def test_pinned_files_stay_above_the_limit(tmp_path: Path) -> None:
    cache, calls = ObjectCache(tmp_path, max_bytes=5), []
    paths = [cache.acquire(key, writes(key.encode() * 4, calls)) for key in ("a", "b")]
    assert [path.read_bytes() for path in paths] == [b"aaaa", b"bbbb"]
    assert cache.total_bytes == 8
    cache.release("a")
    assert cache.total_bytes == 4
    assert not paths[0].exists()


def test_many_ask_and_one_produces(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path, max_bytes=100)
    started, go, calls = threading.Event(), threading.Event(), []

    def produce(target: Path) -> None:
        calls.append(1)
        started.set()
        go.wait(10)
        target.write_bytes(b"x")

    with ThreadPoolExecutor(8) as pool:
        first = pool.submit(cache.acquire, "k", produce)
        started.wait(10)
        others = [pool.submit(cache.acquire, "k", produce) for _ in range(7)]
        go.set()
        assert {future.result() for future in [first, *others]} == {first.result()}
    assert calls == [1]


def test_failure_reaches_the_asker_and_leaves_nothing(tmp_path: Path) -> None:
    cache = ObjectCache(tmp_path, max_bytes=100)

    def fail(target: Path) -> None:
        target.write_bytes(b"half")
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError, match="cut"):
        cache.acquire("k", fail)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
    assert cache.acquire("k", writes(b"whole", [])).read_bytes() == b"whole"


@pytest.mark.parametrize("harm", ["deleted", "truncated"])
def test_lost_content_is_produced_again(tmp_path: Path, harm: str) -> None:
    cache, calls = ObjectCache(tmp_path / "cache", max_bytes=100), []
    path = cache.acquire("k", writes(b"content", calls))
    cache.release("k")
    if harm == "deleted":
        shutil.rmtree(tmp_path / "cache")
    else:
        path.write_bytes(b"cont")
    assert cache.acquire("k", writes(b"content", calls)).read_bytes() == b"content"
    assert len(calls) == 2
    assert cache.total_bytes == 7


def test_a_new_process_takes_over_whole_files_only(tmp_path: Path) -> None:
    old = ObjectCache(tmp_path, max_bytes=100)
    path = old.acquire("k", writes(b"content", []))
    leftover = path.with_suffix(".part")
    leftover.write_bytes(b"half")
    calls: list[bytes] = []
    new = ObjectCache(tmp_path, max_bytes=100)
    assert new.acquire("k", writes(b"other", calls)).read_bytes() == b"content"
    assert not calls
    assert not leftover.exists()
