"""What a task's log says of a step."""

import datetime as dt
import logging

import pytest

from tarn.airflow import logs
from tarn.airflow.logs import LoggedProgress, describe
from tarn.receipt import Artifact, Receipt

FILE = Artifact(uri="/lake/file", bytes=3_000_000, crc32c="AAAAAA==")
DONE = dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)


def receipt(step: str, **facts: object) -> Receipt:
    base = {"step": step, "dataset": "taxi_green", "partition": "2020-04", "seconds": 1.5, "finished_at": DONE}
    return Receipt.model_validate(base | facts)


def test_rows_bytes_seconds_and_rates_are_told() -> None:
    parquetized = receipt(
        "parquetize", reads=[FILE], writes=[FILE], rows_read=30_000, rows_written=29_997, rows_quarantined=3
    )
    assert describe(parquetized) == (
        "parquetize taxi_green 2020-04: 30,000 rows read, 29,997 written, 3 quarantined (19,998 rows/s); "
        "3.00 MB read (2.00 MB/s); 3.00 MB written (2.00 MB/s); 1.50 s"
    )


def test_a_step_that_counts_no_rows_tells_its_bytes() -> None:
    assert describe(receipt("download", writes=[FILE])) == (
        "download taxi_green 2020-04: 3.00 MB written (2.00 MB/s); 1.50 s"
    )


def test_a_step_that_found_its_work_done_says_so() -> None:
    assert "nothing to do, what was done at 2026-01-02 03:04:05 UTC still holds" in describe(
        receipt("upload", writes=[FILE], reused=True)
    )


def test_progress_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 5.0, 11.0, 12.0, 22.0])
    monkeypatch.setattr(logs.time, "monotonic", lambda: next(clock))
    told: list[str] = []
    monkeypatch.setattr(logs.log, "info", lambda message, *words: told.append(message % words))
    progress = LoggedProgress()
    for done in (1, 11, 12, 44):
        progress(done * 1_000_000, 88_000_000, "bytes")
    assert told == ["11.00 MB of 88.00 MB (12%), 1.00 MB/s", "44.00 MB of 88.00 MB (50%), 2.00 MB/s"]


def test_the_log_is_a_module_of_the_library() -> None:
    assert logging.getLogger("tarn.airflow.logs") is logs.log
