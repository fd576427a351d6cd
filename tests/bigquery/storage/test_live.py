"""Queries while the bucket changes, and many of them at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tarn_bigquery.storage.errors import ObjectChangedError

from .conftest import Lake, field

HIVE = {"mode": "CUSTOM", "sourceUriPrefix": "gs://lake/t/{n:INTEGER}"}
SCHEMA = [field("id", "INTEGER")]


def put_all(lake: Lake, partitions: int, value: int) -> None:
    for n in range(partitions):
        lake.bucket.put_parquet(f"t/n={n}/a.parquet", {"id": [value]})


def before_download(lake: Lake, monkeypatch: pytest.MonkeyPatch, act: Any) -> None:
    download = lake.store.download

    def acting(version: Any, target: Path) -> None:
        act(version)
        download(version, target)

    monkeypatch.setattr(lake.store, "download", acting)


@pytest.mark.feature("External tables", "an object replaced during a query never mixes versions")
def test_objects_replaced_during_a_query_never_mix(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put_all(lake, 6, value=1)
    seen: list[str] = []

    def replace_all_in_the_middle(version: Any) -> None:
        seen.append(version.name)
        if len(seen) == 3:
            put_all(lake, 6, value=2)

    before_download(lake, monkeypatch, replace_all_in_the_middle)
    assert {row[0] for row in lake.rows(lake.config("t/*", HIVE), SCHEMA)} == {2}


def test_an_object_deleted_during_a_query_is_gone(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put_all(lake, 2, value=1)
    doomed = ["t/n=1/a.parquet"]

    def delete_once(version: Any) -> None:
        if version.name in doomed:
            doomed.remove(version.name)
            lake.bucket.delete(version.name)

    before_download(lake, monkeypatch, delete_once)
    assert lake.rows(lake.config("t/*", HIVE), SCHEMA) == [(1, 0)]


def test_an_object_that_never_holds_still_is_an_error(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    put_all(lake, 1, value=0)
    values = iter(range(1, 100))
    before_download(lake, monkeypatch, lambda _version: put_all(lake, 1, value=next(values)))
    # A store that keeps to the generation asked for has it no more; one that does not gives what is there now.
    told = r"gs://lake/t/n=0/a\.parquet (is not what was listed|was replaced or removed)"
    with pytest.raises(ObjectChangedError, match=told):
        lake.rows(lake.config("t/*", HIVE), SCHEMA)


def test_concurrent_queries_fetch_once_and_agree(lake: Lake) -> None:
    put_all(lake, 12, value=1)
    config = lake.config("t/*", HIVE)

    def count(_: int) -> int:
        with lake.source.scan("d.t", config, SCHEMA) as plan:
            cursor = lake.connection.cursor()
            return len(cursor.execute(f"SELECT * FROM {plan.sql}").fetchall())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(count, range(48))) == {12}
    assert sorted(lake.store.downloads) == sorted(f"t/n={n}/a.parquet" for n in range(12))


def test_a_query_holds_its_files_against_eviction(lake: Lake) -> None:
    put_all(lake, 3, value=1)
    lake.cache._max_bytes = 1
    config = lake.config("t/*", HIVE)
    with lake.source.scan("d.t", config, SCHEMA) as plan:
        assert len(lake.rows(config, SCHEMA)) == 3
        assert len(lake.connection.execute(f"SELECT * FROM {plan.sql}").fetchall()) == 3
    assert lake.cache.total_bytes == 0


def test_work_does_not_grow_with_the_partitions_left_out(lake: Lake) -> None:
    def requests(partitions: int) -> tuple[int, int]:
        put_all(lake, partitions, value=1)
        lake.store.listings.clear()
        lake.store.downloads.clear()
        assert len(lake.rows(lake.config("t/*", HIVE), SCHEMA, f"n = {partitions - 1}")) == 1
        return len(lake.store.listings), len(lake.store.downloads)

    assert requests(10) == requests(300) == (2, 1)


def test_schemas_that_differ_are_read_as_declared(lake: Lake) -> None:
    lake.bucket.put_parquet("s/a.parquet", {"id": [1], "x": ["a"]})
    lake.bucket.put_parquet("s/b.parquet", {"x": ["b"], "id": [2]})
    lake.bucket.put_parquet("s/c.parquet", {"id": [3], "y": [1.0]})
    lake.bucket.put_parquet("s/d.parquet", {"id": [4], "x": ["d"], "file_index": [9]})
    schema = [field("x", "STRING"), field("id", "INTEGER"), field("file_index", "INTEGER")]
    rows = lake.rows(lake.config("s/*"), schema, select="id, x, file_index, _FILE_NAME", with_file_name=True)
    assert [row[:3] for row in rows] == [(1, "a", None), (2, "b", None), (3, None, None), (4, "d", 9)]
    assert [row[3][-9:-8] for row in rows] == ["a", "b", "c", "d"]
