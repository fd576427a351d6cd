"""Results that the same query may have again, as long as nothing that it read has changed.

https://cloud.google.com/bigquery/docs/cached-results
"""

import json
import threading
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path

from tarn_bigquery.catalog.catalog import Catalog, Resource, table_key
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.externals import ExternalTables
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.results import ArrowFile
from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.context import ExternalRead, Prepared

_KEPT_RESULTS = 256
_LIFE_MS = 24 * 60 * 60 * 1000
_MEANING = ("query", "parameterMode", "queryParameters", "defaultDataset", "connectionProperties")
"""Members of a query job's configuration that have a say in what its rows are."""
_OF_ITS_OWN = ("tableDefinitions", "createSession")
"""Members that have the query read or leave what no other one has."""


@dataclass(frozen=True)
class CachedResult:
    """A query's rows, and all that they depend on: the tables' resources, which are new ones after every change, and
    the objects that were read.
    """

    rows: ArrowFile
    resources: dict[TableRef, Resource]
    scans: list[tuple[ExternalRead, str]]
    since: int


class ResultCache:
    """The results of the latest queries, by what was asked. Rows in a file are those of the job that last had them."""

    def __init__(self, catalog: Catalog, externals: ExternalTables) -> None:
        self._catalog = catalog
        self._externals = externals
        self._kept: OrderedDict[str, CachedResult] = OrderedDict()
        self._guard = threading.Lock()

    def find(self, job: Job, path: Path) -> CachedResult | None:
        """The result that a job's query would give, where it is known. `path` is for its rows, if they are a file."""
        key = _key(job)
        if key is None or job.configuration["query"].get("useQueryCache") is False:
            return None
        with self._guard:
            kept = self._kept.get(key)
        if kept is None or not self._holds(kept):
            return None
        try:
            found = replace(kept, rows=kept.rows.shared(path))
        except FileNotFoundError:
            # The job that had them is forgotten.
            return None
        self._put(key, found)
        return found

    def keep(self, job: Job, rows: ArrowFile, query: Prepared) -> None:
        """Have a result ready for later, where the same query is sure to give the same rows."""
        key = _key(job)
        # A query of no table is over before one could look here.
        if key is not None and query.is_repeatable and query.resources:
            self._put(key, CachedResult(rows, query.resources, query.scans, self._catalog.clock()))

    def _put(self, key: str, result: CachedResult) -> None:
        with self._guard:
            self._kept[key] = result
            self._kept.move_to_end(key)
            if len(self._kept) > _KEPT_RESULTS:
                self._kept.popitem(last=False)

    def _holds(self, kept: CachedResult) -> bool:
        if self._catalog.clock() - kept.since > _LIFE_MS:
            return False
        if any(self._catalog.find(table_key(ref)) is not body for ref, body in kept.resources.items()):
            return False
        try:
            return all(self._externals.digest(read) == digest for read, digest in kept.scans)
        except ApiError:
            # The query itself tells what is wrong with the objects.
            return False


def _key(job: Job) -> str | None:
    """What is asked, to the letter; None for a query that others cannot ask in the same words."""
    query = job.configuration["query"]
    if job.parent is not None or any(query.get(name) for name in _OF_ITS_OWN):
        return None
    return json.dumps([job.project, [query.get(name) for name in _MEANING]], sort_keys=True)
