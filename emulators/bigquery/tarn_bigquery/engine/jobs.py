"""Jobs: what was asked, how far it is, what came of it."""

import threading
from collections import OrderedDict
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import duckdb

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.resources import BASE_PATH, LOCATION, now_ms
from tarn_bigquery.engine.results import RowSource
from tarn_bigquery.engine.session import Session
from tarn_bigquery.errors import ApiError, already_exists, not_found

KEPT_JOBS = 1_000
_IN_MEMORY = 100

_OVER: Future[None] = Future()
_OVER.set_result(None)


@dataclass(eq=False)
class Job:
    """One job. The thread that runs it writes it; others read it, and wait on `done`."""

    project: str
    job_id: str
    configuration: dict[str, Any]
    location: str = LOCATION
    parent: str | None = None
    state: str = "PENDING"
    created: int = field(default_factory=now_ms)
    started: int | None = None
    ended: int | None = None
    error: ApiError | None = None
    statistics: dict[str, Any] = field(default_factory=dict)
    result: RowSource | None = None
    destination: TableRef | None = None
    upload: Path | None = None
    session: Session | None = None
    children: list["Job"] = field(default_factory=list)
    child_jobs: int = 0
    done: Future[None] = field(default_factory=Future)
    cancelled: str | None = None
    """Why the job shall end, if it shall."""
    _cursor: duckdb.DuckDBPyConnection | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> "JobKey":
        return self.project, self.job_id

    @property
    def kind(self) -> str:
        """query, load, copy or extract."""
        return next((k for k in ("query", "load", "copy", "extract") if k in self.configuration), "unknown")

    def attach(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Name the connection that a cancel shall interrupt. Raises ApiError where the cancel came first."""
        with self._guard:
            self._cursor = cursor
        self.check_cancelled()

    def detach(self) -> None:
        with self._guard:
            self._cursor = None

    def cancel(self, why: str = "User requested cancellation") -> None:
        self.cancelled = self.cancelled or why
        with self._guard:
            if self._cursor is not None:
                self._cursor.interrupt()
        for child in self.children:
            child.cancel(why)

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise ApiError("stopped", f"Job execution was cancelled: {self.cancelled}")

    def adopt(self, child: "Job") -> None:
        """Take a job for one of a script's statements."""
        self.children.append(child)
        self.child_jobs += 1

    def tell_done(self) -> None:
        """Wake those who wait. Whoever comes later finds a future that all jobs share, which costs no memory."""
        self.children.clear()
        waited, self.done = self.done, _OVER
        waited.set_result(None)

    def rows(self) -> int:
        """Rows that the job has returned, loaded or copied."""
        if self.error is not None:
            return 0
        moved = self.statistics.get("load", {}).get("outputRows") or self.statistics.get("copy", {}).get("copiedRows")
        if moved is not None:
            return int(moved)
        return self.result.total_rows() if self.result is not None else 0

    def processed_bytes(self) -> int:
        """Bytes that the job has read: of columns for a query, of files for a load."""
        read = self.statistics.get("load", {}).get("inputFileBytes")
        return int(read or self.statistics.get("totalBytesProcessed", 0))

    def reference(self) -> dict[str, str]:
        return {"projectId": self.project, "jobId": self.job_id, "location": self.location}

    def resource(self) -> dict[str, Any]:
        """The job as the REST API shows it."""
        times = {"creationTime": self.created, "startTime": self.started, "endTime": self.ended}
        statistics = {name: str(value) for name, value in times.items() if value is not None} | self.statistics
        if self.parent:
            statistics["parentJobId"] = self.parent
        if self.child_jobs:
            statistics["numChildJobs"] = str(self.child_jobs)
        status: dict[str, Any] = {"state": self.state}
        if self.error is not None:
            status |= {"errorResult": self.error.proto(), "errors": [self.error.proto()]}
        return {
            "kind": "bigquery#job",
            "etag": f"{self.job_id}-{self.state}",
            "id": f"{self.project}:{self.location}.{self.job_id}",
            "selfLink": f"{BASE_PATH}/projects/{self.project}/jobs/{self.job_id}?location={self.location}",
            "user_email": "local@tarn.invalid",
            "jobReference": self.reference(),
            "configuration": {"jobType": self.kind.upper(), **self.configuration},
            "statistics": statistics,
            "status": status,
        }


JobKey = tuple[str, str]
"""A job's project and id."""


class History(Protocol):
    """Where jobs that are over are kept, and their rows with them."""

    def add(self, job: Job) -> None:
        """Keep a job that is over."""

    def put_away(self, job: Job) -> None:
        """Have the rows of a job that was added outlive the job in memory."""

    def find(self, key: JobKey) -> Job | None:
        """A job that was added."""

    def jobs(self) -> list[Job]:
        """The jobs that were added, the oldest first."""

    def forget(self, key: JobKey) -> None:
        """Keep a job no longer."""

    def drop_rows(self, key: JobKey) -> None:
        """Keep a job's rows no longer. Pages that are being read stay readable."""


class JobRegistry:
    """The jobs that can still be asked about: the latest thousand. Memory has those that run and few of the others."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._known: OrderedDict[JobKey, None] = OrderedDict((job.key, None) for job in history.jobs())
        self._running: dict[JobKey, Job] = {}
        self._latest: OrderedDict[JobKey, Job] = OrderedDict()
        self._guard = threading.Lock()

    def add(self, job: Job) -> None:
        """Raises ApiError `duplicate` where the project has a job of that id."""
        with self._guard:
            if job.key in self._known:
                raise already_exists("Job", f"{job.project}:{job.location}.{job.job_id}")
            self._known[job.key] = None
            self._running[job.key] = job
            if len(self._known) > KEPT_JOBS:
                self._forget_oldest()

    def end(self, job: Job) -> None:
        """Note that a job is over, before anyone is told. One that was never added is nobody's to ask about."""
        with self._guard:
            if self._running.get(job.key) is not job:
                return
        self._history.add(job)
        with self._guard:
            if self._running.get(job.key) is not job:
                self._history.forget(job.key)
                return
            self._latest[job.key] = self._running.pop(job.key)
            if len(self._latest) > _IN_MEMORY:
                _, oldest = self._latest.popitem(last=False)
                self._history.put_away(oldest)

    def get(self, project: str, job_id: str) -> Job:
        """Raises ApiError `notFound` for a job that never was or is no longer known."""
        key = (project, job_id)
        with self._guard:
            job = self._running.get(key) or self._latest.get(key)
            is_away = job is None and key in self._known
        if is_away:
            job = self._history.find(key)
        if job is None:
            raise not_found("Job", f"{project}:{LOCATION}.{job_id}")
        return job

    def of_project(self, project: str) -> list[Job]:
        """The project's jobs, newest first."""
        with self._guard:
            keys = [key for key in reversed(self._known) if key[0] == project]
            jobs = {**self._latest, **self._running}
        if any(key not in jobs for key in keys):
            jobs = {job.key: job for job in self._history.jobs()} | jobs
        return [jobs[key] for key in keys if key in jobs]

    def running(self) -> list[Job]:
        with self._guard:
            return [job for job in self._running.values() if job.state != "DONE"]

    def delete(self, project: str, job_id: str) -> None:
        """Forget a job. Raises ApiError `notFound` as `get` does."""
        key = self.get(project, job_id).key
        with self._guard:
            self._known.pop(key, None)
            self._latest.pop(key, None)
            if self._running.pop(key, None) is None:
                self._history.forget(key)
        self._history.drop_rows(key)

    def _forget_oldest(self) -> None:
        oldest = next((key for key in self._known if key not in self._running), None)
        if oldest is not None:
            del self._known[oldest]
            self._latest.pop(oldest, None)
            self._history.drop_rows(oldest)
