"""A real object store over HTTP, and tables in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from sqlglot import parse_one

from tarn_bigquery.storage import ExternalSource, ObjectCache, ObjectStore, PartitionFilter

from ..conftest import Bucket


class CountingStore(ObjectStore):
    """The real client, which also notes what it asks for."""

    def __init__(self, endpoint: str) -> None:
        super().__init__(endpoint)
        self.downloads: list[str] = []
        self.listings: list[tuple[str, str | None]] = []

    def download(self, version: Any, target: Path) -> None:
        self.downloads.append(version.name)
        super().download(version, target)

    def list_objects(self, bucket: str, prefix: str = "", delimiter: str | None = None) -> Any:
        self.listings.append((prefix, delimiter))
        return super().list_objects(bucket, prefix, delimiter)


class Lake:
    """External tables over one bucket, queried as the emulator's engine does it."""

    def __init__(self, bucket: Bucket, cache: ObjectCache) -> None:
        self.bucket = bucket
        self.cache = cache
        self.store = CountingStore(bucket.endpoint)
        self.source = ExternalSource(self.store, cache)
        self.connection = duckdb.connect()
        self.connection.execute("SET TimeZone = 'UTC'")

    def config(self, pattern: str, hive: dict[str, Any] | None = None, **options: Any) -> dict[str, Any]:
        body = {"sourceFormat": "PARQUET", "sourceUris": [f"gs://{self.bucket.name}/{pattern}"], **options}
        if hive:
            body["hivePartitioningOptions"] = hive
        return body

    def where(self, condition: str | None) -> PartitionFilter | None:
        if condition is None:
            return None
        tree = parse_one(condition, dialect="bigquery")
        conjuncts = list(tree.flatten()) if tree.key == "and" else [tree]
        return PartitionFilter(conjuncts, lambda node: node.sql("duckdb"), self.connection)

    def rows(
        self,
        config: dict[str, Any],
        schema: list[dict[str, Any]] | None = None,
        where: str | None = None,
        select: str = "*",
        with_file_name: bool = False,
    ) -> list[tuple[Any, ...]]:
        with self.source.scan("d.t", config, schema, self.where(where), with_file_name) as plan:
            query = f"SELECT {select} FROM {plan.sql} AS t ORDER BY ALL"
            return self.connection.execute(query).fetchall()


def field(name: str, kind: str, mode: str = "NULLABLE", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "mode": mode, **more}


@pytest.fixture
def bucket(bucket: Bucket) -> Iterator[Bucket]:
    """The bucket, which forgets what the test writes: its tests write below the same few prefixes."""
    before = set(bucket.names(""))
    yield bucket
    for name in set(bucket.names("")) - before:
        bucket.delete(name)


@pytest.fixture
def lake(bucket: Bucket, tmp_path: Path) -> Iterator[Lake]:
    lake = Lake(bucket, ObjectCache(tmp_path / "cache", max_bytes=1 << 30))
    yield lake
    lake.source.close()
