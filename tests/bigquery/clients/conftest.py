"""One emulator and one object store for every client: what is a client's own stands in its file."""

import io
import socket
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from gcp_storage_emulator.server import create_server
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

from tests.bigquery.conftest import START_SECONDS, Emulator, start_emulator

ROWS = 100_000


@dataclass(frozen=True)
class Bucket:
    """A bucket of a running object store."""

    endpoint: str
    name: str

    def put(self, name: str, content: bytes) -> str:
        """Write an object. Returns its address, `gs://bucket/name`."""
        url = f"{self.endpoint}/upload/storage/v1/b/{self.name}/o"
        answer = requests.post(url, params={"uploadType": "media", "name": name}, data=content, timeout=10)
        answer.raise_for_status()
        return f"gs://{self.name}/{name}"

    def put_parquet(self, name: str, columns: dict[str, list[object]]) -> str:
        buffer = io.BytesIO()
        pq.write_table(pa.table(columns), buffer)
        return self.put(name, buffer.getvalue())


@pytest.fixture(scope="session")
def bucket() -> Iterator[Bucket]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    name = f"lake-{uuid.uuid4().hex[:8]}"
    with create_server("127.0.0.1", port, in_memory=True, default_bucket=name):
        yield Bucket(f"http://127.0.0.1:{port}", name)


@pytest.fixture(scope="session")
def emulator(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("clients") / "log.txt"
    started = start_emulator("--ephemeral", "--storage-endpoint", bucket.endpoint, log=log)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> bigquery.Client:
    return emulator.client()


@pytest.fixture(scope="session")
def storage_client(emulator: Emulator) -> Iterator[BigQueryReadClient]:
    with grpc.insecure_channel(emulator.grpc_address) as channel:
        grpc.channel_ready_future(channel).result(START_SECONDS)
        yield BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))


@pytest.fixture(scope="session")
def numbers(client: bigquery.Client) -> str:
    """A table of 100,000 numbers `x`, with their texts `s`: `project.dataset.table`."""
    client.create_dataset("many")
    table = f"{client.project}.many.numbers"
    rows = f"SELECT x, CAST(x AS STRING) AS s FROM UNNEST(GENERATE_ARRAY(1, {ROWS})) AS x"
    client.query_and_wait(f"CREATE TABLE `{table}` AS {rows}")
    return table


@pytest.fixture(scope="session")
def trips_uri(bucket: Bucket) -> str:
    """The prefix of Parquet files `id`, `total` of two months, by `month=YYYY-MM-01`: 2 rows in April, 1 in May."""
    bucket.put_parquet("trips/month=2020-04-01/a.parquet", {"id": [1, 2], "total": [1.5, 2.5]})
    bucket.put_parquet("trips/month=2020-05-01/a.parquet", {"id": [3], "total": [4.0]})
    return f"gs://{bucket.name}/trips"


def external_table(uri: str) -> dict[str, object]:
    """An externalDataConfiguration over the trips."""
    return {
        "sourceFormat": "PARQUET",
        "sourceUris": [f"{uri}/*"],
        "autodetect": True,
        "hivePartitioningOptions": {"mode": "CUSTOM", "sourceUriPrefix": f"{uri}/{{month:DATE}}"},
    }


@pytest.fixture
def trips(client: bigquery.Client, dataset: str, trips_uri: str) -> str:
    """An external table of the trips: `project.dataset.table`."""
    table = bigquery.Table(f"{dataset}.trips")
    table.external_data_configuration = bigquery.ExternalConfig.from_api_repr(external_table(trips_uri))
    client.create_table(table)
    return f"{dataset}.trips"
