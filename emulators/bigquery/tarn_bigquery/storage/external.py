"""External tables: from a definition and a query's filter to SQL that DuckDB runs over cached files."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Any

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.cache import ObjectCache
from tarn_bigquery.storage.config import ExternalConfig
from tarn_bigquery.storage.errors import ObjectChangedError, PartitionFilterError, StorageError
from tarn_bigquery.storage.files import CachedFile, FileSource, TableFiles
from tarn_bigquery.storage.gcs import ObjectStore
from tarn_bigquery.storage.listing import Lister, SourceFile
from tarn_bigquery.storage.pruning import PartitionFilter
from tarn_bigquery.storage.scan_sql import TableShape, scan_sql

_LOG = logging.getLogger(__name__)
_ATTEMPTS = 5
_NEW_TABLE = "the external table"


@dataclass(frozen=True, slots=True)
class ResolvedSchema:
    """A table's columns, of which the last are the partition keys, and the keys' names."""

    fields: list[Field]
    partition_keys: list[str]


@dataclass(slots=True)
class ScanPlan:
    """A table expression over files that stay in the cache until the plan is closed.

    `digest` tells these files, each in this version, from any others.
    """

    sql: str
    schema: list[Field]
    files: list[CachedFile]
    digest: str
    counts_columns: bool
    _pins: ExitStack = field(repr=False)

    @property
    def rows(self) -> int:
        """Rows in the files that the filter left."""
        return sum(file.footer.rows for file in self.files)

    def bytes(self, columns: Collection[str] | None = None) -> int:
        """Bytes that a query over these columns processes; all columns where none are named.

        A format without columns of its own, such as CSV, counts whole files.
        """
        if not self.counts_columns:
            return sum(file.source.version.size for file in self.files)
        wanted = None if columns is None else {column.lower() for column in columns}
        return sum(
            size
            for file in self.files
            for name, size in file.footer.column_bytes.items()
            if wanted is None or name.lower() in wanted
        )

    def close(self) -> None:
        self._pins.close()

    def __enter__(self) -> ScanPlan:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class ExternalSource:
    """Reads external tables from one object store. Safe to share between threads."""

    def __init__(self, store: ObjectStore, cache: ObjectCache) -> None:
        self._executor = ThreadPoolExecutor(store.max_connections, thread_name_prefix="gcs")
        self._lister = Lister(store, self._executor)
        self._files = FileSource(store, cache, self._executor)

    def close(self) -> None:
        self._executor.shutdown(cancel_futures=True)

    def scan(
        self,
        table: str,
        config: dict[str, Any],
        schema: list[Field] | None = None,
        where: PartitionFilter | None = None,
        with_file_name: bool = False,
        named: Collection[str] | None = None,
    ) -> ScanPlan:
        """Fetch what a query needs and say how to read it.

        `table` is the name that errors give. `schema` is the table's own, which includes the partition keys;
        None takes what the files say. With `with_file_name` the SQL has the pseudo-column _FILE_NAME as well.
        Of the columns it has those that are `named`, in lower case, or all.

        Raises:
            StorageError: the definition is wrong, the filter is missing, or objects cannot be read.
        """
        parsed = ExternalConfig.from_rest(config, schema)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                return self._scan_once(table, parsed, where, with_file_name, named)
            except ObjectChangedError as changed:
                # Listed again from the start, so that all files belong to one moment.
                if attempt == _ATTEMPTS:
                    raise
                _LOG.info("%s: %s Listing again.", table, changed)
        raise AssertionError("unreachable")

    def digest(self, config: dict[str, Any], schema: list[Field] | None, where: PartitionFilter | None) -> str:
        """What `ScanPlan.digest` would be now, found by a listing alone. Raises StorageError as `scan` does."""
        return self._lister.files(ExternalConfig.from_rest(config, schema), where).digest

    def resolve_schema(self, config: dict[str, Any], schema: list[Field] | None = None) -> ResolvedSchema:
        """The columns that a table of this definition has: declared or detected, then the partition keys.

        Detection reads the file whose name comes last, or the definition's reference file.

        Raises:
            StorageError: as for `scan`, and where a partition key is also a column.
        """
        parsed = ExternalConfig.from_rest(config, schema)
        if parsed.schema and (parsed.hive is None or parsed.hive.keys):
            return _resolved(_shape(_NEW_TABLE, parsed, parsed.schema, False))
        found = self._lister.files(parsed, None)
        settled = replace(parsed, hive=found.hive)
        columns = parsed.schema or self._detect(_NEW_TABLE, settled, found.files)
        return _resolved(_shape(_NEW_TABLE, settled, columns, False))

    def _scan_once(
        self,
        table: str,
        config: ExternalConfig,
        where: PartitionFilter | None,
        with_file_name: bool,
        named: Collection[str] | None,
    ) -> ScanPlan:
        found = self._lister.files(config, where)
        settled = replace(config, hive=found.hive)
        _require_filter(table, settled, where)
        shape = _shape(table, settled, config.schema or self._detect(table, settled, found.files), with_file_name)
        with ExitStack() as pins:
            reading = TableFiles.of(table, settled, shape.columns)
            files = self._files.fetch(reading, found.files, pins)
            _check_bad_records(reading, files)
            sql = scan_sql(shape, files, named)
            return ScanPlan(sql, shape.fields, files, found.digest, reading.counts_columns, pins.pop_all())

    def _detect(self, table: str, config: ExternalConfig, files: Sequence[SourceFile]) -> Sequence[Field]:
        """The columns of the reference file, or else of the file whose name comes last."""
        if config.reference_file:
            files = self._lister.files(replace(config, patterns=(config.reference_file,), hive=None), None).files
        return self._files.detect(TableFiles.of(table, config, ()), files[-1].version) if files else ()


def _resolved(shape: TableShape) -> ResolvedSchema:
    return ResolvedSchema(shape.fields, [key.name for key in shape.keys])


def _shape(table: str, config: ExternalConfig, columns: Sequence[Field], with_file_name: bool) -> TableShape:
    keys = (config.hive.keys or ()) if config.hive else ()
    names = {column["name"].lower() for column in columns}
    for key in keys:
        if key.name.lower() in names:
            raise StorageError(
                f"Hive partitioning key '{key.name}' of {table} is also a column of its files. "
                "Rename one of them: keys and columns cannot overlap."
            )
    return TableShape(table, config.source_format, columns, keys, with_file_name)


def _check_bad_records(table: TableFiles, files: Sequence[CachedFile]) -> None:
    """Hold the files together to the limit that each has kept by itself."""
    count = sum(file.footer.bad_records for file in files)
    if table.reader and count > table.reader.max_bad_records:
        raise StorageError(
            f"Error while reading table: {table.table}, error message: too many errors, giving up. Its files "
            f"have {count} bad records together; maxBadRecords allows {table.reader.max_bad_records}."
        )


def _require_filter(table: str, config: ExternalConfig, where: PartitionFilter | None) -> None:
    hive = config.hive
    if hive is None or not hive.requires_filter:
        return
    names = [key.name for key in hive.keys or ()]
    if where is None or not where.touches(names):
        columns = ", ".join(f"'{name}'" for name in names)
        raise PartitionFilterError(
            f"Cannot query over table '{table}' without a filter over column(s) {columns} that can be used "
            "for partition elimination"
        )
