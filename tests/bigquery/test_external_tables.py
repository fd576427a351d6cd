"""External tables through the whole program: official client, SQL, a real object store over HTTP."""

import datetime as dt
import io
import socket
import uuid
from collections.abc import Iterator
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from gcp_storage_emulator.server import create_server
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from .conftest import Emulator, start_emulator


class Bucket:
    def __init__(self, endpoint: str, name: str) -> None:
        self.endpoint, self.name = endpoint, name

    def put(self, name: str, columns: dict[str, Any]) -> int:
        """Write a Parquet object. Returns its size."""
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        url = f"{self.endpoint}/upload/storage/v1/b/{self.name}/o"
        answer = requests.post(url, params={"uploadType": "media", "name": name}, data=buffer.getvalue(), timeout=10)
        answer.raise_for_status()
        return buffer.tell()

    def delete(self, name: str) -> None:
        quoted = requests.utils.quote(name, safe="")
        requests.delete(f"{self.endpoint}/storage/v1/b/{self.name}/o/{quoted}", timeout=10).raise_for_status()


@pytest.fixture(scope="module")
def bucket() -> Iterator[Bucket]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = f"lake-{uuid.uuid4().hex[:8]}"
    with create_server("127.0.0.1", port, in_memory=True, default_bucket=name):
        yield Bucket(f"http://127.0.0.1:{port}", name)


@pytest.fixture(scope="module")
def emulator(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("external") / "log.txt"
    started = start_emulator("--ephemeral", "--storage-endpoint", bucket.endpoint, log=log)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def client(emulator: Emulator) -> bigquery.Client:
    return emulator.client()


@pytest.fixture
def trips(client: bigquery.Client, dataset: str, bucket: Bucket) -> str:
    """A table of two months over a prefix of its own."""
    prefix = f"trips/{dataset.split('.')[1]}"
    bucket.put(f"{prefix}/month=2020-04-01/a.parquet", {"id": [1, 2], "total": [1.5, 2.5]})
    bucket.put(f"{prefix}/month=2020-05-01/a.parquet", {"id": [3], "total": [4.0]})
    external = bigquery.ExternalConfig("PARQUET")
    external.source_uris = [f"gs://{bucket.name}/{prefix}/*"]
    hive = bigquery.HivePartitioningOptions()
    hive.mode, hive.source_uri_prefix = "CUSTOM", f"gs://{bucket.name}/{prefix}/{{month:DATE}}"
    external.hive_partitioning = hive
    table = bigquery.Table(f"{dataset}.trips")
    table.external_data_configuration = external
    client.create_table(table)
    return prefix


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


def test_objects_that_come_change_and_go_are_seen(
    client: bigquery.Client, dataset: str, trips: str, bucket: Bucket
) -> None:
    count = f"SELECT COUNT(*), SUM(id) FROM `{dataset}.trips`"
    assert values(client, count) == [(3, 6)]
    bucket.put(f"{trips}/month=2020-06-01/a.parquet", {"id": [10], "total": [0.0]})
    assert values(client, count) == [(4, 16)]
    bucket.put(f"{trips}/month=2020-06-01/a.parquet", {"id": [20], "total": [0.0]})
    assert values(client, count) == [(4, 26)]
    bucket.delete(f"{trips}/month=2020-06-01/a.parquet")
    assert values(client, count) == [(3, 6)]


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


def test_the_file_name_is_there_for_those_who_ask(
    client: bigquery.Client, dataset: str, trips: str, bucket: Bucket
) -> None:
    rows = values(client, f"SELECT DISTINCT _FILE_NAME FROM `{dataset}.trips` WHERE id = 3")
    assert rows == [(f"gs://{bucket.name}/{trips}/month=2020-05-01/a.parquet",)]
    starred = client.query(f"SELECT *, _FILE_NAME AS f FROM `{dataset}.trips`").result()
    assert [field.name for field in starred.schema] == ["id", "total", "month", "f"]


def test_rows_of_an_external_table_cannot_be_listed_or_written(
    client: bigquery.Client, dataset: str, trips: str
) -> None:
    with pytest.raises(BadRequest, match="Cannot list a table of type EXTERNAL"):
        list(client.list_rows(f"{dataset}.trips", selected_fields=[bigquery.SchemaField("id", "INT64")]))
    with pytest.raises(BadRequest, match="EXTERNAL"):
        client.query(f"DELETE FROM `{dataset}.trips` WHERE TRUE").result()
