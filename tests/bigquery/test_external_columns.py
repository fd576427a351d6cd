"""A query gets from an external table's files every column that it uses, in whatever way it names it."""

import pytest
from google.cloud import bigquery

from .conftest import Bucket


@pytest.fixture(scope="module")
def files(bucket: Bucket) -> str:
    prefix = "external-columns"
    rows = {"id": [1, 2, 3], "kind": ["a", "b", "a"], "total": [1.5, 2.5, 4.0], "tags": [["x"], ["y", "z"], []]}
    bucket.put_parquet(f"{prefix}/month=2020-04-01/a.parquet", rows)
    return prefix


@pytest.fixture
def table(client: bigquery.Client, dataset: str, bucket: Bucket, files: str) -> str:
    source = f"gs://{bucket.name}/{files}"
    name = f"{dataset}.external_columns"
    client.query_and_wait(
        f"CREATE EXTERNAL TABLE `{name}` WITH PARTITION COLUMNS (month DATE) OPTIONS (format = 'PARQUET', "
        f"enable_list_inference = TRUE, uris = ['{source}/*'], hive_partition_uri_prefix = '{source}')"
    )
    return name


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT COUNT(*) FROM `{t}`", [(3,)]),
        ("SELECT COUNT(1) FROM `{t}` WHERE month = '2020-04-01'", [(3,)]),
        ("SELECT 7 AS x FROM `{t}` LIMIT 1", [(7,)]),
        ("SELECT ID, t.Kind FROM `{t}` AS t ORDER BY total DESC LIMIT 1", [(3, "a")]),
        ("SELECT kind, SUM(total) FROM `{t}` GROUP BY 1 HAVING MAX(id) = 2", [("b", 2.5)]),
        ("SELECT id FROM `{t}` QUALIFY ROW_NUMBER() OVER (PARTITION BY kind ORDER BY total DESC) = 1 ORDER BY 1",
         [(2,), (3,)]),
        ("SELECT a.total, b.kind FROM `{t}` AS a JOIN `{t}` AS b USING (id) ORDER BY 1 LIMIT 1", [(1.5, "a")]),
        ("SELECT a.total FROM `{t}` AS a JOIN (SELECT 2 AS id) AS b ON a.id = b.id", [(2.5,)]),
        ("SELECT tag FROM `{t}` AS t, t.tags AS tag ORDER BY 1", [("x",), ("y",), ("z",)]),
        ("SELECT id, tag FROM `{t}`, UNNEST(tags) AS tag WHERE tag = 'z'", [(2, "z")]),
        ("SELECT (SELECT COUNT(*) FROM UNNEST(t.tags)) AS n FROM `{t}` AS t ORDER BY n", [(0,), (1,), (2,)]),
        ("SELECT n FROM UNNEST([1, 9]) AS n WHERE EXISTS (SELECT 1 FROM `{t}` WHERE id = n)", [(1,)]),
        ("SELECT t.kind FROM (SELECT t FROM `{t}` AS t WHERE id = 2)", [("b",)]),
        ("SELECT JSON_VALUE(TO_JSON_STRING(t), '$.total') FROM `{t}` AS t WHERE id = 2", [("2.5",)]),
        ("SELECT * EXCEPT (tags, month) FROM `{t}` WHERE id = 1", [(1, "a", 1.5)]),
        ("SELECT x FROM (SELECT * FROM `{t}`) AS s, UNNEST([s.kind]) AS x WHERE s.id = 2", [("b",)]),
        ("SELECT a, b FROM (SELECT kind, total FROM `{t}`) PIVOT (SUM(total) FOR kind IN ('a', 'b'))", [(5.5, 2.5)]),
        ("SELECT id, a FROM `{t}` PIVOT (SUM(total) FOR kind IN ('a', 'b')) WHERE id = 3", [(3, 4.0)]),
        ("WITH t AS (SELECT id, month FROM `{t}`) SELECT MAX(EXTRACT(YEAR FROM month)) FROM t", [(2020,)]),
        ("SELECT id FROM `{t}` UNION DISTINCT SELECT CAST(total AS INT64) FROM `{t}` ORDER BY 1",
         [(1,), (2,), (3,), (4,)]),
        ("SELECT REGEXP_EXTRACT(_FILE_NAME, r'[^/]+$') FROM `{t}` WHERE id = 1", [("a.parquet",)]),
    ],
)  # fmt: skip
def test_a_query_gets_the_columns_that_it_uses(
    client: bigquery.Client, table: str, query: str, rows: list[tuple[object, ...]]
) -> None:
    assert [row.values() for row in client.query_and_wait(query.format(t=table))] == rows


def test_a_view_and_a_merge_get_the_columns_that_they_use(client: bigquery.Client, dataset: str, table: str) -> None:
    client.query_and_wait(f"CREATE VIEW `{dataset}.external_view` AS SELECT kind AS k, total FROM `{table}`")
    assert [row.values() for row in client.query_and_wait(f"SELECT MAX(k) FROM `{dataset}.external_view`")] == [("b",)]
    client.query_and_wait(f"CREATE TABLE `{dataset}.native` AS SELECT 1 AS id, 0.0 AS total")
    client.query_and_wait(
        f"MERGE `{dataset}.native` AS n USING `{table}` AS e ON n.id = e.id "
        "WHEN MATCHED THEN UPDATE SET total = e.total "
        "WHEN NOT MATCHED AND e.kind = 'b' THEN INSERT (id, total) VALUES (e.id, e.total)"
    )
    rows = client.query_and_wait(f"SELECT id, total FROM `{dataset}.native` ORDER BY id")
    assert [row.values() for row in rows] == [(1, 1.5), (2, 2.5)]
