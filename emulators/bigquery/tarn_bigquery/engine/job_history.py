"""The jobs that are over, on disk: memory need not have them, and they can be asked about after a restart.

One JSON object a line, written when a job ends: the system keeps what was written when the process is killed. A torn
last line, which the machine's own end may leave, is passed over. The rows of results are files beside it, and end with
the process.
"""

import json
import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.jobs import Job, JobKey
from tarn_bigquery.engine.results import ArrowFile, NoRows, RowSource, StoredRows, place_of_rows
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
    """The file of the jobs that are over, the latest `kept` of them. `results` is the folder of their rows."""

    def __init__(self, path: Path, kept: int, results: Path, database: Database) -> None:
        self._path = path
        self._kept = kept
        self._results = results
        self._database = database
        self._guard = threading.Lock()
        self._count = self._rewrite([line for line, _ in self._read()])
        self._file = path.open("a", encoding="utf-8")

    def add(self, job: Job) -> None:
        self._write(json.dumps(_kept(job), separators=(",", ":"), default=str))

    def put_away(self, job: Job) -> None:
        if isinstance(job.result, ArrowFile):
            job.result.save(place_of_rows(self._results, *job.key))

    def find(self, key: JobKey) -> Job | None:
        wanted = json.dumps(key[1])
        with self._guard:
            return next((job for _, job in self._read(wanted) if job.key == key), None)

    def jobs(self) -> list[Job]:
        with self._guard:
            return [job for _, job in self._read()]

    def forget(self, key: JobKey) -> None:
        with self._guard:
            self._start_again([line for line, job in self._read() if job.key != key])

    def drop_rows(self, key: JobKey) -> None:
        place_of_rows(self._results, *key).unlink(missing_ok=True)

    def close(self) -> None:
        self._file.close()

    def _write(self, line: str) -> None:
        with self._guard:
            self._file.write(line + "\n")
            self._file.flush()
            self._count += 1
            # As many again before the file is written anew: the oldest of them are then left out.
            if self._count > 2 * self._kept:
                self._start_again([line for line, _ in self._read()])

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

    def _read(self, having: str = "") -> Iterator[tuple[str, Job]]:
        """The lines that have a text in them, each with the job that it tells of."""
        if not self._path.exists():
            return
        with self._path.open(encoding="utf-8", errors="replace") as file:
            for line in file:
                if having not in line:
                    continue
                try:
                    job = self._revived(json.loads(line))
                except (ValueError, KeyError, TypeError) as error:
                    _log.warning("A line of %s cannot be read and is passed over: %s", self._path, error)
                    continue
                yield line.rstrip("\n"), job

    def _revived(self, body: dict[str, Any]) -> Job:
        job = Job(body["project"], body["job_id"], body["configuration"], body["location"], body["parent"], "DONE")
        job.statistics, job.child_jobs = body["statistics"], body["child_jobs"]
        job.created, job.started, job.ended = body["times"]
        if body["error"] is not None:
            reason, message, location, code = body["error"]
            job.error = ApiError(reason, message, location=location, code=code)
        if body["destination"] is not None:
            job.destination = TableRef.from_rest(body["destination"], job.project)
        if body["schema"] is not None:
            job.result = self._rows(job, body["schema"], body["rows"] or [])
        job.tell_done()
        return job

    def _rows(self, job: Job, schema: list[Field], size: list[int]) -> RowSource:
        if not size:
            return NoRows(schema)
        if job.destination is not None:
            return StoredRows.of(self._database, job.destination, schema)
        place = place_of_rows(self._results, *job.key)
        return ArrowFile(place, schema, *size) if place.exists() else LostRows(job.job_id)


def _kept(job: Job) -> dict[str, Any]:
    error = job.error
    return {
        "project": job.project,
        "job_id": job.job_id,
        "location": job.location,
        "parent": job.parent,
        "child_jobs": job.child_jobs,
        "configuration": job.configuration,
        "statistics": job.statistics,
        "times": [job.created, job.started, job.ended],
        "error": None if error is None else [error.reason, error.message, error.location, error.code],
        "destination": None if job.destination is None else job.destination.rest(),
        "schema": None if job.result is None else job.result.schema,
        "rows": _size(job.result),
    }


def _size(result: RowSource | None) -> list[int] | None:
    """Rows and bytes of a result that has rows; how many a table has is asked when they are."""
    if isinstance(result, ArrowFile):
        return [result.rows, result.bytes]
    return [0, 0] if isinstance(result, StoredRows) else None
