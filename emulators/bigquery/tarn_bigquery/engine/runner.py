"""Jobs run by a pool of threads: each from PENDING to DONE, with its statistics and one line in the log."""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import duckdb

from tarn_bigquery.catalog.resources import now_ms
from tarn_bigquery.engine.job_metrics import JobMetrics
from tarn_bigquery.engine.jobs import Job, JobRegistry
from tarn_bigquery.errors import ApiError, invalid, unsupported

_log = logging.getLogger("tarn_bigquery.jobs")

Work = Callable[[Job], None]


class JobRunner:
    """`kinds` says what to do for a job of each kind: query, load, copy, extract; `before` is done before any."""

    def __init__(
        self,
        registry: JobRegistry,
        workers: int,
        kinds: dict[str, Work],
        metrics: JobMetrics,
        before: Callable[[], None],
    ) -> None:
        self._registry = registry
        self._kinds = kinds
        self._metrics = metrics
        self._before = before
        self._pool = ThreadPoolExecutor(workers, thread_name_prefix="job")

    def submit(self, job: Job) -> Job:
        """Register a job and have it run. Raises ApiError for a job that cannot be one."""
        if job.kind not in self._kinds:
            raise unsupported(f"jobs of the kind {job.kind}")
        self._registry.add(job)
        self._pool.submit(self.run, job, self._kinds[job.kind])
        return job

    def run(self, job: Job, work: Work) -> None:
        """Run a job to its end, here. What goes wrong goes into the job."""
        began = time.perf_counter()
        job.state, job.started = "RUNNING", now_ms()
        try:
            job.check_cancelled()
            if job.parent is None:
                self._before()
            with _time_limit(job):
                work(job)
        except ApiError as error:
            job.error = error
        except duckdb.Error as error:
            job.error = invalid(str(error).split("\n", 1)[0])
            _log.exception("%s failed in the engine", job.job_id)
        except Exception as error:  # noqa: BLE001 - a client must not wait for ever for a job that has died
            job.error = ApiError("notImplemented", f"The emulator failed: {type(error).__name__}: {error}")
            _log.exception("%s failed unexpectedly", job.job_id)
        finally:
            job.ended = now_ms()
            job.state = "DONE"
            seconds = time.perf_counter() - began
            self._registry.end(job)
            _log_line(job, seconds)
            self._metrics.record(job, seconds)
            job.tell_done()

    def close(self) -> None:
        """Cancel what waits, interrupt what runs, and wait for the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)
        for job in self._registry.running():
            job.cancel()
        self._pool.shutdown(wait=True)


@contextmanager
def _time_limit(job: Job) -> Iterator[None]:
    """Cancel the job where it takes longer than its jobTimeoutMs."""
    limit = int(job.configuration.get("jobTimeoutMs") or 0)
    if limit <= 0:
        yield
        return
    timer = threading.Timer(
        min(limit / 1000, threading.TIMEOUT_MAX), job.cancel, [f"Job timed out after {limit // 1000} sec"]
    )
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def new_job_id() -> str:
    return f"job_{uuid.uuid4().hex}"


def _log_line(job: Job, seconds: float) -> None:
    query: dict[str, Any] = job.statistics.get("query", {})
    kind = query.get("statementType") or job.kind.upper()
    fate = f" {job.error.reason}: {job.error.message}" if job.error else ""
    size = job.processed_bytes()
    _log.info("%s %s rows=%s bytes=%s seconds=%.3f%s", job.job_id, kind, job.rows(), size, seconds, fate)
