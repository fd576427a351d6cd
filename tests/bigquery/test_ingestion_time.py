"""Tables partitioned by the time of their rows' arrival, written and read in every way."""

import datetime as dt
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient, DataFormat, ReadSession

from tests.bigquery.test_load_and_copy import load, values

FIRST, SECOND = dt.date(2024, 1, 1), dt.date(2024, 1, 2)
DAYS = "SELECT _PARTITIONDATE AS day, a FROM `{}` ORDER BY a"


@pytest.fixture
def daily(client: bigquery.Client, dataset: str) -> str:
    """A table of two days, a row each."""
    table = f"{dataset}.daily"
    client.query_and_wait(f"CREATE TABLE `{table}` (a INT64, s STRING) PARTITION BY _PARTITIONDATE")
    client.query_and_wait(
        f"INSERT INTO `{table}` (_PARTITIONTIME, a, s) VALUES (TIMESTAMP '2024-01-01', 1, 'x'), ('2024-01-02', 2, 'y')"
    )
    return table


def today() -> dt.date:
    return dt.datetime.now(dt.UTC).date()


def partitions(client: bigquery.Client, table: str) -> dict[str, int]:
    return {
        name: len(list(client.list_rows(f"{table}${name}"))) for name in client.list_partitions(client.get_table(table))
    }


@pytest.mark.feature("SQL", "`_PARTITIONTIME` and `_PARTITIONDATE`")
def test_the_pseudo_columns_are_read_by_name_and_not_by_star(client: bigquery.Client, daily: str) -> None:
    assert values(client, f"SELECT * FROM `{daily}` ORDER BY a") == [(1, "x"), (2, "y")]
    assert values(client, DAYS.format(daily)) == [(FIRST, 1), (SECOND, 2)]
    assert values(client, f"SELECT t._PARTITIONTIME, a FROM `{daily}` t WHERE _PARTITIONTIME > '2024-01-01'") == [
        (dt.datetime(2024, 1, 2, tzinfo=dt.UTC), 2)
    ]
    assert [field.name for field in client.get_table(daily).schema] == ["a", "s"]


def test_rows_without_a_time_come_today(client: bigquery.Client, daily: str) -> None:
    before = today()
    client.query_and_wait(f"INSERT INTO `{daily}` VALUES (3, 'z')")
    assert client.insert_rows_json(daily, [{"a": 4}]) == []
    load(client, daily, {"a": [5]}, write_disposition="WRITE_APPEND")
    config = bigquery.QueryJobConfig(destination=daily, write_disposition="WRITE_APPEND")
    client.query_and_wait("SELECT 6 AS a", job_config=config)
    after = today()
    rows = values(client, DAYS.format(daily))[2:]
    assert [a for _, a in rows] == [3, 4, 5, 6]
    assert all(before <= day <= after for day, _ in rows)


def test_a_decorator_says_which_partition(client: bigquery.Client, daily: str) -> None:
    load(client, f"{daily}$20240102", {"a": [3, 4]}, write_disposition="WRITE_TRUNCATE")
    config = bigquery.QueryJobConfig(destination=f"{daily}$20240103", write_disposition="WRITE_TRUNCATE")
    client.query_and_wait("SELECT 5 AS a, 'q' AS s", job_config=config)
    assert client.insert_rows_json(f"{daily}$20240103", [{"a": 6}]) == []
    assert partitions(client, daily) == {"20240101": 1, "20240102": 2, "20240103": 2}
    client.delete_table(f"{daily}$20240103")
    assert values(client, DAYS.format(daily)) == [(FIRST, 1), (SECOND, 3), (SECOND, 4)]


def test_loads_count_the_rows_that_they_bring(client: bigquery.Client, daily: str) -> None:
    assert load(client, f"{daily}$20240102", {"a": [3]}, write_disposition="WRITE_TRUNCATE").output_rows == 1


def test_dml_moves_rows_between_partitions(client: bigquery.Client, daily: str) -> None:
    client.query_and_wait(f"UPDATE `{daily}` SET _PARTITIONTIME = '2024-01-05' WHERE _PARTITIONDATE = '2024-01-01'")
    client.query_and_wait(
        f"MERGE `{daily}` AS t USING (SELECT TIMESTAMP '2024-01-07' AS _partitiontime, 9 AS a) AS s ON FALSE "
        "WHEN NOT MATCHED BY SOURCE AND DATE(t._PARTITIONTIME) = '2024-01-02' THEN DELETE "
        "WHEN NOT MATCHED THEN INSERT (_PARTITIONTIME, a) VALUES (s._partitiontime, a)"
    )
    assert values(client, DAYS.format(daily)) == [(dt.date(2024, 1, 5), 1), (dt.date(2024, 1, 7), 9)]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO `{}` (_PARTITIONTIME, a) VALUES (TIMESTAMP '2024-01-01 10:00:00', 3)",
        "INSERT INTO `{}` (_PARTITIONTIME, a) SELECT TIMESTAMP '2024-01-01 10:00:00', 3",
        "UPDATE `{}` SET _PARTITIONTIME = '2024-01-01 10:00:00' WHERE TRUE",
    ],
)
def test_a_time_within_a_partition_is_refused(client: bigquery.Client, daily: str, statement: str) -> None:
    with pytest.raises(BadRequest, match="must be the beginning of a partition"):
        client.query_and_wait(statement.format(daily))
    assert values(client, DAYS.format(daily)) == [(FIRST, 1), (SECOND, 2)]


