"""The same query again: BigQuery gives what it gave, marked `cacheHit`, unless something that was read has changed."""

import pytest
from google.api_core.exceptions import NotFound
from google.cloud import bigquery

from tests.bigquery.conftest import Bucket

MANY = 50_000


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    """A table of one row, which a view shows as well."""
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a, 'x' AS b")
    client.query_and_wait(f"CREATE VIEW {dataset}.v AS SELECT a, b FROM {dataset}.t")
    return f"{dataset}.t"


def run(client: bigquery.Client, sql: str, **settings: object) -> bigquery.QueryJob:
    config = bigquery.QueryJobConfig()
    for name, value in settings.items():
        setattr(config, name, value)
    job = client.query(sql, job_config=config)
    job.result()
    return job


def rows(job: bigquery.QueryJob) -> list[tuple[object, ...]]:
    return [row.values() for row in job.result()]


@pytest.mark.feature("SQL", "cached results: the same query over unchanged tables and objects, `useQueryCache`")
def test_the_same_query_is_free(client: bigquery.Client, table: str) -> None:
    first, second = (run(client, f"SELECT a, b FROM {table}") for _ in range(2))
    assert (first.cache_hit, second.cache_hit) == (False, True)
    assert first.total_bytes_processed > 0
    assert (second.total_bytes_processed, second.total_bytes_billed) == (0, 0)
    assert rows(first) == rows(second) == [(1, "x")]
    assert second.referenced_tables == first.referenced_tables
    assert second.schema == first.schema


def test_a_limit_of_what_is_billed_does_not_matter_for_it(client: bigquery.Client, table: str) -> None:
    run(client, f"SELECT a FROM {table}")
    assert run(client, f"SELECT a FROM {table}", maximum_bytes_billed=1).cache_hit


def test_whoever_wants_none_gets_none(client: bigquery.Client, table: str) -> None:
    run(client, f"SELECT a FROM {table}")
    assert not run(client, f"SELECT a FROM {table}", use_query_cache=False).cache_hit


def test_the_text_counts_to_the_letter(client: bigquery.Client, table: str) -> None:
    run(client, f"SELECT a FROM {table}")
    assert not run(client, f"SELECT  a FROM {table}").cache_hit


def test_parameters_and_the_default_dataset_count(client: bigquery.Client, dataset: str, table: str) -> None:
    other = f"{dataset}_other"
    client.create_dataset(other)
    client.query_and_wait(f"CREATE TABLE {other}.t AS SELECT 2 AS a")
    given = [bigquery.ScalarQueryParameter("x", "INT64", 1)]
    else_given = [bigquery.ScalarQueryParameter("x", "INT64", 2)]
    sql = "SELECT a + @x FROM t"
    assert rows(run(client, sql, default_dataset=dataset, query_parameters=given)) == [(2,)]
    assert rows(run(client, sql, default_dataset=other, query_parameters=given)) == [(3,)]
    assert rows(run(client, sql, default_dataset=dataset, query_parameters=else_given)) == [(3,)]
    assert run(client, sql, default_dataset=dataset, query_parameters=given).cache_hit


@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO {t} VALUES (2, 'y')",
        "UPDATE {t} SET a = 1 WHERE TRUE",
        "DELETE FROM {t} WHERE FALSE",
        "TRUNCATE TABLE {t}",
        "ALTER TABLE {t} ADD COLUMN c INT64",
        "CREATE OR REPLACE TABLE {t} AS SELECT 1 AS a, 'x' AS b",
        "CREATE OR REPLACE VIEW {v} AS SELECT 7 AS a, 'z' AS b FROM {t}",
    ],
)
def test_what_has_changed_is_read_anew(client: bigquery.Client, table: str, change: str) -> None:
    view = f"{table[:-2]}.v"
    sql = f"SELECT a, b FROM {view} ORDER BY a"
    run(client, sql)
    assert run(client, sql).cache_hit
    client.query_and_wait(change.format(t=table, v=view))
    after = run(client, sql)
    assert not after.cache_hit
    assert rows(after) == rows(run(client, sql, use_query_cache=False))


def test_streamed_rows_are_seen(client: bigquery.Client, table: str) -> None:
    run(client, f"SELECT COUNT(*) FROM {table}")
    client.insert_rows_json(table, [{"a": 2, "b": "y"}])
    assert rows(run(client, f"SELECT COUNT(*) FROM {table}")) == [(2,)]


def test_a_table_that_is_gone_is_not_found(client: bigquery.Client, table: str) -> None:
    run(client, f"SELECT a FROM {table}")
    client.delete_table(table)
    with pytest.raises(NotFound):
        run(client, f"SELECT a FROM {table}")


