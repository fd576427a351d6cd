"""The way from an external table's resource to a scan by the storage room."""

import threading
from pathlib import Path
from typing import Any

import duckdb

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import quote
from tarn_bigquery.config import Settings
from tarn_bigquery.engine.database import Database
from tarn_bigquery.sql.context import ExternalRead, Prepared
from tarn_bigquery.sql.translate import condition_sql
from tarn_bigquery.sql.types import Field, duck_type
from tarn_bigquery.storage import ExternalSource, ObjectCache, ObjectStore, PartitionFilter
from tarn_bigquery.storage.listing import FILE_NAME


class ExternalTables:
    """External tables of one object store. Nothing is opened before the first one is asked for."""

    def __init__(self, settings: Settings, cache_dir: Path, database: Database) -> None:
        self._settings = settings
        self._cache_dir = cache_dir
        self._database = database
        self._opened: ExternalSource | None = None
        self._cache: ObjectCache | None = None
        self._store: ObjectStore | None = None
        self._guard = threading.Lock()

    def scan(self, read: ExternalRead, query: Prepared) -> str:
        cursor = query.pins.enter_context(self._database.cursor())
        config, fields = _definition(read)
        where = _partition_filter(read, cursor)
        plan = self.source().scan(read.name, config, fields, where, read.with_file_name, read.named)
        query.pins.enter_context(plan)
        query.external_bytes += plan.bytes(read.columns)
        query.scans.append((read, plan.digest))
        return plan.sql

    def digest(self, read: ExternalRead) -> str:
        """The digest that the files of a read have now, which is another one as soon as one of them is."""
        with self._database.cursor() as cursor:
            return self.source().digest(*_definition(read), _partition_filter(read, cursor))

    def with_schema(self, table: Resource) -> Resource:
        """The table's resource with its columns, declared or detected, and the names of its partition keys."""
        config = table["externalDataConfiguration"]
        declared = table.get("schema", {}).get("fields")
        resolved = self.source().resolve_schema(config, declared or None)
        if options := config.get("hivePartitioningOptions"):
            config = {**config, "hivePartitioningOptions": {**options, "fields": resolved.partition_keys}}
        return {**table, "externalDataConfiguration": config, "schema": {"fields": resolved.fields}}

    def cached_bytes(self) -> int:
        """Bytes of objects that are in the cache now."""
        with self._guard:
            return self._cache.total_bytes if self._cache is not None else 0

    def close(self) -> None:
        with self._guard:
            if self._opened is not None:
                self._opened.close()

    def source(self) -> ExternalSource:
        """The reader of the object store, opened when it is first needed."""
        with self._guard:
            if self._opened is None:
                self._cache_dir.mkdir(exist_ok=True)
                self._cache = ObjectCache(self._cache_dir, self._settings.cache_bytes)
                self._opened = ExternalSource(self._connected(), self._cache)
            return self._opened

    def store(self) -> ObjectStore:
        """The object store, for what writes to it."""
        with self._guard:
            return self._connected()

    def _connected(self) -> ObjectStore:
        if self._store is None:
            self._store = ObjectStore.connect(self._settings.storage_endpoint)
        return self._store


def _definition(read: ExternalRead) -> tuple[dict[str, Any], list[Field] | None]:
    """How the files of a table are read, and its columns where they are known."""
    return read.table["externalDataConfiguration"], read.table.get("schema", {}).get("fields") or None


def _partition_filter(read: ExternalRead, cursor: duckdb.DuckDBPyConnection) -> PartitionFilter:
    _, fields = _definition(read)
    return PartitionFilter(read.predicates, lambda predicate: condition_sql(predicate, fields or []), cursor)


class DeclaredTables:
    """External tables by their schemas alone: a look at a query's columns opens no file."""

    def scan(self, read: ExternalRead, query: Prepared) -> str:
        columns = [(field["name"], duck_type(field)) for field in read.table["schema"]["fields"]]
        if read.with_file_name:
            columns.append((FILE_NAME, "VARCHAR"))
        nothing = ", ".join(f"CAST(NULL AS {kind}) AS {quote(name)}" for name, kind in columns)
        return f"(SELECT {nothing} LIMIT 0)"

    def with_schema(self, table: Resource) -> Resource:
        return table