@pytest.mark.feature("Loads and exports", "table clones")
def test_copies_and_clones_keep_the_partitions(client: bigquery.Client, dataset: str, daily: str) -> None:
    client.copy_table(daily, f"{dataset}.copied").result()
    client.query_and_wait(f"CREATE TABLE `{dataset}.cloned` CLONE `{daily}`")
    client.copy_table(f"{daily}$20240101", f"{dataset}.copied$20240104").result()
    assert partitions(client, f"{dataset}.cloned") == {"20240101": 1, "20240102": 1}
    assert partitions(client, f"{dataset}.copied") == {"20240101": 1, "20240102": 1, "20240104": 1}


@pytest.mark.parametrize(("kind", "shape"), [("HOUR", "%Y%m%d%H"), ("MONTH", "%Y%m"), ("YEAR", "%Y")])
def test_larger_and_smaller_partitions(client: bigquery.Client, dataset: str, kind: str, shape: str) -> None:
    table = f"{dataset}.t"
    made = bigquery.Table(table, [bigquery.SchemaField("a", "INT64")])
    made.time_partitioning = bigquery.TimePartitioning(type_=kind)
    client.create_table(made)
    before = dt.datetime.now(dt.UTC).strftime(shape)
    client.query_and_wait(f"INSERT INTO `{table}` VALUES (1)")
    after = dt.datetime.now(dt.UTC).strftime(shape)
    [name] = client.list_partitions(client.get_table(table))
    assert before <= name <= after
    with pytest.raises(BadRequest, match="Unrecognized name: _PARTITIONDATE"):
        client.query_and_wait(f"SELECT _PARTITIONDATE AS d FROM `{table}`")
    rows = client.query_and_wait(f"SELECT ddl FROM `{dataset}`.INFORMATION_SCHEMA.TABLES WHERE table_name = 't'")
    ddl = next(iter(rows))["ddl"]
    assert f"PARTITION BY TIMESTAMP_TRUNC(_PARTITIONTIME, {kind})" in ddl
    client.delete_table(table)
    client.query_and_wait(ddl)
    assert client.get_table(table).time_partitioning.type_ == kind


def test_information_schema_tells_the_pseudo_columns(client: bigquery.Client, dataset: str, daily: str) -> None:
    rows = values(
        client,
        f"SELECT column_name, ordinal_position, is_hidden, is_partitioning_column "
        f"FROM `{dataset}`.INFORMATION_SCHEMA.COLUMNS WHERE is_hidden = 'YES'",
    )
    assert rows == [("_PARTITIONTIME", None, "YES", "YES"), ("_PARTITIONDATE", None, "YES", "NO")]


def test_the_storage_api_filters_by_partition(
    client: bigquery.Client, storage_client: BigQueryReadClient, daily: str
) -> None:
    project, dataset, table = daily.split(".")
    wanted = ReadSession(
        table=f"projects/{project}/datasets/{dataset}/tables/{table}",
        data_format=DataFormat.ARROW,
        read_options={"row_restriction": "_PARTITIONDATE = '2024-01-02'"},
    )
    session = storage_client.create_read_session(parent=f"projects/{project}", read_session=wanted)
    rows = storage_client.read_rows(session.streams[0].name).to_arrow(session).to_pylist()
    assert rows == [{"a": 2, "s": "y"}]


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE `{0}.x` PARTITION BY _PARTITIONDATE AS SELECT 1 AS a", "cannot be used with AS"),
        ("CREATE TABLE `{0}.x` AS SELECT _PARTITIONTIME FROM `{0}.daily`", 'Invalid field name "_PARTITIONTIME"'),
        ("CREATE TABLE `{0}.x` (_partition_of INT64)", 'Invalid field name "_partition_of"'),
    ],
)
@pytest.mark.usefixtures("daily")
def test_what_bigquery_refuses(client: bigquery.Client, dataset: str, statement: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query_and_wait(statement.format(dataset))


def test_the_layout_of_a_table_cannot_be_changed(client: bigquery.Client, dataset: str, daily: str) -> None:
    table = client.get_table(daily)
    table.time_partitioning = bigquery.TimePartitioning(type_="HOUR")
    with pytest.raises(BadRequest, match="Cannot change partitioning spec"):
        client.update_table(table, ["time_partitioning"])
    plain: Any = client.create_table(bigquery.Table(f"{dataset}.plain", [bigquery.SchemaField("a", "INT64")]))
    plain.time_partitioning = bigquery.TimePartitioning()
    with pytest.raises(BadRequest, match="Cannot convert non partitioned"):
        client.update_table(plain, ["time_partitioning"])


def test_rows_of_another_partition_are_refused(client: bigquery.Client, dataset: str) -> None:
    table = f"{dataset}.by_day"
    client.query_and_wait(f"CREATE TABLE `{table}` PARTITION BY d AS SELECT DATE '2024-01-01' AS d")
    config = bigquery.QueryJobConfig(destination=f"{table}$20240102", write_disposition="WRITE_TRUNCATE")
    with pytest.raises(BadRequest, match="Some rows belong to different partitions"):
        client.query_and_wait("SELECT DATE '2024-01-03' AS d", job_config=config)
