"""Load jobs by upload, and copy jobs, as the official client sends them."""

import io
import json
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery


def parquet(columns: dict[str, Any]) -> io.BytesIO:
    file = io.BytesIO()
    pq.write_table(pa.table(columns), file)
    file.seek(0)
    return file


def load(client: bigquery.Client, table: str, columns: dict[str, Any], **config: Any) -> bigquery.LoadJob:
    job_config = bigquery.LoadJobConfig(source_format="PARQUET", **config)
    job = client.load_table_from_file(parquet(columns), table, job_config=job_config)
    job.result()
    return job


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def test_a_file_makes_a_table(client: bigquery.Client, dataset: str) -> None:
    job = load(client, f"{dataset}.t", {"a": [1, 2], "b": ["x", None]})
    assert (job.output_rows, job.input_files) == (2, 1)
    assert values(client, f"SELECT * FROM `{dataset}.t` ORDER BY a") == [(1, "x"), (2, None)]


@pytest.mark.feature("Loads and exports", "write and create dispositions")
def test_dispositions(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    with pytest.raises(NotFound):
        load(client, table, {"a": [1]}, create_disposition="CREATE_NEVER")
    load(client, table, {"a": [1]})
    load(client, table, {"a": [2]}, write_disposition="WRITE_APPEND")
    assert values(client, f"SELECT a FROM `{table}` ORDER BY a") == [(1,), (2,)]
    with pytest.raises(Conflict, match="Already Exists"):
        load(client, table, {"a": [3]}, write_disposition="WRITE_EMPTY")
    load(client, table, {"b": ["new"]}, write_disposition="WRITE_TRUNCATE")
    assert values(client, f"SELECT * FROM `{table}`") == [("new",)]


@pytest.mark.feature("Loads and exports", "schemaUpdateOptions")
def test_new_columns_need_leave(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    load(client, table, {"a": [1]})
    with pytest.raises(BadRequest, match="Provided Schema does not match Table"):
        load(client, table, {"a": [2], "b": [2]})
    load(client, table, {"a": [2], "b": [2]}, schema_update_options=["ALLOW_FIELD_ADDITION"])
    assert values(client, f"SELECT * FROM `{table}` ORDER BY a") == [(1, None), (2, 2)]
    assert [field.name for field in client.get_table(table).schema] == ["a", "b"]


@pytest.mark.feature("Loads and exports", "multipart and resumable upload")
def test_a_large_file_goes_up_in_pieces(client: bigquery.Client, dataset: str) -> None:
    rows = 60_000
    columns = {"a": list(range(rows)), "s": [f"{n * 7919:040d}" for n in range(rows)]}
    file = parquet(columns)
    job = client.load_table_from_file(
        file, f"{dataset}.t", size=None, job_config=bigquery.LoadJobConfig(source_format="PARQUET")
    )
    job.result()
    assert values(client, f"SELECT COUNT(*), MAX(a) FROM `{dataset}.t`") == [(rows, rows - 1)]


def test_csv_as_dbt_seeds_it(client: bigquery.Client, dataset: str) -> None:
    file = io.BytesIO(b'id,name,at\n1,"a, b",2024-01-01\n2,"two\nlines",\n')
    config = bigquery.LoadJobConfig(
        schema=[
            bigquery.SchemaField("id", "INT64"),
            bigquery.SchemaField("name", "STRING"),
            bigquery.SchemaField("at", "DATE"),
        ],
        skip_leading_rows=1,
        allow_quoted_newlines=True,
    )
    client.load_table_from_file(file, f"{dataset}.seed", rewind=True, job_config=config).result()
    rows = values(client, f"SELECT id, name, CAST(`at` AS STRING) FROM `{dataset}.seed` ORDER BY id")
    assert rows == [(1, "a, b", "2024-01-01"), (2, "two\nlines", None)]


def test_json_rows(client: bigquery.Client, dataset: str) -> None:
    rows = [{"id": 1, "tags": ["x"]}, {"id": 2, "tags": []}]
    schema = [bigquery.SchemaField("id", "INT64"), bigquery.SchemaField("tags", "STRING", mode="REPEATED")]
    client.load_table_from_json(rows, f"{dataset}.t", job_config=bigquery.LoadJobConfig(schema=schema)).result()
    assert json.loads(json.dumps(values(client, f"SELECT * FROM `{dataset}.t` ORDER BY id"))) == [[1, ["x"]], [2, []]]


@pytest.mark.feature("Loads and exports", "copy jobs")
def test_a_copy_has_rows_and_definition(client: bigquery.Client, dataset: str) -> None:
    client.query(
        f"CREATE TABLE `{dataset}.a` PARTITION BY d OPTIONS (description='days') AS "
        "SELECT DATE '2024-01-01' AS d, 1 AS x UNION ALL SELECT DATE '2024-01-02', 2"
    ).result()
    client.copy_table(f"{dataset}.a", f"{dataset}.b").result()
    copied = client.get_table(f"{dataset}.b")
    assert (copied.num_rows, copied.description, copied.time_partitioning.field) == (2, "days", "d")


@pytest.mark.feature("Loads and exports", "partition decorators")
def test_one_partition_copied_over_replaces_only_itself(client: bigquery.Client, dataset: str) -> None:
    partitioned = f"CREATE TABLE `{dataset}.{{}}` PARTITION BY d AS SELECT DATE '2024-01-0{{}}' AS d, {{}} AS x"
    client.query(partitioned.format("a", 1, 10)).result()
    client.query(partitioned.format("b", 1, 1) + " UNION ALL SELECT DATE '2024-01-02', 2").result()
    config = bigquery.CopyJobConfig(write_disposition="WRITE_TRUNCATE")
    client.copy_table(f"{dataset}.a$20240101", f"{dataset}.b$20240101", job_config=config).result()
    assert values(client, f"SELECT x FROM `{dataset}.b` ORDER BY x") == [(2,), (10,)]


@pytest.mark.parametrize("partition", ["2024", "20241301", "x", "2024010112"])
def test_a_partition_that_cannot_be_is_refused(client: bigquery.Client, dataset: str, partition: str) -> None:
    client.query(f"CREATE TABLE `{dataset}.a` PARTITION BY d AS SELECT DATE '2024-01-01' AS d").result()
    with pytest.raises(BadRequest, match="Invalid partition ID"):
        client.copy_table(f"{dataset}.a${partition}", f"{dataset}.b").result()


def test_a_table_is_replaced_by_a_query_of_itself(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    client.query(f"CREATE OR REPLACE TABLE `{table}` AS SELECT x + 1 AS x FROM `{table}`").result()
    config = bigquery.QueryJobConfig(destination=table, write_disposition="WRITE_TRUNCATE")
    client.query(f"SELECT x * 10 AS x FROM `{table}`", job_config=config).result()
    assert [row.x for row in client.list_rows(table)] == [20]


def test_a_partition_is_replaced_by_a_query_of_itself(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` (d DATE, x INT64) PARTITION BY d").result()
    client.query(f"INSERT `{table}` VALUES ('2024-01-01', 1), ('2024-01-02', 2)").result()
    config = bigquery.QueryJobConfig(destination=f"{table}$20240101", write_disposition="WRITE_TRUNCATE")
    client.query(f"SELECT d, x * 10 AS x FROM `{table}` WHERE d = '2024-01-01'", job_config=config).result()
    assert sorted(row.x for row in client.list_rows(table)) == [2, 10]
