"""LOAD DATA over a real object store, with files that EXPORT DATA has written into it."""

import datetime as dt
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented, NotFound
from google.cloud import bigquery

from .conftest import Bucket


@pytest.fixture
def files(client: bigquery.Client, bucket: Bucket, dataset: str) -> str:
    """The prefix of two months of CSV, each in a folder of its own."""
    prefix = bucket.uri(dataset.split(".")[1])
    for month, first in (("2024-01-01", 1), ("2024-02-01", 3)):
        client.query(
            f"EXPORT DATA OPTIONS(uri='{prefix}/month={month}/*.csv', format='CSV', header=true) AS "
            f"SELECT n AS id, FORMAT('n%d', n) AS name FROM UNNEST([{first}, {first + 1}]) AS n ORDER BY n"
        ).result()
    return prefix


def run(client: bigquery.Client, sql: str) -> bigquery.QueryJob:
    job = client.query(sql)
    job.result()
    return job


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def test_columns_options_and_statistics(client: bigquery.Client, dataset: str, files: str) -> None:
    job = run(
        client,
        f"LOAD DATA INTO `{dataset}.t` (id INT64, name STRING) CLUSTER BY id OPTIONS (description='from files') "
        f"FROM FILES (format='CSV', uris=['{files}/*'], skip_leading_rows=1)",
    )
    table = client.get_table(f"{dataset}.t")
    assert (table.num_rows, table.description, table.clustering_fields) == (4, "from files", ["id"])
    assert job.statement_type == "LOAD_DATA"
    counts = job._properties["statistics"]["query"]["loadQueryStatistics"]
    assert (counts["inputFiles"], counts["outputRows"]) == ("2", "4")


def test_into_appends_and_overwrite_replaces(client: bigquery.Client, dataset: str, files: str) -> None:
    load = f"`{dataset}.t` FROM FILES (format='CSV', uris=['{files}/month=2024-01-01/*'], skip_leading_rows=1)"
    for verb, rows in (("INTO", 2), ("INTO", 4), ("OVERWRITE", 2)):
        run(client, f"LOAD DATA {verb} {load}")
        assert values(client, f"SELECT COUNT(*) FROM `{dataset}.t`") == [(rows,)]


@pytest.mark.feature("Loads and exports", "LOAD DATA, with partition columns")
def test_partition_columns_come_from_the_folders(client: bigquery.Client, dataset: str, files: str) -> None:
    run(
        client,
        f"LOAD DATA INTO `{dataset}.t` PARTITION BY month FROM FILES (format='CSV', uris=['{files}/*'], "
        f"skip_leading_rows=1, hive_partition_uri_prefix='{files}') WITH PARTITION COLUMNS (month DATE)",
    )
    rows = values(client, f"SELECT month, COUNT(*) FROM `{dataset}.t` GROUP BY month ORDER BY month")
    assert rows == [(dt.date(2024, 1, 1), 2), (dt.date(2024, 2, 1), 2)]
    assert client.get_table(f"{dataset}.t").time_partitioning.field == "month"


def test_in_a_script(client: bigquery.Client, dataset: str, files: str) -> None:
    rows = values(
        client,
        f"BEGIN LOAD DATA INTO `{dataset}.t` FROM FILES (format='CSV', uris=['{files}/*'], skip_leading_rows=1); "
        f"SELECT COUNT(*) FROM `{dataset}.t`; END",
    )
    assert rows == [(4,)]


@pytest.mark.parametrize(
    ("statement", "kind", "message"),
    [
        ("LOAD DATA INTO `{d}.t` FROM FILES (format='CSV')", BadRequest, "needs the options format and uris"),
        ("LOAD DATA INTO `{d}.t` FROM FILES (format='CSV', uris=['gs://b/a'], colour=1)", BadRequest, "Unknown option"),
        ("LOAD DATA INTO `{d}.t`", BadRequest, "FROM FILES"),
        ("LOAD DATA `{d}.t` FROM FILES (format='CSV')", BadRequest, "INTO or LOAD DATA OVERWRITE"),
        ("LOAD DATA", BadRequest, "INTO or LOAD DATA OVERWRITE"),
        ("LOAD DATA INTO", BadRequest, "FROM FILES"),
        ("LOAD DATA INTO TEMP TABLE t FROM FILES (format='CSV')", MethodNotImplemented, "temporary table"),
        ("LOAD DATA INTO nowhere.t FROM FILES (format='CSV', uris=['gs://b/a'])", NotFound, "nowhere"),
    ],
)
def test_what_is_wrong_is_told(
    client: bigquery.Client, dataset: str, statement: str, kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        client.query(statement.format(d=dataset)).result()
