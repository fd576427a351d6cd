"""INFORMATION_SCHEMA: what its views say of datasets, tables and routines."""

from typing import Any

import pytest
from google.cloud import bigquery


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


@pytest.mark.feature("SQL", "INFORMATION_SCHEMA.SCHEMATA, SCHEMATA_OPTIONS with ddl and the options that are set")
def test_datasets_with_their_options(client: bigquery.Client, dataset: str) -> None:
    name = dataset.split(".")[1]
    options = (
        "default_table_expiration_days = 14, description = 'mine', labels = [('a', 'b')], max_time_travel_hours = 48"
    )
    client.query(f"ALTER SCHEMA `{dataset}` SET OPTIONS ({options})").result()
    found = values(
        client,
        "SELECT option_name, option_type, option_value FROM `region-us`.INFORMATION_SCHEMA.SCHEMATA_OPTIONS "
        f"WHERE schema_name = '{name}' ORDER BY 1",
    )
    assert found == [
        ("default_table_expiration_days", "FLOAT64", "14.0"),
        ("description", "STRING", '"mine"'),
        ("labels", "ARRAY<STRUCT<STRING, STRING>>", '[STRUCT("a", "b")]'),
        ("max_time_travel_hours", "INT64", "48"),
    ]
    [(ddl,)] = values(client, f"SELECT ddl FROM INFORMATION_SCHEMA.SCHEMATA WHERE schema_name = '{name}'")
    client.query(f"DROP SCHEMA `{dataset}`; {ddl}").result()
    made = client.get_dataset(dataset)
    assert (made.default_table_expiration_ms, made.description, made.labels) == (14 * 86_400_000, "mine", {"a": "b"})


@pytest.mark.feature("SQL", "INFORMATION_SCHEMA.ROUTINES with ddl, ROUTINE_OPTIONS, PARAMETERS")
def test_routines_are_made_again_from_their_ddl(client: bigquery.Client, dataset: str) -> None:
    for statement in (
        f"CREATE FUNCTION `{dataset}.f`(x INT64, y ANY TYPE) AS (x + y) OPTIONS (description = 'plus')",
        f"CREATE FUNCTION `{dataset}.j`(x STRING) RETURNS STRING LANGUAGE js AS \"return x + '1';\"",
        f"CREATE PROCEDURE `{dataset}.p`(n INT64, OUT s STRING) OPTIONS (description = 'gives') BEGIN SET s = 'a'; END",
        f"CREATE TABLE FUNCTION `{dataset}.t`(n INT64) AS SELECT n AS x",
    ):
        client.query(statement).result()
    view = f"`{dataset}`.INFORMATION_SCHEMA.ROUTINES"
    before = values(client, f"SELECT routine_name, routine_definition, ddl FROM {view} ORDER BY 1")
    for name, _, ddl in before:
        client.delete_routine(f"{dataset}.{name}")
        client.query(ddl).result()
    assert values(client, f"SELECT routine_name, routine_definition, ddl FROM {view} ORDER BY 1") == before
    options = f"SELECT specific_name, option_value FROM `{dataset}`.INFORMATION_SCHEMA.ROUTINE_OPTIONS ORDER BY 1"
    assert values(client, options) == [("f", '"plus"'), ("p", '"gives"')]


@pytest.mark.feature("SQL", "INFORMATION_SCHEMA.TABLE_STORAGE, without physical bytes")
@pytest.mark.parametrize("view", ["TABLE_STORAGE", "TABLE_STORAGE_BY_PROJECT"])
def test_what_tables_take(client: bigquery.Client, dataset: str, view: str) -> None:
    rows = "SELECT DATE '2024-01-01' AS d, 1 AS x UNION ALL SELECT '2024-01-02', 2"
    client.query(f"CREATE TABLE `{dataset}.t` PARTITION BY d AS {rows}").result()
    client.query(f"CREATE VIEW `{dataset}.v` AS SELECT 1 AS x").result()
    columns = "table_name, table_type, total_rows, total_partitions, total_logical_bytes, active_logical_bytes, deleted"
    name = dataset.split(".")[1]
    found = values(client, f"SELECT {columns} FROM `region-us`.INFORMATION_SCHEMA.{view} WHERE table_schema = '{name}'")
    assert found == [("t", "BASE TABLE", 2, 2, 32, 32, False)]


@pytest.mark.parametrize(
    ("view", "first", "last"),
    [
        ("SCHEMATA", "catalog_name schema_name schema_owner creation_time", "location ddl default_collation_name"),
        (
            "COLUMNS",
            "table_catalog table_schema table_name column_name ordinal_position",
            "column_default rounding_mode",
        ),
        (
            "PARAMETERS",
            "specific_catalog specific_schema specific_name ordinal_position",
            "parameter_default is_aggregate",
        ),
        ("ROUTINES", "specific_catalog specific_schema specific_name", "created last_altered ddl connection"),
        ("KEY_COLUMN_USAGE", "constraint_catalog", "column_name ordinal_position position_in_unique_constraint"),
        ("TABLE_CONSTRAINTS", "constraint_catalog", "constraint_type is_deferrable initially_deferred enforced"),
        ("COLUMN_FIELD_PATHS", "table_catalog", "field_path data_type description collation_name rounding_mode"),
    ],
)
def test_columns_stand_as_google_documents_them(
    client: bigquery.Client, dataset: str, view: str, first: str, last: str
) -> None:
    names = [
        field.name for field in client.query(f"SELECT * FROM `{dataset}`.INFORMATION_SCHEMA.{view}").result().schema
    ]
    assert names[: len(first.split())] == first.split()
    assert names[-len(last.split()) :] == last.split()
