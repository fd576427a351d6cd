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
from tarn_bigquery.engine.results import ArrowFile, RowSource
from tarn_bigquery.engine.session import Session
from tarn_bigquery.errors import ApiError, already_exists, not_found

KEPT_JOBS = 1_000

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
    done: Future[None] = field(default_factory=Future)
    cancelled: bool = False
    _cursor: duckdb.DuckDBPyConnection | None = None
    _guard: threading.Lock = field(default_factory=threading.Lock)

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

    def cancel(self) -> None:
        self.cancelled = True
        with self._guard:
            if self._cursor is not None:
                self._cursor.interrupt()
        for child in self.children:
            child.cancel()

    def check_cancelled(self) -> None:
        if self.cancelled:
            raise ApiError("stopped", "Job execution was cancelled: User requested cancellation")

    def tell_done(self) -> None:
        """Wake those who wait. Whoever comes later finds a future that all jobs share, which costs no memory."""
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

    def discard_result(self) -> None:
        """Drop the rows that are kept for the job and no one else: pages that are being read stay readable."""
        if isinstance(self.result, ArrowFile):
            self.result.discard()

    def reference(self) -> dict[str, str]:
        return {"projectId": self.project, "jobId": self.job_id, "location": self.location}

    def resource(self) -> dict[str, Any]:
        """The job as the REST API shows it."""
        times = {"creationTime": self.created, "startTime": self.started, "endTime": self.ended}
        statistics = {name: str(value) for name, value in times.items() if value is not None} | self.statistics
        if self.parent:
            statistics["parentJobId"] = self.parent
        if self.children:
            statistics["numChildJobs"] = str(len(self.children))
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


class History(Protocol):
    """Where jobs that are over outlive the process."""

    def jobs(self) -> list[Job]: ...

    def add(self, job: Job) -> None: ...

    def forget(self, job: Job) -> None: ...


class JobRegistry:
    """The jobs that can still be asked about: the latest thousand."""

    def __init__(self, history: History | None = None) -> None:
        self._history = history
        earlier = history.jobs() if history is not None else []
        self._jobs: OrderedDict[tuple[str, str], Job] = OrderedDict(((j.project, j.job_id), j) for j in earlier)
        self._guard = threading.Lock()

    def end(self, job: Job) -> None:
        """Note that a job is over, before anyone is told. One that was never added is nobody's to ask about."""
        with self._guard:
            is_known = self._jobs.get((job.project, job.job_id)) is job
        if is_known and self._history is not None:
            self._history.add(job)

    def add(self, job: Job) -> None:
        """Raises ApiError `duplicate` where the project has a job of that id."""
        with self._guard:
            if (job.project, job.job_id) in self._jobs:
                raise already_exists("Job", f"{job.project}:{job.location}.{job.job_id}")
            self._jobs[job.project, job.job_id] = job
            if len(self._jobs) > KEPT_JOBS:
                self._forget_oldest()

    def _forget_oldest(self) -> None:
        oldest = next((key for key, job in self._jobs.items() if job.state == "DONE"), None)
        if oldest is not None:
            self._jobs.pop(oldest).discard_result()

    def get(self, project: str, job_id: str) -> Job:
        with self._guard:
            job = self._jobs.get((project, job_id))
        if job is None:
            raise not_found("Job", f"{project}:{LOCATION}.{job_id}")
        return job

    def of_project(self, project: str) -> list[Job]:
        """The project's jobs, newest first."""
        with self._guard:
            return [job for job in reversed(self._jobs.values()) if job.project == project]

    def running(self) -> list[Job]:
        with self._guard:
            return [job for job in self._jobs.values() if job.state != "DONE"]

    def delete(self, project: str, job_id: str) -> None:
        self.get(project, job_id)
        with self._guard:
            job = self._jobs.pop((project, job_id), None)
        if job is not None:
            job.discard_result()
            if self._history is not None and job.state == "DONE":
                self._history.forget(job)
