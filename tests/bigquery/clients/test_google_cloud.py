"""google-cloud-bigquery."""

import datetime
import io
from decimal import Decimal

import pandas as pd
import pytest
from google.api_core import exceptions
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient

from tests.bigquery.clients.conftest import ROWS
from tests.bigquery.conftest import Bucket

SCHEMA = [
    bigquery.SchemaField("id", "INTEGER", "REQUIRED"),
    bigquery.SchemaField("name", "STRING"),
    bigquery.SchemaField("price", "NUMERIC"),
    bigquery.SchemaField("day", "DATE"),
]
CSV = b"id,name,price,day\n1,one,1.25,2024-01-01\n2,,2.5,2024-01-02\n"
LOADED = [(1, "one", Decimal("1.25"), datetime.date(2024, 1, 1)), (2, None, Decimal("2.5"), datetime.date(2024, 1, 2))]


def rows_of(client: bigquery.Client, table: str) -> list[tuple[object, ...]]:
    return sorted(row.values() for row in client.list_rows(table))


def test_create_and_load_a_file(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{dataset}.t", SCHEMA))
    config = bigquery.LoadJobConfig(source_format="CSV", skip_leading_rows=1, schema=SCHEMA)
    job = client.load_table_from_file(io.BytesIO(CSV), table, job_config=config)
    job.result()
    assert job.output_rows == len(LOADED)
    assert rows_of(client, f"{dataset}.t") == LOADED
    assert client.get_table(table).num_rows == len(LOADED)


def test_load_from_a_bucket(client: bigquery.Client, dataset: str, bucket: Bucket) -> None:
    uri = bucket.put(f"load/{dataset}.csv", CSV)
    config = bigquery.LoadJobConfig(source_format="CSV", skip_leading_rows=1, schema=SCHEMA)
    client.load_table_from_uri(uri, f"{dataset}.t", job_config=config).result()
    assert rows_of(client, f"{dataset}.t") == LOADED


def test_load_json_and_a_data_frame(client: bigquery.Client, dataset: str) -> None:
    frame = pd.DataFrame({"id": [1, 2], "name": ["a", None]})
    client.load_table_from_dataframe(frame, f"{dataset}.t").result()
    config = bigquery.LoadJobConfig(write_disposition="WRITE_APPEND")
    client.load_table_from_json([{"id": 3, "name": "c"}], f"{dataset}.t", job_config=config).result()
    assert rows_of(client, f"{dataset}.t") == [(1, "a"), (2, None), (3, "c")]


def test_parameters_of_every_kind(client: bigquery.Client) -> None:
    parameters = [
        bigquery.ScalarQueryParameter("text", "STRING", "it's"),
        bigquery.ScalarQueryParameter("price", "NUMERIC", Decimal("1.25")),
        bigquery.ScalarQueryParameter("moment", "TIMESTAMP", datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)),
        bigquery.ScalarQueryParameter("nothing", "INT64", None),
        bigquery.ArrayQueryParameter("ids", "INT64", [1, 2]),
        bigquery.StructQueryParameter("pair", bigquery.ScalarQueryParameter("a", "DATE", datetime.date(2024, 2, 29))),
    ]
    query = "SELECT @text, @price, @moment, @nothing, @ids, @pair.a"
    (row,) = client.query_and_wait(query, job_config=bigquery.QueryJobConfig(query_parameters=parameters))
    moment = datetime.datetime(2024, 1, 1, tzinfo=datetime.UTC)
    assert row.values() == ("it's", Decimal("1.25"), moment, None, [1, 2], datetime.date(2024, 2, 29))
    positional = [bigquery.ScalarQueryParameter(None, "INT64", n) for n in (1, 2)]
    (row,) = client.query_and_wait("SELECT ? - ?", job_config=bigquery.QueryJobConfig(query_parameters=positional))
    assert row.values() == (-1,)


def test_pages_of_a_hundred_thousand_rows(client: bigquery.Client, numbers: str) -> None:
    assert [row.x for row in client.list_rows(numbers, page_size=7_000)] == list(range(1, ROWS + 1))
    result = client.query(f"SELECT x FROM `{numbers}` ORDER BY x DESC").result(page_size=30_000)
    sizes = [page.num_items for page in result.pages]
    assert sizes == [30_000, 30_000, 30_000, 10_000]


def test_data_frames_by_either_way(client: bigquery.Client, numbers: str, storage_client: BigQueryReadClient) -> None:
    rows = client.query(f"SELECT * FROM `{numbers}` ORDER BY x").result(page_size=1_000)
    fast = rows.to_dataframe(bqstorage_client=storage_client)
    slow = client.list_rows(numbers).to_dataframe(create_bqstorage_client=False)
    pd.testing.assert_frame_equal(fast, slow)
    assert len(fast) == ROWS


def test_external_table(client: bigquery.Client, trips: str) -> None:
    job = client.query(f"SELECT id, total, month FROM `{trips}` WHERE month = '2020-04-01' ORDER BY id")
    april = datetime.date(2020, 4, 1)
    assert [row.values() for row in job.result()] == [(1, 1.5, april), (2, 2.5, april)]
    table = client.get_table(trips)
    assert table.table_type == "EXTERNAL"
    assert [field.name for field in table.schema] == ["id", "total", "month"]


def test_errors(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table .*\.missing"):
        client.get_table(f"{dataset}.missing")
    with pytest.raises(exceptions.NotFound, match=r"Not found: Table .*\.missing"):
        client.query_and_wait(f"SELECT * FROM `{dataset}.missing`")
    with pytest.raises(exceptions.BadRequest, match=r"Unrecognized name: nothing at \[1:8\]") as caught:
        client.query_and_wait("SELECT nothing")
    assert caught.value.errors[0]["reason"] == "invalidQuery"
    client.create_table(f"{dataset}.t")
    with pytest.raises(exceptions.Conflict, match="Already Exists: Table"):
        client.create_table(f"{dataset}.t")
    with pytest.raises(exceptions.BadRequest):
        client.load_table_from_file(
            io.BytesIO(b"id\nx\n"),
            f"{dataset}.u",
            job_config=bigquery.LoadJobConfig(source_format="CSV", skip_leading_rows=1, schema=SCHEMA[:1]),
        ).result()


def test_a_result_can_be_queried_as_a_table(client: bigquery.Client) -> None:
    first = client.query("SELECT x, STRUCT(x AS y) AS s FROM UNNEST([1, 2, 3]) AS x")
    first.result()
    (row,) = client.query_and_wait(f"SELECT SUM(r.s.y) AS total FROM `{first.destination}` AS r WHERE r.x > 1")
    assert row.total == 5
    hidden = first.destination.dataset_id
    assert hidden not in {dataset.dataset_id for dataset in client.list_datasets()}
    rows = client.query_and_wait("SELECT schema_name FROM INFORMATION_SCHEMA.SCHEMATA")
    assert hidden not in {row.schema_name for row in rows}


def test_partitions_are_listed(client: bigquery.Client, dataset: str) -> None:
    days = "UNNEST([DATE '2024-01-01', '2024-01-02', NULL]) AS day"
    client.query_and_wait(f"CREATE TABLE `{dataset}.days` PARTITION BY day AS SELECT day FROM {days}")
    assert sorted(client.list_partitions(f"{dataset}.days")) == ["20240101", "20240102", "__NULL__"]
    client.query_and_wait(f"CREATE TABLE `{dataset}.plain` (x INT64)")
    assert client.list_partitions(f"{dataset}.plain") == []
