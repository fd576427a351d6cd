"""External tables through the emulator's REST API, by Google's own client."""

from __future__ import annotations

import datetime
from collections.abc import Iterator

import pytest
from google.api_core.exceptions import BadRequest, Conflict, GoogleAPICallError
from google.cloud import bigquery

from tests.bigquery.conftest import Bucket, start_emulator

SCHEMA = [bigquery.SchemaField("id", "INTEGER"), bigquery.SchemaField("fare", "FLOAT")]


@pytest.fixture(scope="module")
def client(any_gcs: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[bigquery.Client]:
    log = tmp_path_factory.mktemp("bigquery") / "log.txt"
    emulator = start_emulator("--ephemeral", "--storage-endpoint", any_gcs, log=log)
    client = emulator.client()
    client.create_dataset("lake")
    yield client
    client.close()
    emulator.stop()


@pytest.fixture
def taxi(client: bigquery.Client, bucket: Bucket) -> Iterator[str]:
    put_month(bucket, 1, [1, 2])
    put_month(bucket, 2, [3])
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris = [f"gs://{bucket.name}/taxi/*"]
    config.schema = SCHEMA
    hive = bigquery.HivePartitioningOptions()
    hive.mode = "CUSTOM"
    hive.source_uri_prefix = f"gs://{bucket.name}/taxi/{{month:DATE}}"
    config.hive_partitioning = hive
    table = bigquery.Table(f"{client.project}.lake.taxi")
    table.external_data_configuration = config
    client.create_table(table)
    yield "lake.taxi"
    client.delete_table(table)


def put_month(bucket: Bucket, month: int, ids: list[int], name: str = "data.parquet") -> None:
    path = f"taxi/month=2024-{month:02d}-01/{name}"
    bucket.put_parquet(path, {"id": ids, "fare": [float(i) for i in ids]})


def rows(client: bigquery.Client, sql: str) -> list[tuple]:
    return [tuple(row) for row in client.query(sql).result()]


def test_the_table_tells_its_keys(client: bigquery.Client, taxi: str) -> None:
    table = client.get_table(taxi)
    assert table.table_type == "EXTERNAL"
    assert [(field.name, field.field_type) for field in table.schema] == [
        ("id", "INTEGER"),
        ("fare", "FLOAT"),
        ("month", "DATE"),
    ]


def test_a_query_sees_what_the_bucket_holds_now(client: bigquery.Client, taxi: str, bucket: Bucket) -> None:
    sql = f"SELECT month, SUM(id) AS ids FROM {taxi} GROUP BY month ORDER BY month"
    january, february, march = (datetime.date(2024, month, 1) for month in (1, 2, 3))
    assert rows(client, sql) == [(january, 3), (february, 3)]
    put_month(bucket, 3, [7])
    assert rows(client, sql) == [(january, 3), (february, 3), (march, 7)]
    put_month(bucket, 1, [100])
    bucket.delete("taxi/month=2024-02-01/data.parquet")
    assert rows(client, sql) == [(january, 100), (march, 7)]


def test_a_dry_run_counts_the_needed_columns_and_partitions(client: bigquery.Client, taxi: str) -> None:
    def size(sql: str) -> int:
        return client.query(sql, bigquery.QueryJobConfig(dry_run=True)).total_bytes_processed

    assert size(f"SELECT id FROM {taxi}") == 3 * 8
    assert size(f"SELECT * FROM {taxi} WHERE month = '2024-01-01'") == 2 * 16
    assert size(f"SELECT COUNT(*) FROM {taxi} WHERE month > DATE '2024-06-01'") == 0


def test_a_filter_on_a_view_eliminates_partitions(client: bigquery.Client, taxi: str, bucket: Bucket) -> None:
    view = bigquery.Table(f"{client.project}.lake.clean")
    view.view_query = f"WITH s AS (SELECT * FROM {taxi}) SELECT id AS trip, month AS started FROM s WHERE fare >= 0"
    client.create_table(view, exists_ok=True)
    # A file that cannot be read shows whether its partition was left alone.
    bucket.put("taxi/month=2024-03-01/data.parquet", b"broken")
    assert rows(client, "SELECT trip FROM lake.clean WHERE started = '2024-02-01'") == [(3,)]
    assert rows(client, "SELECT c.trip FROM lake.clean AS c JOIN (SELECT 3 AS id) AS i ON c.trip = i.id "
                        "WHERE c.started < DATE '2024-03-01'") == [(3,)]  # fmt: skip


@pytest.mark.feature("External tables", "requirePartitionFilter, with BigQuery's error")
def test_required_partition_filter(client: bigquery.Client, taxi: str) -> None:
    table = client.get_table(taxi)
    config = table.external_data_configuration
    hive = config.hive_partitioning
    hive.require_partition_filter = True
    config.hive_partitioning = hive
    table.external_data_configuration = config
    client.update_table(table, ["external_data_configuration"])
    with pytest.raises(BadRequest, match=r"without a filter over column.s. 'month' that can be used"):
        client.query(f"SELECT id FROM {taxi}").result()
    assert rows(client, f"SELECT id FROM {taxi} WHERE month = DATE '2024-02-01'") == [(3,)]


def test_file_names(client: bigquery.Client, taxi: str) -> None:
    found = rows(client, f"SELECT DISTINCT _FILE_NAME AS name FROM {taxi} WHERE month = '2024-02-01'")
    assert found == [("gs://lake/taxi/month=2024-02-01/data.parquet",)]


@pytest.mark.feature("External tables", "a query's tableDefinitions")
def test_a_definition_that_comes_with_the_query(client: bigquery.Client, bucket: Bucket) -> None:
    bucket.put_parquet("loose/a.parquet", {"x": [1, 2]})
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris = ["gs://lake/loose/*"]
    config.autodetect = True
    job = client.query("SELECT SUM(x) FROM loose", bigquery.QueryJobConfig(table_definitions={"loose": config}))
    assert [tuple(row) for row in job.result()] == [(3,)]


def test_nothing_in_the_bucket_is_an_error_that_names_the_pattern(client: bigquery.Client, bucket: Bucket) -> None:
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris = ["gs://lake/nothing/*"]
    config.schema = SCHEMA
    job_config = bigquery.QueryJobConfig(table_definitions={"nothing": config})
    with pytest.raises(BadRequest, match=r"gs://lake/nothing/\*: matched no files"):
        client.query("SELECT id FROM nothing", job_config).result()


def test_a_mismatched_type_is_worded_as_bigquery_does(client: bigquery.Client, taxi: str, bucket: Bucket) -> None:
    bucket.put_parquet("taxi/month=2024-01-01/data.parquet", {"id": [1], "fare": ["dear"]})
    with pytest.raises(BadRequest, match="Parquet column 'fare' has type BYTE_ARRAY which does not match the target"):
        client.query(f"SELECT fare FROM {taxi}").result()


def ddl(client: bigquery.Client, statement: str) -> str:
    job = client.query(statement)
    job.result()
    return f"{job.statement_type} {job.ddl_operation_performed}"


@pytest.mark.feature(
    "External tables", "CREATE [OR REPLACE] EXTERNAL TABLE [IF NOT EXISTS], WITH PARTITION COLUMNS, DROP EXTERNAL TABLE"
)
def test_ddl(client: bigquery.Client, bucket: Bucket) -> None:
    put_month(bucket, 1, [1])
    options = "OPTIONS (format = 'PARQUET', uris = ['gs://lake/taxi/*'], hive_partition_uri_prefix = 'gs://lake/taxi')"
    create = f"CREATE EXTERNAL TABLE lake.made (id INT64) WITH PARTITION COLUMNS (month DATE) {options}"
    assert ddl(client, create) == "CREATE_EXTERNAL_TABLE CREATE"
    assert rows(client, "SELECT * FROM lake.made") == [(1, datetime.date(2024, 1, 1))]
    with pytest.raises(Conflict, match="Already Exists: Table"):
        ddl(client, create)
    assert ddl(client, create.replace("TABLE", "TABLE IF NOT EXISTS", 1)).endswith("SKIP")
    detected = f"CREATE OR REPLACE EXTERNAL TABLE lake.made WITH PARTITION COLUMNS {options}"
    assert ddl(client, detected) == "CREATE_EXTERNAL_TABLE REPLACE"
    assert rows(client, "SELECT * FROM lake.made") == [(1, 1.0, datetime.date(2024, 1, 1))]
    assert ddl(client, "DROP EXTERNAL TABLE lake.made") == "DROP_EXTERNAL_TABLE DROP"
    assert ddl(client, "DROP EXTERNAL TABLE IF EXISTS lake.made").endswith("SKIP")


def test_ddl_of_csv(client: bigquery.Client, bucket: Bucket) -> None:
    bucket.put("people/a.csv", b"id;name\n1;NA\n2;b;more\n")
    ddl(
        client,
        "CREATE OR REPLACE EXTERNAL TABLE lake.people (id INT64, name STRING) OPTIONS (format = 'CSV', "
        "uris = ['gs://lake/people/*.csv'], field_delimiter = ';', skip_leading_rows = 1, null_marker = 'NA', "
        "ignore_unknown_values = true, description = 'People')",
    )
    assert rows(client, "SELECT * FROM lake.people ORDER BY id") == [(1, None), (2, "b")]
    assert client.get_table("lake.people").description == "People"


@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("OPTIONS (uris = ['gs://lake/t/*'])", "needs the options format and uris"),
        ("OPTIONS (format = 'CSV', uris = ['gs://lake/*/*'])", "only one '\\*' wildcard"),
        ("OPTIONS (format = 'XML', uris = ['gs://lake/t/*'])", "Unsupported sourceFormat: XML"),
        ("WITH PARTITION COLUMNS OPTIONS (format = 'CSV', uris = ['gs://lake/t/*'])", "hive_partition_uri_prefix"),
        ("OPTIONS (format = 'CSV', uris = ['gs://lake/t/*'], no_such = 1)", "the option no_such"),
    ],
)
def test_ddl_that_is_wrong(client: bigquery.Client, clause: str, message: str) -> None:
    with pytest.raises(GoogleAPICallError, match=message):
        ddl(client, f"CREATE EXTERNAL TABLE lake.wrong (id INT64) {clause}")