def test_a_change_elsewhere_does_not_matter(client: bigquery.Client, dataset: str, table: str) -> None:
    run(client, f"SELECT a FROM {table}")
    client.query_and_wait(f"CREATE TABLE {dataset}.elsewhere AS SELECT 1 AS x")
    assert run(client, f"SELECT a FROM {table}").cache_hit


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT a, CURRENT_TIMESTAMP() FROM {t}",
        "SELECT a, CURRENT_DATE FROM {t}",
        "SELECT a FROM {t} WHERE RAND() < 2",
        "SELECT a, GENERATE_UUID() FROM {t}",
        "SELECT a, SESSION_USER() FROM {t}",
        "SELECT a FROM {d}.`t*`",
        "SELECT table_name FROM {d}.INFORMATION_SCHEMA.TABLES",
        "SELECT {d}.plus_one(a) FROM {t}",
        "SELECT a FROM {d}.moment",
        "SELECT a FROM {t} TABLESAMPLE SYSTEM (100 PERCENT)",
        "SELECT a FROM {t} FOR SYSTEM_TIME AS OF TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 0 DAY)",
        "BEGIN SELECT a FROM {t}; END",
        "SELECT 1",
    ],
)
def test_what_may_be_another_the_next_time_is_never_cached(client: bigquery.Client, table: str, sql: str) -> None:
    dataset = table[:-2]
    client.query_and_wait(f"CREATE FUNCTION {dataset}.plus_one(x INT64) AS (x + 1)")
    client.query_and_wait(f"CREATE VIEW {dataset}.moment AS SELECT a, CURRENT_TIMESTAMP() AS t FROM {table}")
    assert [run(client, sql.format(t=table, d=dataset)).cache_hit for _ in range(2)] == [False, False]


def test_a_query_with_a_destination_is_run(client: bigquery.Client, dataset: str, table: str) -> None:
    settings = {"destination": f"{dataset}.copy", "write_disposition": "WRITE_TRUNCATE"}
    run(client, f"SELECT a FROM {table}")
    assert not run(client, f"SELECT a FROM {table}", **settings).cache_hit
    assert rows(run(client, f"SELECT a FROM {dataset}.copy")) == [(1,)]


def test_many_rows_outlive_the_job_that_found_them(client: bigquery.Client, dataset: str) -> None:
    numbers = f"{dataset}.numbers"
    client.query_and_wait(f"CREATE TABLE {numbers} AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, {MANY})) AS x")
    first = run(client, f"SELECT x FROM {numbers}")
    second = run(client, f"SELECT x FROM {numbers}")
    assert second.cache_hit
    client.delete_job_metadata(first)
    assert sum(row.x for row in second.result(page_size=20_000)) == MANY * (MANY + 1) // 2
    third = run(client, f"SELECT x FROM {numbers}")
    assert third.cache_hit
    client.delete_job_metadata(second)
    client.delete_job_metadata(third)
    assert len(rows(run(client, f"SELECT x FROM {numbers}"))) == MANY


def test_objects_that_change_are_read_anew(client: bigquery.Client, dataset: str, trips: str, bucket: Bucket) -> None:
    sql = f"SELECT COUNT(*), SUM(id) FROM {dataset}.trips"
    june = f"{trips}/month=2020-06-01/a.parquet"
    assert rows(run(client, sql)) == [(3, 6)]
    assert run(client, sql).cache_hit
    for change, expected in [
        (lambda: bucket.put_parquet(june, {"id": [10], "total": [0.0]}), (4, 16)),
        (lambda: bucket.put_parquet(june, {"id": [20], "total": [0.0]}), (4, 26)),
        (lambda: bucket.delete(june), (3, 6)),
    ]:
        change()
        job = run(client, sql)
        assert (job.cache_hit, rows(job)) == (False, [expected])
        assert run(client, sql).cache_hit


def test_objects_that_the_filter_leaves_out_do_not_matter(
    client: bigquery.Client, dataset: str, trips: str, bucket: Bucket
) -> None:
    sql = f"SELECT COUNT(*) FROM {dataset}.trips WHERE month = '2020-04-01'"
    run(client, sql)
    bucket.put_parquet(f"{trips}/month=2020-07-01/a.parquet", {"id": [1], "total": [0.0]})
    assert run(client, sql).cache_hit
    bucket.put_parquet(f"{trips}/month=2020-04-01/b.parquet", {"id": [1], "total": [0.0]})
    assert rows(run(client, sql)) == [(3,)]


def test_objects_that_are_gone_are_told(client: bigquery.Client, dataset: str, trips: str, bucket: Bucket) -> None:
    sql = f"SELECT id FROM {dataset}.trips"
    run(client, sql)
    for month in ("04", "05"):
        bucket.delete(f"{trips}/month=2020-{month}-01/a.parquet")
    with pytest.raises(Exception, match="matched no files"):
        run(client, sql)
