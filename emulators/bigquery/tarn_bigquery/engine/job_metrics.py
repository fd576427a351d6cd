"""What jobs have come to, counted for those who watch the program."""

from collections import Counter as Tally
from collections.abc import Iterator

from tarn_bigquery.engine.jobs import Job, JobRegistry
from tarn_bigquery.metrics import Counter, Family


class JobMetrics:
    def __init__(self, registry: JobRegistry) -> None:
        self._registry = registry
        self._done = Counter("jobs_total", "Jobs that are over, by kind and by how they ended.", ("kind", "result"))
        self._seconds = Counter("job_seconds_total", "Seconds that jobs ran.", ("kind",))
        self._rows = Counter("job_rows_total", "Rows that jobs returned, loaded or copied.", ("kind",))
        self._bytes = Counter("job_processed_bytes_total", "Bytes that jobs processed.", ("kind",))

    def record(self, job: Job, seconds: float) -> None:
        """Count a job that is over. The statements of a script count as their script."""
        if job.parent is not None or job.configuration.get("dryRun"):
            return
        self._done.add(1, job.kind, job.error.reason if job.error else "ok")
        self._seconds.add(seconds, job.kind)
        self._rows.add(job.rows(), job.kind)
        self._bytes.add(job.processed_bytes(), job.kind)

    def families(self) -> Iterator[Family]:
        yield from (counter.family() for counter in (self._done, self._seconds, self._rows, self._bytes))
        under_way: Tally[tuple[str, ...]] = Tally((job.kind, job.state) for job in self._registry.running())
        yield Family("jobs", "gauge", "Jobs that wait or run.", ("kind", "state"), under_way)
