"""The engine put together: one object that the REST room talks to."""

import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import IO

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Catalog, Clock, Resource, table_key
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.resources import now_ms
from tarn_bigquery.config import Settings
from tarn_bigquery.engine import ddl, definitions
from tarn_bigquery.engine.copies import Copies
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.expiry import Expiry
from tarn_bigquery.engine.exports import Exports
from tarn_bigquery.engine.externals import ExternalTables
from tarn_bigquery.engine.inserts import Inserts
from tarn_bigquery.engine.introspection import Introspection
from tarn_bigquery.engine.job_history import JobHistory
from tarn_bigquery.engine.job_metrics import JobMetrics
from tarn_bigquery.engine.jobs import KEPT_JOBS, JobRegistry
from tarn_bigquery.engine.loads import Loads
from tarn_bigquery.engine.locks import TableLocks
from tarn_bigquery.engine.queries import Queries
from tarn_bigquery.engine.query_jobs import QueryJobs
from tarn_bigquery.engine.requests import Requests
from tarn_bigquery.engine.result_cache import ResultCache
from tarn_bigquery.engine.results import RowSource
from tarn_bigquery.engine.runner import JobRunner, Work
from tarn_bigquery.engine.session import Sessions, drop_leftovers
from tarn_bigquery.engine.stats import TableSizes
from tarn_bigquery.engine.uploads import UploadStore
from tarn_bigquery.errors import already_exists, not_found
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.types import normalized


class DataDirInUseError(Exception):
    """Another emulator works in the data directory."""


class Engine:
    def __init__(self, settings: Settings, clock: Clock = now_ms) -> None:
        """Open the data directory. Raises DataDirInUseError where another process has it.

        `clock` says when tables and partitions expire.
        """
        self.settings = settings
        self._temporary = None if settings.data_dir else Path(tempfile.mkdtemp(prefix="tarn-bigquery-"))
        self.folder = settings.data_dir or Path(str(self._temporary))
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = _lock(self.folder)
        results = _emptied(self.folder / "results")
        self.uploads = UploadStore(_emptied(self.folder / "uploads"))
        path = None if self._temporary else self.folder / "tarn.duckdb"
        self.database = Database(path, self.folder / "spill", clock)
        drop_leftovers(self.database)
        self._history = JobHistory(self.folder / "jobs.jsonl", KEPT_JOBS, results, self.database)
        self.jobs = JobRegistry(self._history)
        self.job_metrics = JobMetrics(self.jobs)
        self.requests = Requests(self.jobs)
        self.locks = TableLocks()
        self.expiry = Expiry(self.database, self.locks)
        self.sizes = TableSizes(self.database)
        self.externals = ExternalTables(settings, self.folder / "cache", self.database)
        cache = ResultCache(self.catalog, self.externals)
        self.queries = Queries(self.database, self.locks, self.sizes, results, cache)
        self.inserts = Inserts(self.database)
        self.introspection = Introspection(self.database, self.sizes, self.jobs)
        sessions = Sessions(self.database, self.locks)
        exports = Exports(self.queries, self.externals, _emptied(self.folder / "exports"))
        self._loads = Loads(self.queries, self.externals, self.uploads, _emptied(self.folder / "uploads-read"))
        self.query_jobs = QueryJobs(
            self.queries, self.jobs, self.externals, self.introspection, sessions, exports, self._loads
        )
        kinds: dict[str, Work] = {
            "query": self.query_jobs.run,
            "load": self._loads.run,
            "copy": Copies(self.queries).run,
            "extract": exports.run,
        }
        self.runner = JobRunner(self.jobs, settings.workers, kinds, self.job_metrics, self.expiry.sweep)
        self.query_jobs.runner = self.runner

    @property
    def catalog(self) -> Catalog:
        return self.database.catalog

    def create_table(self, ref: TableRef, given: Resource) -> Resource:
        """Make a table, view or external table of what a client gives."""
        dataset = self.catalog.dataset(ref.parent)
        if self.catalog.find(table_key(ref)):
            raise already_exists("Table", ref)
        body = resources.new_table(ref, self._complete(ref.project, given), dataset["location"])
        with self.database.transaction() as transaction:
            definitions.create_table(transaction, body)
        return self.catalog.table(ref)

    def change_table(self, ref: TableRef, edit: definitions.Edit) -> Resource:
        current = self.catalog.table(ref)
        edited = self._complete(ref.project, edit(current))
        with self.database.transaction() as transaction:
            definitions.update_table(
                transaction, ref, current, lambda latest: edit(latest) | {"schema": edited["schema"]}
            )
        return self.catalog.table(ref)

    def _complete(self, project: str, given: Resource) -> Resource:
        """The resource with the schema that it ought to have: declared, of its query, or of its files."""
        body = {**given, "schema": {"fields": normalized(given.get("schema", {}).get("fields", []))}}
        if body.get("view") or body.get("materializedView"):
            context = QueryContext(self.catalog, self.externals, self.introspection, project)
            return _described(ddl.with_view_schema(self.queries, context, body), given)
        if body.get("externalDataConfiguration"):
            return self.externals.with_schema(body)
        return body

    def result_of(self, project: str, job_id: str) -> RowSource:
        """The rows of a query job that is over. Raises ApiError `notFound` where there are none."""
        job = self.jobs.get(project, job_id)
        if job.result is None:
            raise not_found("Table", f"{project}:{job_id}")
        return job.result

    def close(self) -> None:
        self.runner.close()
        self.externals.close()
        self._loads.close()
        self.database.close()
        self._history.close()
        self._lock.close()
        if self._temporary is not None:
            shutil.rmtree(self._temporary, ignore_errors=True)


def _described(view: Resource, given: Resource) -> Resource:
    """The view with the descriptions of columns that were given: its query has none."""
    known = {field["name"].lower(): field for field in given.get("schema", {}).get("fields", [])}
    fields = [
        field | {"description": known[name]["description"]}
        if (name := field["name"].lower()) in known and known[name].get("description")
        else field
        for field in view["schema"]["fields"]
    ]
    return {**view, "schema": {"fields": fields}}


def _lock(folder: Path) -> IO[str]:
    """Hold the folder for this process, until the file is closed or the process ends."""
    file = (folder / "lock").open("a+")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.seek(0)
        owner = file.read().strip() or "unknown"
        file.close()
        raise DataDirInUseError(
            f"The data directory {folder} is in use by another tarn-bigquery (process {owner}). "
            "Stop it, or choose another --data-dir."
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()))
    file.flush()
    return file


def _emptied(folder: Path) -> Path:
    """A folder of the program's own, without what an earlier run has left."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return folder
