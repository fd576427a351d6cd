"""External tables over a live bucket: what arrives, changes or goes is seen by the next query."""

from __future__ import annotations

import shutil
from datetime import date

import pytest

from tarn_bigquery.storage.errors import NotFoundError, PartitionFilterError, StorageError

from .conftest import Lake, field

HIVE = {"mode": "CUSTOM", "sourceUriPrefix": "gs://lake/taxi/{month:DATE}"}
SCHEMA = [field("id", "INTEGER"), field("fare", "FLOAT")]


def put_month(lake: Lake, month: str, ids: list[int], name: str = "data.parquet") -> None:
    lake.bucket.put_parquet(f"taxi/month={month}/{name}", {"id": ids, "fare": [float(i) for i in ids]})


def test_keys_come_last_and_typed(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1, 2])
    put_month(lake, "2024-02-01", [3])
    assert lake.rows(lake.config("taxi/*", HIVE), SCHEMA) == [
        (1, 1.0, date(2024, 1, 1)),
        (2, 2.0, date(2024, 1, 1)),
        (3, 3.0, date(2024, 2, 1)),
    ]
    assert [f["name"] for f in lake.source.resolve_schema(lake.config("taxi/*", HIVE)).fields] == [
        "id",
        "fare",
        "month",
    ]


def test_added_replaced_and_deleted_objects_are_seen(lake: Lake) -> None:
    config = lake.config("taxi/*", HIVE)
    put_month(lake, "2024-01-01", [1])
    assert lake.rows(config, SCHEMA, select="id") == [(1,)]
    put_month(lake, "2024-02-01", [2])
    assert lake.rows(config, SCHEMA, select="id") == [(1,), (2,)]
    put_month(lake, "2024-01-01", [10, 11])
    assert lake.rows(config, SCHEMA, select="id") == [(2,), (10,), (11,)]
    lake.bucket.delete("taxi/month=2024-02-01/data.parquet")
    assert lake.rows(config, SCHEMA, select="id") == [(10,), (11,)]


def test_unchanged_objects_are_fetched_once(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1])
    for _ in range(3):
        lake.rows(lake.config("taxi/*", HIVE), SCHEMA)
    assert lake.store.downloads == ["taxi/month=2024-01-01/data.parquet"]


def test_only_possible_partitions_are_listed_and_fetched(lake: Lake) -> None:
    for month in range(1, 13):
        put_month(lake, f"2024-{month:02d}-01", [month])
    config = lake.config("taxi/*", HIVE)
    assert lake.rows(config, SCHEMA, "month = DATE '2024-03-01'", select="id") == [(3,)]
    assert lake.store.downloads == ["taxi/month=2024-03-01/data.parquet"]
    assert lake.store.listings == [("taxi/", "/"), ("taxi/month=2024-03-01/", None)]


def test_a_partition_that_is_not_there_gives_no_rows(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1])
    assert lake.rows(lake.config("taxi/*", HIVE), SCHEMA, "month = DATE '1999-01-01'") == []


def test_required_partition_filter(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1])
    config = lake.config("taxi/*", {**HIVE, "requirePartitionFilter": True})
    with pytest.raises(PartitionFilterError) as refused:
        lake.rows(config, SCHEMA, "id = 1")
    assert str(refused.value) == (
        "Cannot query over table 'd.t' without a filter over column(s) 'month' that can be used "
        "for partition elimination"
    )
    assert lake.rows(config, SCHEMA, "id = 1 AND month > DATE '2000-01-01'", select="id") == [(1,)]


def test_missing_column_is_null_and_names_match_without_case(lake: Lake) -> None:
    lake.bucket.put_parquet("t/a.parquet", {"ID": [1], "extra": ["x"]})
    lake.bucket.put_parquet("t/b.parquet", {"id": [2], "fare": [0.5]})
    assert lake.rows(lake.config("t/*"), SCHEMA) == [(1, None), (2, 0.5)]


