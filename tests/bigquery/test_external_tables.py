"""External tables through the whole program: official client, SQL, a real object store over HTTP."""

import datetime as dt
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from .conftest import Bucket


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def test_the_table_has_the_files_columns_and_the_key(client: bigquery.Client, dataset: str, trips: str) -> None:
    table = client.get_table(f"{dataset}.trips")
    assert table.table_type == "EXTERNAL"
    assert [(f.name, f.field_type) for f in table.schema] == [("id", "INTEGER"), ("total", "FLOAT"), ("month", "DATE")]


def test_rows_carry_the_key_of_their_folder(client: bigquery.Client, dataset: str, trips: str) -> None:
    april, may = dt.date(2020, 4, 1), dt.date(2020, 5, 1)
    rows = values(client, f"SELECT * FROM `{dataset}.trips` ORDER BY id")
    assert rows == [(1, 1.5, april), (2, 2.5, april), (3, 4.0, may)]


@pytest.mark.feature("External tables", "live: objects added, replaced or deleted between two queries are seen")
def test_objects_that_come_change_and_go_are_seen(
    client: bigquery.Client, dataset: str, trips: str, bucket: Bucket
) -> None:
    count = f"SELECT COUNT(*), SUM(id) FROM `{dataset}.trips`"
    assert values(client, count) == [(3, 6)]
    bucket.put_parquet(f"{trips}/month=2020-06-01/a.parquet", {"id": [10], "total": [0.0]})
    assert values(client, count) == [(4, 16)]
    bucket.put_parquet(f"{trips}/month=2020-06-01/a.parquet", {"id": [20], "total": [0.0]})
    assert values(client, count) == [(4, 26)]
    bucket.delete(f"{trips}/month=2020-06-01/a.parquet")
    assert values(client, count) == [(3, 6)]


@pytest.mark.feature(
    "External tables", "partitions that WHERE rules out are not read, nor counted in totalBytesProcessed"
)
def test_a_filter_on_the_key_reads_fewer_bytes(client: bigquery.Client, dataset: str, trips: str) -> None:
    def size(where: str) -> int:
        job = client.query(f"SELECT id FROM `{dataset}.trips` AS t WHERE {where}")
        job.result()
        return job.total_bytes_processed

    whole = size("TRUE")
    assert size("month = '2020-04-01'") < whole
    assert size("t.month >= DATE '2020-05-01' AND total > 0") < whole
    assert size("month IN ('2021-01-01')") == 0


def test_views_joins_and_tables_made_from_it(client: bigquery.Client, dataset: str, trips: str) -> None:
    trips_table = f"`{dataset}.trips`"
    sums = f"SELECT month, SUM(total) AS s FROM {trips_table} GROUP BY month"
    client.query(f"CREATE VIEW `{dataset}.v` AS {sums}").result()
    client.query(f"CREATE TABLE `{dataset}.t` AS SELECT * FROM {trips_table} WHERE month = '2020-05-01'").result()
    joined = f"SELECT v.s, t.id FROM `{dataset}.v` AS v JOIN `{dataset}.t` AS t USING (month)"
    assert values(client, joined) == [(4.0, 3)]


@pytest.mark.feature("External tables", "`_FILE_NAME`")
def test_the_file_name_is_there_for_those_who_ask(
    client: bigquery.Client, dataset: str, trips: str, bucket: Bucket
) -> None:
    rows = values(client, f"SELECT DISTINCT _FILE_NAME FROM `{dataset}.trips` WHERE id = 3")
    assert rows == [(f"gs://{bucket.name}/{trips}/month=2020-05-01/a.parquet",)]
    starred = client.query(f"SELECT *, _FILE_NAME AS f FROM `{dataset}.trips`").result()
    assert [field.name for field in starred.schema] == ["id", "total", "month", "f"]


@pytest.mark.feature(
    "External tables", "tabledata.list and DML on an external table, as BigQuery refuses them", refused=True
)
def test_rows_of_an_external_table_cannot_be_listed_or_written(
    client: bigquery.Client, dataset: str, trips: str
) -> None:
    with pytest.raises(BadRequest, match="Cannot list a table of type EXTERNAL"):
        list(client.list_rows(f"{dataset}.trips", selected_fields=[bigquery.SchemaField("id", "INT64")]))
    with pytest.raises(BadRequest, match="EXTERNAL"):
        client.query(f"DELETE FROM `{dataset}.trips` WHERE TRUE").result()
