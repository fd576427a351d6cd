"""What can be queried beyond the catalog's tables: sizes, partitions, jobs, and results of queries."""

from typing import Any

from tarn_bigquery.catalog import partitions
from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef, duck_path
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.definitions import ref_of
from tarn_bigquery.engine.jobs import Job, JobRegistry
from tarn_bigquery.engine.past import relation_of
from tarn_bigquery.engine.query_jobs import anonymous_job_id
from tarn_bigquery.engine.stats import TableSizes
from tarn_bigquery.sql.context import PastTable, Result


class Introspection:
    def __init__(self, database: Database, sizes: TableSizes, registry: JobRegistry) -> None:
        self._database = database
        self._sizes = sizes
        self._registry = registry

    def size(self, body: Resource) -> tuple[int, int]:
        """Rows and bytes of a table."""
        size = self._sizes.of(body)
        return size.rows, size.bytes

    def partitions(self, body: Resource) -> list[tuple[str | None, int, int]]:
        """Id, rows and bytes of each partition; one of no id for a table without partitions."""
        rows, size = self.size(body)
        if partitions.partition_column(body) is None or body["type"] != "TABLE":
            return [(None, rows, size)]
        query = f"SELECT {partitions.partition_id(body)} AS id, count(*) FROM {duck_path(ref_of(body))} GROUP BY 1"  # noqa: S608
        with self._database.cursor() as cursor:
            counted = cursor.execute(f"{query} ORDER BY 1").fetchall()
        # Rows of one table are taken to be of one size.
        return [(name, count, size * count // max(rows, 1)) for name, count in counted]

    def result(self, ref: TableRef) -> Result | None:
        """The rows of a query's result, where the table is the anonymous one that holds them."""
        job_id = anonymous_job_id(ref)
        source = self._registry.get(ref.project, job_id).result if job_id is not None else None
        return None if source is None else Result(source.schema, source.page(0, source.total_rows()))

    def moment(self, sql: str) -> int | None:
        """A TIMESTAMP of DuckDB's SQL, reckoned now, in microseconds since the epoch."""
        with self._database.cursor() as cursor:
            [(moment,)] = cursor.execute(f"SELECT epoch_us({sql})").fetchall()
        return None if moment is None else int(moment)

    def past(self, ref: TableRef, moment: int) -> PastTable:
        """A table as it was at a moment in microseconds since the epoch. Raises ApiError as `Past.at` does."""
        then = self._database.past.at(ref, moment)
        with self._database.cursor() as cursor:
            return PastTable(then.body, then.rows, relation_of(then, ref, cursor))

    def jobs(self, project: str) -> list[dict[str, Any]]:
        """The resources of the project's jobs, newest first."""
        return [job.resource() for job in self._registry.of_project(project) if _is_told(job)]


def _is_told(job: Job) -> bool:
    return job.kind in {"query", "load", "copy", "extract"}