def test_type_that_cannot_be_read_is_told_only_when_the_column_is_read(lake: Lake) -> None:
    lake.bucket.put_parquet("t/a.parquet", {"id": [1], "fare": ["dear"]})
    assert lake.rows(lake.config("t/*"), SCHEMA, select="id") == [(1,)]
    with pytest.raises(Exception, match="Parquet column 'fare' has type BYTE_ARRAY which does not match") as error:
        lake.rows(lake.config("t/*"), SCHEMA)
    assert "target cpp_type DOUBLE. File: gs://lake/t/a.parquet" in str(error.value)


def test_detected_schema_is_that_of_the_last_file(lake: Lake) -> None:
    lake.bucket.put_parquet("t/a.parquet", {"old": [1]})
    lake.bucket.put_parquet("t/b.parquet", {"new": ["x"]})
    assert [f["name"] for f in lake.source.resolve_schema(lake.config("t/*")).fields] == ["new"]
    reference = lake.config("t/*", referenceFileSchemaUri="gs://lake/t/a.parquet")
    assert [f["name"] for f in lake.source.resolve_schema(reference).fields] == ["old"]


def test_file_name_pseudo_column(lake: Lake) -> None:
    lake.bucket.put_parquet("t/a.parquet", {"id": [1], "fare": [1.0]})
    lake.bucket.put_parquet("t/b.parquet", {"id": [2], "fare": [1.0]})
    config = lake.config("t/*")
    assert lake.rows(config, SCHEMA, select="id, _FILE_NAME", with_file_name=True) == [
        (1, "gs://lake/t/a.parquet"),
        (2, "gs://lake/t/b.parquet"),
    ]
    lake.store.downloads.clear()
    shutil.rmtree(lake.cache._directory)
    assert lake.rows(config, SCHEMA, "_FILE_NAME LIKE '%b.parquet'", select="id") == [(2,)]
    assert lake.store.downloads == ["t/b.parquet"]


@pytest.mark.parametrize(
    ("pattern", "kind", "message"),
    [
        ("none/*", StorageError, "matched no files"),
        ("none/a.parquet", NotFoundError, "Not found: URI gs://lake/none/a.parquet"),
    ],
)
def test_nothing_there(lake: Lake, pattern: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        lake.rows(lake.config(pattern), SCHEMA)


def test_missing_bucket(lake: Lake) -> None:
    config = {"sourceFormat": "PARQUET", "sourceUris": ["gs://no-such-bucket/t/*"]}
    with pytest.raises(NotFoundError, match="Not found: URI gs://no-such-bucket"):
        lake.rows(config, SCHEMA)


def test_a_file_that_is_not_parquet_is_named(lake: Lake) -> None:
    lake.bucket.put("t/a.parquet", b"not parquet at all")
    with pytest.raises(StorageError, match=r"not in Parquet format.*File: gs://lake/t/a.parquet"):
        lake.rows(lake.config("t/*"), SCHEMA)


def test_bytes_are_those_of_the_needed_columns_and_files(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1, 2, 3])
    put_month(lake, "2024-02-01", [4])
    config = lake.config("taxi/*", HIVE)
    with lake.source.scan("d.t", config, SCHEMA) as plan:
        assert plan.bytes(["id"]) == 4 * 8
        assert plan.bytes() == 4 * 16
        assert plan.rows == 4
    with lake.source.scan("d.t", config, SCHEMA, lake.where("month < DATE '2024-02-01'")) as plan:
        assert plan.bytes(["ID", "month"]) == 3 * 8


def test_a_deleted_cache_is_fetched_again(lake: Lake) -> None:
    put_month(lake, "2024-01-01", [1])
    config = lake.config("taxi/*", HIVE)
    lake.rows(config, SCHEMA)
    shutil.rmtree(lake.cache._directory)
    assert lake.rows(config, SCHEMA, select="id") == [(1,)]
