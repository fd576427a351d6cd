"""Source files on disk: fetched, turned into Parquet where they are not, and known by their footers."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor, wait
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

import duckdb
import pyarrow as pa

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.cache import ObjectCache
from tarn_bigquery.storage.config import ExternalConfig
from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.formats import FormatReader
from tarn_bigquery.storage.formats.parquet import ParquetFooter, ParquetOptions, read_footer
from tarn_bigquery.storage.formats.rows import BadRecordsError
from tarn_bigquery.storage.gcs import ObjectStore, ObjectVersion
from tarn_bigquery.storage.listing import SourceFile

_FOOTERS_KEPT = 20_000
_DERIVED_OPTIONS = ParquetOptions(enable_list_inference=True)
_UNREADABLE = (duckdb.Error, pa.ArrowException, ValueError, EOFError, OSError)


@dataclass(frozen=True, slots=True)
class CachedFile:
    """A source file, where its rows lie on disk as Parquet, and what that file's footer says."""

    source: SourceFile
    path: Path
    footer: ParquetFooter

    @property
    def uri(self) -> str:
        return self.source.version.uri


@dataclass(frozen=True, slots=True)
class TableFiles:
    """How the files of one table are read: `columns` shape those formats that have no types of their own."""

    table: str
    reader: FormatReader | None
    columns: Sequence[Field]
    parquet_options: ParquetOptions

    @classmethod
    def of(cls, table: str, config: ExternalConfig, columns: Sequence[Field]) -> TableFiles:
        options = config.parquet_options if config.reader is None else _DERIVED_OPTIONS
        return cls(table, config.reader, columns, options)

    @property
    def counts_columns(self) -> bool:
        """Whether a query is charged for the columns that it reads, and not for whole files."""
        return self.reader is None or self.reader.counts_columns

    def key(self, version: ObjectVersion) -> str:
        """What identifies the Parquet file that a version gives for this table."""
        return version.key if self.reader is None else f"{version.key}#{self.reader!r}#{list(self.columns)!r}"

    def unreadable(self, version: ObjectVersion, detail: object) -> StorageError:
        return StorageError(f"Error while reading table: {self.table}, error message: {detail} File: {version.uri}")


class FileSource:
    """Brings source files to disk and keeps them there while they are pinned."""

    def __init__(self, store: ObjectStore, cache: ObjectCache, executor: Executor) -> None:
        self._store = store
        self._cache = cache
        self._executor = executor
        self._footers: OrderedDict[tuple[str, ParquetOptions], ParquetFooter] = OrderedDict()
        self._footers_lock = Lock()

    def fetch(self, table: TableFiles, files: Sequence[SourceFile], pins: ExitStack) -> list[CachedFile]:
        """The files, each pinned until `pins` closes; what is missing is fetched side by side.

        Raises:
            ObjectChangedError: a file is not the one that was listed.
            StorageError: a file cannot be had, or is not of the table's format.
        """
        at_hand = [self._is_at_hand(table, file.version) for file in files]
        missing = [file for file, is_here in zip(files, at_hand, strict=True) if not is_here]
        futures = {file.version.uri: self._executor.submit(self._fetch_one, table, file) for file in missing}
        wait(futures.values())
        for file in missing:
            if futures[file.version.uri].exception() is None:
                pins.callback(self._cache.release, table.key(file.version))
        fetched = []
        for file, is_here in zip(files, at_hand, strict=True):
            if is_here:
                fetched.append(self._fetch_one(table, file))
                pins.callback(self._cache.release, table.key(file.version))
            else:
                fetched.append(futures[file.version.uri].result())
        return fetched

    def _is_at_hand(self, table: TableFiles, version: ObjectVersion) -> bool:
        """Whether the file is here and known, so that a thread of its own would cost more than it saves."""
        with self._footers_lock:
            is_known = (table.key(version), table.parquet_options) in self._footers
        return is_known and self._cache.holds(table.key(version))

    def detect(self, table: TableFiles, version: ObjectVersion) -> list[Field]:
        """The columns that a file has by itself. Raises as `fetch` does."""
        path = self._raw(version)
        try:
            if table.reader:
                return table.reader.detect(path)
            return [column.field for column in self._footer(table, version, path).columns]
        except _UNREADABLE as error:
            raise table.unreadable(version, error) from error
        finally:
            self._cache.release(version.key)

    def _fetch_one(self, table: TableFiles, file: SourceFile) -> CachedFile:
        version = file.version
        path = self._as_parquet(table, table.reader, version) if table.reader else self._raw(version)
        try:
            return CachedFile(file, path, self._footer(table, version, path))
        except BaseException:
            self._cache.release(table.key(version))
            raise

    def _raw(self, version: ObjectVersion) -> Path:
        return self._cache.acquire(version.key, lambda target: self._store.download(version, target))

    def _as_parquet(self, table: TableFiles, reader: FormatReader, version: ObjectVersion) -> Path:
        def produce(target: Path) -> None:
            source = self._raw(version)
            try:
                reader.to_parquet(source, table.columns, target)
            except BadRecordsError as error:
                raise table.unreadable(version, error.detail) from error
            except _UNREADABLE as error:
                raise table.unreadable(version, error) from error
            finally:
                self._cache.release(version.key)

        return self._cache.acquire(table.key(version), produce)

    def _footer(self, table: TableFiles, version: ObjectVersion, path: Path) -> ParquetFooter:
        key = (table.key(version), table.parquet_options)
        with self._footers_lock:
            if key in self._footers:
                self._footers.move_to_end(key)
                return self._footers[key]
        try:
            footer = read_footer(path, table.parquet_options)
        except pa.ArrowException as error:
            raise table.unreadable(version, f"Input file is not in Parquet format: {error}.") from error
        with self._footers_lock:
            self._footers[key] = footer
            if len(self._footers) > _FOOTERS_KEPT:
                self._footers.popitem(last=False)
        return footer
