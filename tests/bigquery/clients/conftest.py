"""One emulator and one object store for every client: what is a client's own stands in its file."""

from collections.abc import Iterator

import grpc
import pytest
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

from tests.bigquery.conftest import START_SECONDS, Bucket, Emulator, start_emulator

ROWS = 100_000


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
    bucket.put_parquet("clients/trips/month=2020-04-01/a.parquet", {"id": [1, 2], "total": [1.5, 2.5]})
    bucket.put_parquet("clients/trips/month=2020-05-01/a.parquet", {"id": [3], "total": [4.0]})
    return bucket.uri("clients/trips")


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
