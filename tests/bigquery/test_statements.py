"""Statements beside queries: what they do, and what they are told as."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented, NotFound
from google.cloud import bigquery


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query(f"CREATE TABLE `{dataset}.t` (x INT64, y STRING, z FLOAT64)").result()
    return f"`{dataset}.t`"


@pytest.mark.feature("SQL", "ALTER TABLE, VIEW and MATERIALIZED VIEW, several actions at once, options of columns")
@pytest.mark.parametrize(
    ("actions", "columns"),
    [
        ("RENAME COLUMN x TO a, RENAME COLUMN y TO b", ["a", "b", "z"]),
        ("DROP COLUMN x, DROP COLUMN IF EXISTS w", ["y", "z"]),
        ("ADD COLUMN s STRUCT<a INT64, b STRING>, ADD COLUMN IF NOT EXISTS x INT64", ["x", "y", "z", "s"]),
        ("ALTER COLUMN x SET OPTIONS (description = 'a, b'), DROP COLUMN y", ["x", "z"]),
        ("ALTER COLUMN IF EXISTS w SET OPTIONS (description = 'none')", ["x", "y", "z"]),
        ("SET DEFAULT COLLATE ''", ["x", "y", "z"]),
    ],
)
def test_alter_table(client: bigquery.Client, table: str, actions: str, columns: list[str]) -> None:
    job = client.query(f"ALTER TABLE {table} {actions}")
    job.result()
    assert (job.statement_type, job.ddl_operation_performed) == ("ALTER_TABLE", "ALTER")
    assert [field.name for field in client.get_table(table.strip("`")).schema] == columns


def test_a_column_is_described(client: bigquery.Client, table: str, dataset: str) -> None:
    client.query(f"ALTER TABLE {table} ALTER COLUMN x SET OPTIONS (description = 'what it is')").result()
    assert client.get_table(f"{dataset}.t").schema[0].description == "what it is"
    client.query(f"ALTER TABLE {table} ALTER COLUMN x SET OPTIONS (description = NULL)").result()
    assert client.get_table(f"{dataset}.t").schema[0].description is None


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("ALTER TABLE {t} ALTER COLUMN w SET OPTIONS (description = 'none')", "Column not found: w"),
        ("ALTER TABLE {t} ALTER COLUMN x SET OPTIONS (nonsense = 1)", "Unknown option: nonsense"),
        ("DELETE {t}", "DELETE must have a WHERE clause"),
        ("ASSERT (SELECT COUNT(*) FROM {t}) = 1 AS 'one row'", "one row"),
        ("ASSERT FALSE", "Assertion failed"),
        ("RAISE", "Cannot re-raise an existing exception"),
    ],
)
def test_statements_that_fail(client: bigquery.Client, table: str, statement: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query(statement.format(t=table)).result()


def test_delete_without_from(client: bigquery.Client, table: str) -> None:
    client.query(f"INSERT {table} (x) VALUES (1), (2)").result()
    job = client.query(f"DELETE {table} WHERE x = 1")
    job.result()
    assert (job.statement_type, job.num_dml_affected_rows) == ("DELETE", 1)


def test_materialized_views(client: bigquery.Client, dataset: str, table: str) -> None:
    view = f"{dataset}.mv"
    for statement, kind in (
        (f"CREATE MATERIALIZED VIEW `{view}` AS SELECT COUNT(*) AS n FROM {table}", "CREATE_MATERIALIZED_VIEW"),
        (f"ALTER MATERIALIZED VIEW `{view}` SET OPTIONS (enable_refresh = FALSE)", "ALTER_MATERIALIZED_VIEW"),
    ):
        job = client.query(statement)
        job.result()
        assert job.statement_type == kind
    client.query(f"CALL BQ.REFRESH_MATERIALIZED_VIEW('{view}')").result()
    assert values(client, f"SELECT n FROM `{view}`") == [(0,)]
    with pytest.raises(BadRequest, match="is not a materialized view"):
        client.query(f"CALL BQ.REFRESH_MATERIALIZED_VIEW('{dataset}.t')").result()
    with pytest.raises(NotFound):
        client.query(f"CALL BQ.REFRESH_MATERIALIZED_VIEW('{dataset}.nothing')").result()


def test_functions_with_options_and_table_functions_dropped(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE FUNCTION `{dataset}.f`(x INT64) AS (x + 1) OPTIONS (description = 'one more')").result()
    assert values(client, f"SELECT `{dataset}.f`(1)") == [(2,)]
    assert client.get_routine(f"{dataset}.f").description == "one more"
    client.query(f"CREATE TABLE FUNCTION `{dataset}.g`(n INT64) AS SELECT n AS x").result()
    job = client.query(f"DROP TABLE FUNCTION `{dataset}.g`")
    job.result()
    assert (job.statement_type, job.ddl_operation_performed) == ("DROP_TABLE_FUNCTION", "DROP")


@pytest.mark.feature("SQL", "aggregate functions of one's own in SQL, with NOT AGGREGATE arguments")
def test_aggregate_functions_are_kept_and_dropped(client: bigquery.Client, dataset: str) -> None:
    arguments = "x FLOAT64, y INT64 NOT AGGREGATE"
    job = client.query(f"CREATE AGGREGATE FUNCTION `{dataset}.f`({arguments}) AS (SUM(x) * y)")
    job.result()
    assert (job.statement_type, job.ddl_operation_performed) == ("CREATE_FUNCTION", "CREATE")
    client.query(f"CREATE VIEW `{dataset}.v` AS SELECT `{dataset}.f`(x, 2) AS s FROM UNNEST([1, 2]) AS x").result()
    assert values(client, f"SELECT s FROM `{dataset}.v` WHERE s > 1") == [(6.0,)]
    routine = client.get_routine(f"{dataset}.f")
    flags = [argument.to_api_repr().get("isAggregate", True) for argument in routine.arguments]
    assert (routine.type_, flags) == ("AGGREGATE_FUNCTION", [True, False])
    client.query(f"DROP FUNCTION `{dataset}.f`").result()
    with pytest.raises(BadRequest, match="Function not found"):
        client.query(f"SELECT `{dataset}.f`(1, 2)").result()


@pytest.mark.feature("SQL", "system variables: @@row_count, @@dataset_id, @@project_id, @@script.bytes_processed ...")
def test_system_variables(client: bigquery.Client, dataset: str, table: str) -> None:
    assert values(client, "SELECT @@time_zone, @@project_id") == [("UTC", client.project)]
    assert values(client, f"INSERT {table} (x) VALUES (1), (2); SELECT @@row_count") == [(2,)]
    job = client.query("SELECT 1; SELECT @@script.job_id, @@script.num_child_jobs")
    assert [row.values() for row in job.result()] == [(job.job_id, 1)]
    name = dataset.split(".")[1]
    assert values(client, f"SET @@dataset_id = '{name}'; SELECT COUNT(*), @@dataset_id FROM t") == [(2, name)]
    with pytest.raises(MethodNotImplemented, match="time_zone"):
        client.query("SET @@time_zone = 'America/New_York'; SELECT 1").result()


def test_variables_take_structs_by_place(client: bigquery.Client) -> None:
    assert values(client, "DECLARE s STRUCT<a INT64, b STRING>; SET s = (1, 'x'); SELECT s.b, s.a") == [("x", 1)]
    script = "DECLARE s ARRAY<STRUCT<a INT64, b STRING>> DEFAULT [(1, 'x')]; SELECT s[0].b"
    assert values(client, script) == [("x",)]


def test_snapshots_and_clones_in_information_schema(client: bigquery.Client, dataset: str, table: str) -> None:
    job = client.query(f"CREATE SNAPSHOT TABLE `{dataset}.s` CLONE {table}")
    job.result()
    assert job.statement_type == "CREATE_SNAPSHOT_TABLE"
    client.query(f"CREATE TABLE `{dataset}.c` CLONE {table}").result()
    found = f"SELECT table_name, base_table_name FROM `{dataset}`.INFORMATION_SCHEMA.TABLE_SNAPSHOTS"
    assert values(client, found) == [("s", "t")]
    kinds = f"SELECT table_name, table_type FROM `{dataset}`.INFORMATION_SCHEMA.TABLES ORDER BY 1"
    assert values(client, kinds) == [("c", "CLONE"), ("s", "SNAPSHOT"), ("t", "BASE TABLE")]


@pytest.mark.feature("SQL", "wildcard tables, with `_TABLE_SUFFIX` and `_PARTITIONTIME`")
def test_ingestion_times_of_wildcard_tables(client: bigquery.Client, dataset: str) -> None:
    for day in ("20240101", "20240102"):
        client.query(f"CREATE TABLE `{dataset}.e_{day}` (x INT64) PARTITION BY _PARTITIONDATE").result()
        moment = f"PARSE_TIMESTAMP('%Y%m%d', '{day}')"
        client.query(f"INSERT `{dataset}.e_{day}` (_PARTITIONTIME, x) VALUES ({moment}, 1)").result()
    condition = "_PARTITIONTIME = '2024-01-02' AND _PARTITIONDATE IS NOT NULL"
    sql = f"SELECT _TABLE_SUFFIX, * FROM `{dataset}.e_*` WHERE {condition}"
    assert values(client, sql) == [("20240102", 1)]
    partitions = f"SELECT partition_id FROM `{dataset}`.INFORMATION_SCHEMA.PARTITIONS ORDER BY 1"
    assert values(client, partitions) == [("20240101",), ("20240102",)]


@pytest.mark.parametrize(
    ("view", "columns", "row"),
    [
        ("TABLES WHERE table_name = 'c'", "base_table_schema IS NOT NULL, base_table_name", (True, "t")),
        ("COLUMNS WHERE column_name = 'x' AND table_name = 't'", "is_stored, collation_name", (None, "NULL")),
        ("COLUMN_FIELD_PATHS WHERE column_name = 'x' AND table_name = 't'", "rounding_mode", (None,)),
        ("PARTITIONS WHERE table_name = 't'", "total_billable_bytes, total_rows", (0, 0)),
        ("ROUTINES", "data_type, created <= CURRENT_TIMESTAMP(), last_altered >= created", ("INT64", True, True)),
        ("VIEWS", "view_definition, check_option", ("SELECT 1 AS one", None)),
    ],
)
def test_columns_of_information_schema(
    client: bigquery.Client, dataset: str, table: str, view: str, columns: str, row: tuple[Any, ...]
) -> None:
    client.query(f"CREATE TABLE `{dataset}.c` CLONE {table}").result()
    client.query(f"CREATE VIEW `{dataset}.v` AS SELECT 1 AS one").result()
    client.query(f"CREATE FUNCTION `{dataset}.f`() RETURNS INT64 AS (1)").result()
    assert values(client, f"SELECT {columns} FROM `{dataset}`.INFORMATION_SCHEMA.{view}") == [row]
