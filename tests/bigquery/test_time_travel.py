"""Tables as they were: FOR SYSTEM_TIME AS OF, clones and snapshots of the past, copies of `table@moment`."""

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented, NotFound
from google.cloud import bigquery


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def moment() -> str:
    """A TIMESTAMP that lies between what was done before and what is done after."""
    time.sleep(0.01)
    now = datetime.now(UTC)
    time.sleep(0.01)
    return f"TIMESTAMP '{now.isoformat()}'"


def milliseconds() -> int:
    time.sleep(0.01)
    now = time.time_ns() // 1_000_000
    time.sleep(0.01)
    return now


def as_of(client: bigquery.Client, table: str, when: str) -> list[tuple[Any, ...]]:
    return values(client, f"SELECT * FROM `{table}` FOR SYSTEM_TIME AS OF {when} ORDER BY 1")


@pytest.mark.feature(
    "SQL", "`FOR SYSTEM_TIME AS OF`", lacks="since the program's start, and changed tables of up to 100,000 cells"
)
@pytest.mark.parametrize(
    "change",
    [
        "INSERT INTO {table} (x) VALUES (3)",
        "UPDATE {table} SET x = 10 WHERE x = 1",
        "DELETE FROM {table} WHERE x = 1",
        "TRUNCATE TABLE {table}",
        "MERGE {table} USING UNNEST([2, 7]) n ON x = n WHEN MATCHED THEN DELETE WHEN NOT MATCHED THEN INSERT VALUES(n)",
        "ALTER TABLE {table} ADD COLUMN y STRING",
        "ALTER TABLE {table} RENAME COLUMN x TO y",
        "CREATE OR REPLACE TABLE {table} AS SELECT 'other' AS y",
        "BEGIN TRANSACTION; INSERT INTO {table} VALUES (3); DELETE FROM {table} WHERE x = 2; COMMIT",
    ],
)
def test_what_was_there_before_a_change(client: bigquery.Client, dataset: str, change: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    client.query(f"INSERT INTO `{table}` VALUES (2)").result()
    before = moment()
    client.query(change.format(table=f"`{table}`")).result()
    after = moment()
    now = values(client, f"SELECT * FROM `{table}` ORDER BY 1")
    client.query(f"INSERT INTO `{table}` SELECT * FROM `{table}`").result()
    assert as_of(client, table, before) == [(1,), (2,)]
    assert as_of(client, table, after) == now


def test_a_replaced_table_may_be_filled_with_what_it_was(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    before = moment()
    client.query(f"DELETE FROM `{table}` WHERE TRUE").result()
    restore = f"CREATE OR REPLACE TABLE `{table}` AS SELECT * FROM `{table}` FOR SYSTEM_TIME AS OF {before}"
    client.query(restore).result()
    assert values(client, f"SELECT * FROM `{table}`") == [(1,)]


def test_streamed_rows_come_after_what_was(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    before = moment()
    assert client.insert_rows_json(table, [{"x": 2}, {"x": 3}]) == []
    assert as_of(client, table, before) == [(1,)]


def test_a_script_names_a_moment_by_a_variable(client: bigquery.Client, dataset: str) -> None:
    table = f"`{dataset}.t`"
    script = f"""
        CREATE TABLE {table} AS SELECT 1 AS x;
        BEGIN
          DECLARE before TIMESTAMP DEFAULT CURRENT_TIMESTAMP();
          INSERT INTO {table} VALUES (2);
          CREATE TABLE `{dataset}.c` CLONE {table} FOR SYSTEM_TIME AS OF before;
          SELECT (SELECT COUNT(*) FROM {table} FOR SYSTEM_TIME AS OF before), (SELECT COUNT(*) FROM `{dataset}.c`);
        END"""
    assert values(client, script) == [(1, 1)]


@pytest.mark.parametrize(
    ("when", "message"),
    [
        ("TIMESTAMP_SUB(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)", "Invalid time travel timestamp .* Cannot read before"),
        ("TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 HOUR)", "evaluates to a TIMESTAMP value in the future"),
        ("CAST(NULL AS TIMESTAMP)", "evaluates to a NULL TIMESTAMP value"),
        ("17", "must be of type TIMESTAMP but was of type INT64"),
    ],
)
def test_moments_that_cannot_be_read(client: bigquery.Client, dataset: str, when: str, message: str) -> None:
    client.query(f"CREATE TABLE `{dataset}.t` (x INT64)").result()
    with pytest.raises(BadRequest, match=message):
        as_of(client, f"{dataset}.t", when)


def test_what_was_too_much_to_keep_is_named(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, 200000)) AS x").result()
    first = moment()
    client.query(f"INSERT INTO `{table}` VALUES (0)").result()
    assert values(client, f"SELECT COUNT(*) FROM `{table}` FOR SYSTEM_TIME AS OF {first}") == [(200_000,)]
    client.query(f"DELETE FROM `{table}` WHERE x > 3").result()
    with pytest.raises(MethodNotImplemented, match="more than the 100000 cells"):
        as_of(client, table, first)


@pytest.mark.feature("Loads and exports", "copies of `table@moment`, of dropped tables too")
def test_a_dropped_table_comes_back_by_a_copy(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    before = milliseconds()
    client.query(f"UPDATE `{table}` SET x = 2 WHERE TRUE").result()
    client.delete_table(table)
    with pytest.raises(NotFound):
        as_of(client, table, "CURRENT_TIMESTAMP()")
    client.copy_table(f"{table}@{before}", f"{dataset}.back").result()
    client.copy_table(f"{table}@0", f"{dataset}.first").result()
    assert values(client, f"SELECT * FROM `{dataset}.back`") == values(client, f"SELECT * FROM `{dataset}.first`")
    with pytest.raises(BadRequest, match="Invalid time travel timestamp"):
        client.copy_table(f"{table}@-3600000", f"{dataset}.back").result()
    with pytest.raises(BadRequest, match="Cannot write to"):
        client.copy_table(f"{dataset}.back", f"{dataset}.back@{before}").result()


def test_a_snapshot_remembers_whose_and_of_when_it_is(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query(f"CREATE TABLE `{table}` AS SELECT 1 AS x").result()
    before = moment()
    client.query(f"UPDATE `{table}` SET x = 2 WHERE TRUE").result()
    client.query(
        f"CREATE SNAPSHOT TABLE `{dataset}.s` CLONE `{table}` FOR SYSTEM_TIME AS OF {before} "
        "OPTIONS(expiration_timestamp=TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 1 DAY), description='kept')"
    ).result()
    snapshot = client.get_table(f"{dataset}.s")
    assert values(client, f"SELECT * FROM `{dataset}.s`") == [(1,)]
    assert snapshot.snapshot_definition.base_table_reference.table_id == "t"
    assert f"{snapshot.snapshot_definition.snapshot_time:%H:%M:%S}" in before
    assert snapshot.expires > datetime.now(UTC) + timedelta(hours=23)
    assert snapshot.description == "kept"
