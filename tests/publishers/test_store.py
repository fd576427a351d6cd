"""Files are made once, and appear only when they are whole."""

import asyncio
import threading

import pytest

from tarn_publishers.store import FileStore, MakingStoppedError


def test_requests_at_the_same_time_wait_for_one_making(tmp_path):
    made = []
    all_asked = threading.Event()

    def write(out):
        all_asked.wait(10)
        made.append(1)
        out.write(b"whole")

    async def ask_eight_times():
        store = FileStore(tmp_path)
        asked = [asyncio.create_task(store.fetch("a/file", write)) for _ in range(8)]
        await asyncio.sleep(0)
        all_asked.set()
        return await asyncio.gather(*asked)

    paths = asyncio.run(ask_eight_times())
    assert made == [1]
    assert {path.read_bytes() for path in paths} == {b"whole"}


def test_a_client_that_goes_away_does_not_stop_the_making(tmp_path):
    gone = threading.Event()

    def write(out):
        gone.wait(10)
        out.write(b"whole")

    async def leave_and_come_back():
        store = FileStore(tmp_path)
        first = asyncio.create_task(store.fetch("file", write))
        await asyncio.sleep(0)
        first.cancel()
        gone.set()
        return await store.fetch("file", lambda out: pytest.fail("made twice"))

    assert asyncio.run(leave_and_come_back()).read_bytes() == b"whole"


def test_a_making_that_fails_leaves_nothing_and_may_be_tried_again(tmp_path):
    def fail(out):
        out.write(b"half")
        raise OSError("disk full")

    async def fail_then_succeed():
        store = FileStore(tmp_path)
        with pytest.raises(OSError, match="disk full"):
            await store.fetch("file", fail)
        assert list(tmp_path.iterdir()) == []
        return await store.fetch("file", lambda out: out.write(b"whole"))

    assert asyncio.run(fail_then_succeed()).read_bytes() == b"whole"


def test_closing_stops_a_making_and_leaves_nothing(tmp_path):
    begun = threading.Event()

    def write_without_end(out):
        while True:
            out.write(b"more" * 10_000)
            begun.set()

    async def close_in_the_middle():
        store = FileStore(tmp_path)
        asked = asyncio.create_task(store.fetch("file", write_without_end))
        await asyncio.to_thread(begun.wait, 10)
        await store.close()
        with pytest.raises(MakingStoppedError):
            await asked

    asyncio.run(close_in_the_middle())
    assert list(tmp_path.iterdir()) == []
