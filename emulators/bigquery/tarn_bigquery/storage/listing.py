"""Which objects a table has now, listing no more of the bucket than the query's filter allows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from hashlib import sha256
from os.path import commonprefix
from typing import TypeVar

import pyarrow as pa

from tarn_bigquery.storage.config import ExternalConfig
from tarn_bigquery.storage.errors import NotFoundError, StorageError
from tarn_bigquery.storage.gcs import Listing, ObjectStore, ObjectVersion
from tarn_bigquery.storage.hive import HivePartitioning, KeyValue
from tarn_bigquery.storage.pruning import PartitionFilter
from tarn_bigquery.storage.uris import UriPattern

_T = TypeVar("_T")

FILE_NAME = "_FILE_NAME"
"""The pseudo-column that holds the URI of a row's file."""

_MAX_FOLDERS_LISTED_APART = 8
_ARROW_TYPES = {
    "STRING": pa.string(),
    "INTEGER": pa.int64(),
    "DATE": pa.date32(),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A file that a query reads, and what its name says of the partition keys."""

    version: ObjectVersion
    values: tuple[KeyValue, ...] = ()


@dataclass(frozen=True, slots=True)
class FileSet:
    """The files to read, by name, and the layout with the keys' types settled."""

    files: list[SourceFile]
    hive: HivePartitioning | None

    @property
    def digest(self) -> str:
        """What tells these files, each in this version, from any others."""
        return sha256("\n".join(file.version.key for file in self.files).encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Lister:
    """Lists tables of one store; lists folders side by side on the executor's threads."""

    store: ObjectStore
    executor: Executor

    def files(self, config: ExternalConfig, where: PartitionFilter | None) -> FileSet:
        """The files for which the filter can be true.

        Raises:
            NotFoundError: no such bucket, or no object of a name that was given in full.
            StorageError: a pattern matches nothing at all; keys or values do not fit the layout.
        """
        versions: dict[str, ObjectVersion] = {}
        for pattern in config.patterns:
            versions.update((version.uri, version) for version in self._matching(pattern, config.hive, where))
        hive = config.hive
        if hive and hive.keys is None:
            hive = hive.with_keys_found_in(version.name for version in versions.values())
        files = [
            SourceFile(version, hive.values(version.name) if hive else ()) for _, version in sorted(versions.items())
        ]
        return FileSet(_possible_files(files, hive, where), hive)

    def _matching(
        self, pattern: UriPattern, hive: HivePartitioning | None, where: PartitionFilter | None
    ) -> list[ObjectVersion]:
        prefixes = [pattern.prefix]
        if hive and hive.keys and where and pattern.has_wildcard and pattern.prefix == hive.prefix:
            prefixes = self._possible_folders(pattern, hive, where)
        listed = self._list_each(pattern.bucket, prefixes)
        found = [version for version in listed if pattern.matches(version.name) and not _is_folder(version)]
        if not found and prefixes == [pattern.prefix]:
            raise _nothing_matches(pattern)
        return found

    def _list_each(self, bucket: str, prefixes: Sequence[str]) -> Iterable[ObjectVersion]:
        def list_prefix(prefix: str) -> Listing:
            return self.store.list_objects(bucket, prefix)

        return [version for listing in self._each(list_prefix, prefixes) for version in listing.objects]

    def _each(self, task: Callable[[str], _T], names: Sequence[str]) -> Iterable[_T]:
        """The task's results, side by side where there is more than one: another thread costs more than it saves."""
        return map(task, names) if len(names) == 1 else self.executor.map(task, names)

    def _possible_folders(self, pattern: UriPattern, hive: HivePartitioning, where: PartitionFilter) -> list[str]:
        """The prefixes that are worth listing, found by walking the layout's folders key by key."""
        keys = hive.keys or ()
        folders = [hive.prefix]
        for depth in range(1, len(keys) + 1):
            known = [key.name for key in keys[:depth]]
            if not where.touches([key.name for key in keys]):
                break
            below = self._folders_below(pattern.bucket, folders)
            if depth == 1 and not below:
                return [pattern.prefix]
            values = [hive.leading_values(folder) for folder in below]
            columns = {
                name: pa.array([value[index] for value in values], _ARROW_TYPES[keys[index].type])
                for index, name in enumerate(known)
            }
            folders = [below[position] for position in where.keep(columns)] if below else []
            if len(folders) > _MAX_FOLDERS_LISTED_APART:
                return [commonprefix(folders)]  # noqa: RUF071 - a listing's prefix is of characters, not folders
        return folders

    def _folders_below(self, bucket: str, folders: Sequence[str]) -> list[str]:
        def list_folder(folder: str) -> list[str]:
            return self.store.list_objects(bucket, folder, delimiter="/").folders

        return [found for below in self._each(list_folder, folders) for found in below]


def _possible_files(
    files: list[SourceFile], hive: HivePartitioning | None, where: PartitionFilter | None
) -> list[SourceFile]:
    if not where or not files:
        return files
    columns = {FILE_NAME: pa.array([file.version.uri for file in files], pa.string())}
    for index, key in enumerate(hive.keys or () if hive else ()):
        columns[key.name] = pa.array([file.values[index] for file in files], _ARROW_TYPES[key.type])
    return [files[position] for position in where.keep(columns)]


def _is_folder(version: ObjectVersion) -> bool:
    """Whether this is the empty object by which some tools mark a folder."""
    return version.name.endswith("/") and version.size == 0


def _nothing_matches(pattern: UriPattern) -> StorageError:
    if not pattern.has_wildcard:
        return NotFoundError(f"Not found: URI {pattern.uri}")
    return StorageError(f"Failed to expand the table's file pattern {pattern.uri}: matched no files.")
