"""What a query would be billed for on Google, and the limit that a job may set to it."""

import pytest
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

from tests.bigquery.test_load_and_copy import values

TEN_MIB = 10 * 2**20


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query_and_wait(f"CREATE TABLE {dataset}.t AS SELECT 1 AS a, 'x' AS b")
    return f"{dataset}.t"


def billed(client: bigquery.Client, sql: str, limit: int | None = None) -> int | None:
    config = bigquery.QueryJobConfig()
    if limit is not None:
        config.maximum_bytes_billed = limit
    job = client.query(sql, job_config=config)
    job.result()
    return job.total_bytes_billed


@pytest.mark.feature("SQL", "maximumBytesBilled, and the bytes that would be billed")
def test_at_least_ten_megabytes_a_table(client: bigquery.Client, table: str) -> None:
    assert billed(client, f"SELECT a FROM {table}") == TEN_MIB
    assert billed(client, "SELECT 1", limit=1) == 0


@pytest.mark.parametrize("sql", ["SELECT a FROM {}", "UPDATE {} SET a = 2 WHERE TRUE", "BEGIN SELECT b FROM {}; END"])
def test_a_query_that_would_cost_more_is_not_run(client: bigquery.Client, table: str, sql: str) -> None:
    told = f"Query exceeded limit for bytes billed: {TEN_MIB - 1}. {TEN_MIB} or higher required"
    with pytest.raises(GoogleAPICallError, match=told) as refused:
        billed(client, sql.format(table), limit=TEN_MIB - 1)
    assert refused.value.errors[0]["reason"] == "bytesBilledLimitExceeded"
    assert values(client, f"SELECT a FROM {table}") == [(1,)]
    billed(client, sql.format(table), limit=TEN_MIB)
