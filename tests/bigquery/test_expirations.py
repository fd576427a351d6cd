"""`expiration_timestamp` as DDL gives it and the API tells it."""

import datetime as dt

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery


@pytest.mark.parametrize("kind", ["TABLE", "VIEW"])
def test_an_expression_becomes_the_moment_that_it_means(client: bigquery.Client, dataset: str, kind: str) -> None:
    before = dt.datetime.now(dt.UTC)
    option = "expiration_timestamp = TIMESTAMP_ADD(CURRENT_TIMESTAMP(), INTERVAL 12 HOUR)"
    client.query_and_wait(f"CREATE {kind} `{dataset}.t` OPTIONS ({option}) AS SELECT 1 AS x")
    expires = client.get_table(f"{dataset}.t").expires
    assert dt.timedelta(0) <= expires - before - dt.timedelta(hours=12) < dt.timedelta(minutes=10)


def test_a_table_s_expiration_is_changed_and_removed(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (x INT64)")
    client.query_and_wait(f"ALTER TABLE `{dataset}.t` SET OPTIONS (expiration_timestamp = TIMESTAMP '2100-01-01')")
    assert client.get_table(f"{dataset}.t").expires == dt.datetime(2100, 1, 1, tzinfo=dt.UTC)
    client.query_and_wait(f"ALTER TABLE `{dataset}.t` SET OPTIONS (expiration_timestamp = NULL)")
    assert client.get_table(f"{dataset}.t").expires is None


def test_a_moment_that_is_past_is_refused(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(BadRequest, match="expiration_timestamp"):
        client.query_and_wait(f"CREATE TABLE `{dataset}.t` (x INT64) OPTIONS (expiration_timestamp = '2001-01-01')")
