"""Conditions on the partitions of stored tables: what a query reads of them, and tables that demand one."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.bigquery.test_load_and_copy import values

DAYS = "SELECT DATE_ADD(DATE '2024-01-01', INTERVAL n DAY) AS d, n FROM UNNEST(GENERATE_ARRAY(0, 9)) AS n"
DEMAND = "OPTIONS (require_partition_filter = TRUE)"


@pytest.fixture
def demanding(client: bigquery.Client, dataset: str) -> str:
    """Ten days, a row each, in a table that wants a filter."""
    client.query_and_wait(f"CREATE TABLE `{dataset}.days` PARTITION BY d {DEMAND} AS {DAYS}")
    return f"{dataset}.days"


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("SELECT COUNT(*) FROM {} WHERE d > '2024-01-05'", 5),
        ("SELECT COUNT(*) FROM {} AS t WHERE t.n > 6 AND (t.d IN ('2024-01-09') OR t.d IS NULL)", 1),
        ("SELECT COUNT(*) FROM (SELECT * FROM {}) WHERE d = '2024-01-05'", 1),
        ("WITH x AS (SELECT d AS day FROM {}) SELECT COUNT(*) FROM x WHERE day = '2024-01-05'", 1),
    ],
)
def test_a_filter_is_enough(client: bigquery.Client, demanding: str, query: str, count: int) -> None:
    assert values(client, query.format(f"`{demanding}`")) == [(count,)]


@pytest.mark.feature("SQL", "a query without the filter that a stored table requires", refused=True)
@pytest.mark.parametrize(
    "statement",
    [
        "SELECT * FROM {}",
        "SELECT * FROM {} WHERE n = 1",
        "SELECT * FROM {} WHERE d > '2024-01-05' OR n = 9",
        "SELECT (SELECT COUNT(*) FROM {}) AS c",
        "INSERT INTO {0} SELECT * FROM {0}",
        "DELETE FROM {} WHERE n = 1",
        "UPDATE {} SET n = 1 WHERE TRUE",
        "MERGE {} AS t USING (SELECT 1 AS n) AS s ON t.n = s.n WHEN MATCHED THEN DELETE",
    ],
)
def test_without_a_filter_the_statement_is_refused(client: bigquery.Client, demanding: str, statement: str) -> None:
    with pytest.raises(BadRequest) as refused:
        client.query_and_wait(statement.format(f"`{demanding}`"))
    assert refused.value.errors[0]["reason"] == "invalidQuery"
    assert (
        f"Cannot query over table '{demanding}' without a filter over column(s) 'd' that can be used for partition "
        "elimination" in str(refused.value)
    )


def test_dml_with_a_filter(client: bigquery.Client, demanding: str) -> None:
    client.query_and_wait(f"DELETE FROM `{demanding}` WHERE d = '2024-01-01'")
    client.query_and_wait(f"UPDATE `{demanding}` SET n = 20 WHERE d >= '2024-01-10'")
    client.query_and_wait(
        f"MERGE `{demanding}` AS t USING (SELECT 1 AS n) AS s ON FALSE "
        "WHEN NOT MATCHED BY SOURCE AND t.d IN ('2024-01-02', '2024-01-03') THEN DELETE"
    )
    assert values(client, f"SELECT COUNT(*), MAX(n) FROM `{demanding}` WHERE d IS NOT NULL") == [(7, 20)]
    client.query_and_wait(f"TRUNCATE TABLE `{demanding}`")


def test_the_reader_of_a_view_brings_the_filter(client: bigquery.Client, dataset: str, demanding: str) -> None:
    client.query_and_wait(f"CREATE VIEW `{dataset}.v` AS SELECT d AS day FROM `{demanding}`")
    assert values(client, f"SELECT COUNT(*) FROM `{dataset}.v` WHERE day < '2024-01-03'") == [(2,)]
    with pytest.raises(BadRequest, match="without a filter over column"):
        client.query_and_wait(f"SELECT * FROM `{dataset}.v`")


def test_ingestion_time_tables_name_their_pseudo_columns(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (a INT64) PARTITION BY _PARTITIONDATE {DEMAND}")
    with pytest.raises(BadRequest, match="'_PARTITION_LOAD_TIME', '_PARTITIONDATE', '_PARTITIONTIME'"):
        client.query_and_wait(f"SELECT a FROM `{dataset}.t`")
    for column in ("_PARTITIONDATE", "_PARTITIONTIME"):
        assert values(client, f"SELECT a FROM `{dataset}.t` WHERE {column} > '2024-01-01'") == []


def test_the_demand_can_be_made_and_taken_back(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` PARTITION BY d AS {DAYS}")
    table = client.get_table(f"{dataset}.t")
    table.require_partition_filter = True
    client.update_table(table, ["require_partition_filter"])
    with pytest.raises(BadRequest, match="without a filter"):
        client.query_and_wait(f"SELECT * FROM `{dataset}.t`")
    client.query_and_wait(f"ALTER TABLE `{dataset}.t` SET OPTIONS (require_partition_filter = FALSE)")
    assert len(values(client, f"SELECT * FROM `{dataset}.t`")) == 10


@pytest.mark.parametrize(
    ("partitioning", "condition", "share"),
    [
        ("d", "d = '2024-01-03'", 1),
        ("d", "d >= '2024-01-03' AND n < 3", 8),
        ("d", "n = 3", 10),
        ("DATE_TRUNC(d, MONTH)", "d = '2024-01-03'", 10),
        ("RANGE_BUCKET(n, GENERATE_ARRAY(0, 10, 5))", "n = 7", 5),
    ],
)
def test_only_the_bytes_of_the_partitions_in_question_count(
    client: bigquery.Client, dataset: str, partitioning: str, condition: str, share: int
) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` PARTITION BY {partitioning} AS {DAYS}")
    query = f"SELECT d, n FROM `{dataset}.t` WHERE {condition}"
    dry = client.query(query, job_config=bigquery.QueryJobConfig(dry_run=True))
    done = client.query(query)
    done.result()
    assert dry.total_bytes_processed == done.total_bytes_processed == share * 16


def test_ingestion_time_prunes_bytes(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (n INT64) PARTITION BY _PARTITIONDATE")
    client.query_and_wait(f"INSERT INTO `{dataset}.t` (_PARTITIONTIME, n) SELECT TIMESTAMP(d), n FROM ({DAYS})")
    job = client.query(f"SELECT n FROM `{dataset}.t` WHERE _PARTITIONDATE BETWEEN '2024-01-02' AND '2024-01-04'")
    assert len(list(job.result())) == 3
    assert job.total_bytes_processed == 3 * 8


def test_two_reads_of_a_table_count_the_partitions_of_both(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` PARTITION BY d AS {DAYS}")
    one = f"SELECT n FROM `{dataset}.t` WHERE d = '2024-01-0{{}}'"
    job = client.query(f"{one.format(1)} UNION ALL {one.format(2)}")
    job.result()
    assert job.total_bytes_processed == 2 * 16
