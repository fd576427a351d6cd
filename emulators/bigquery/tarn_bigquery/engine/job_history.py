"""The jobs that are over, on disk, so that they can be asked about after a restart. Their rows are not among them.

One JSON object a line, written when a job ends: the system keeps what was written when the process is killed. A torn
last line, which the machine's own end may leave, is passed over.
"""

import json
import logging
import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.results import NoRows
from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.types import Field

_log = logging.getLogger("tarn_bigquery.jobs")


@dataclass(frozen=True)
class LostRows:
    """The rows of a query that an earlier process has run, which ended with it."""

    job_id: str

    @property
    def schema(self) -> list[Field]:
        raise self._lost()

    def total_rows(self) -> int:
        raise self._lost()

    def page(self, start: int, limit: int) -> pa.Table:
        raise self._lost()

    def _lost(self) -> ApiError:
        return ApiError(
            "notFound", f"Not found: the rows of job {self.job_id} ended with the process that ran it. Run it again."
        )


class JobHistory:
    """The file of the jobs that are over, the latest `kept` of them."""

    def __init__(self, path: Path, kept: int) -> None:
        self._path = path
        self._kept = kept
        self._guard = threading.Lock()
        self._count = self._rewrite(list(_lines(path)))
        self._file = path.open("a", encoding="utf-8")

    def jobs(self) -> list[Job]:
        """The jobs of earlier processes, the oldest first."""
        found = [_revived(json.loads(line)) for line in _lines(self._path)]
        by_id = {(job.project, job.job_id): job for job in found}
        for job in found:
            if job.parent is not None and (parent := by_id.get((job.project, job.parent))) is not None:
                parent.children.append(job)
        return found

    def add(self, job: Job) -> None:
        """Keep a job that is over."""
        self._write(json.dumps(_kept(job), separators=(",", ":"), default=str))

    def forget(self, job: Job) -> None:
        """Keep a job no longer."""
        with self._guard:
            self._start_again([line for line in _lines(self._path) if not _is_of(json.loads(line), job)])

    def close(self) -> None:
        self._file.close()

    def _write(self, line: str) -> None:
        with self._guard:
            self._file.write(line + "\n")
            self._file.flush()
            self._count += 1
            # As many again before the file is written anew: the oldest of them are then left out.
            if self._count > 2 * self._kept:
                self._start_again(list(_lines(self._path)))

    def _start_again(self, lines: list[str]) -> None:
        self._file.close()
        self._count = self._rewrite(lines)
        self._file = self._path.open("a", encoding="utf-8")

    def _rewrite(self, lines: list[str]) -> int:
        """Have the latest of the lines be the file. Returns how many those are."""
        latest = lines[-self._kept :]
        temporary = self._path.with_suffix(".part")
        with temporary.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in latest)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(self._path)
        return len(latest)


def _lines(path: Path) -> Iterable[str]:
    if not path.exists():
        return
    with path.open(encoding="utf-8", errors="replace") as file:
        for line in file:
            try:
                _revived(json.loads(line))
            except (ValueError, KeyError, TypeError) as error:
                _log.warning("A line of %s cannot be read and is passed over: %s", path, error)
                continue
            yield line.rstrip("\n")


def _kept(job: Job) -> dict[str, Any]:
    error = job.error
    return {
        "project": job.project,
        "job_id": job.job_id,
        "location": job.location,
        "parent": job.parent,
        "configuration": job.configuration,
        "statistics": job.statistics,
        "times": [job.created, job.started, job.ended],
        "error": None if error is None else [error.reason, error.message, error.location, error.code],
        "destination": None if job.destination is None else job.destination.rest(),
        # What gave no rows can still be told after a restart: that there are none.
        "schema": job.result.schema if isinstance(job.result, NoRows) else None,
    }


def _revived(body: dict[str, Any]) -> Job:
    job = Job(body["project"], body["job_id"], body["configuration"], body["location"], body["parent"], "DONE")
    job.statistics = body["statistics"]
    job.created, job.started, job.ended = body["times"]
    if body["error"] is not None:
        reason, message, location, code = body["error"]
        job.error = ApiError(reason, message, location=location, code=code)
    if body["destination"] is not None:
        job.destination = TableRef.from_rest(body["destination"], job.project)
    if job.kind == "query":
        job.result = LostRows(job.job_id) if body["schema"] is None else NoRows(body["schema"])
    job.tell_done()
    return job


def _is_of(body: dict[str, Any], job: Job) -> bool:
    return (body["project"], body["job_id"]) == (job.project, job.job_id)
