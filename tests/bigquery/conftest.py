"""A real emulator in a process of its own, and Google's own client on it."""

import io
import re
import subprocess
import sys
import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import grpc
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

PROJECT = "lake"
START_SECONDS = 60
STORE_SECONDS = 30


@dataclass(frozen=True)
class Bucket:
    """A bucket of a running object store, used through its API as any client uses it."""

    endpoint: str
    name: str

    def uri(self, path: str) -> str:
        return f"gs://{self.name}/{path}"

    def put(self, name: str, content: bytes) -> str:
        """Write an object. Returns its address."""
        url = f"{self.endpoint}/upload/storage/v1/b/{self.name}/o"
        given = {"uploadType": "media", "name": name}
        head = {"Content-Type": "application/octet-stream"}
        requests.post(url, params=given, data=content, headers=head, timeout=STORE_SECONDS).raise_for_status()
        return self.uri(name)

    def put_parquet(self, name: str, columns: Mapping[str, Sequence[Any]] | pa.Table) -> str:
        """Write a Parquet object. Returns its address."""
        table = columns if isinstance(columns, pa.Table) else pa.table(dict(columns))
        buffer = io.BytesIO()
        pq.write_table(table, buffer)
        return self.put(name, buffer.getvalue())

    def read(self, name: str) -> bytes:
        answer = requests.get(self._object(name), params={"alt": "media"}, timeout=STORE_SECONDS)
        answer.raise_for_status()
        return answer.content

    def delete(self, name: str) -> None:
        requests.delete(self._object(name), timeout=STORE_SECONDS).raise_for_status()

    def names(self, prefix: str) -> list[str]:
        url = f"{self.endpoint}/storage/v1/b/{self.name}/o"
        answer = requests.get(url, params={"prefix": prefix}, timeout=STORE_SECONDS)
        return sorted(item["name"] for item in answer.json().get("items", []))

    def _object(self, name: str) -> str:
        return f"{self.endpoint}/storage/v1/b/{self.name}/o/{quote(name, safe='')}"


@dataclass
class Emulator:
    """A running emulator: its address, and its process to be killed or asked."""

    url: str
    process: subprocess.Popen[str]

    def client(self, project: str = PROJECT) -> bigquery.Client:
        options = ClientOptions(api_endpoint=self.url)
        return bigquery.Client(project, AnonymousCredentials(), client_options=options)

    @property
    def grpc_address(self) -> str:
        """Where the Storage Read API is: ten ports above the REST API."""
        host, _, port = self.url.removeprefix("http://").partition(":")
        return f"{host}:{int(port) + 10}"

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(timeout=20)
        if self.process.stderr is not None:
            self.process.stderr.close()


def start_emulator(*arguments: str, log: Path) -> Emulator:
    """Start `tarn-bigquery` on a free port and wait until it says where it listens. Its log goes to `log`."""
    command = [sys.executable, "-m", "tarn_bigquery.cli", "--port", "0", *arguments]
    with log.open("w") as sink:
        process = subprocess.Popen(command, stderr=sink, text=True)
    while process.poll() is None:
        if found := re.search(r"BigQuery at (http://\S+),", log.read_text()):
            return Emulator(found[1], process)
    raise RuntimeError(log.read_text())


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "feature(part, name, lacks='', refused=False): a row of the READMEs' tables")


@pytest.fixture(scope="session")
def bucket(any_gcs: str) -> Bucket:
    """The bucket that the emulator reads. A test writes below a prefix of its own."""
    made = requests.post(f"{any_gcs}/storage/v1/b?project={PROJECT}", json={"name": "lake"}, timeout=STORE_SECONDS)
    made.raise_for_status()
    return Bucket(any_gcs, "lake")


@pytest.fixture(scope="session")
def emulator(bucket: Bucket, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("bigquery") / "log.txt"
    started = start_emulator("--ephemeral", "--storage-endpoint", bucket.endpoint, log=log)
    yield started
    started.stop()


@pytest.fixture(scope="session")
def client(emulator: Emulator) -> bigquery.Client:
    return emulator.client()


@pytest.fixture(scope="session")
def storage_client(emulator: Emulator) -> Iterator[BigQueryReadClient]:
    """A client of the Storage Read API."""
    with grpc.insecure_channel(emulator.grpc_address) as channel:
        grpc.channel_ready_future(channel).result(START_SECONDS)
        yield BigQueryReadClient(transport=BigQueryReadGrpcTransport(channel=channel))


@pytest.fixture
def dataset(client: bigquery.Client) -> Iterator[str]:
    """The id of a dataset of the test's own, `project.dataset`."""
    name = f"{client.project}.t_{uuid.uuid4().hex[:12]}"
    client.create_dataset(name)
    yield name
    client.delete_dataset(name, delete_contents=True, not_found_ok=True)


@pytest.fixture
def trips(client: bigquery.Client, dataset: str, bucket: Bucket) -> str:
    """A table of two months over a prefix of its own."""
    prefix = f"trips/{dataset.split('.')[1]}"
    bucket.put_parquet(f"{prefix}/month=2020-04-01/a.parquet", {"id": [1, 2], "total": [1.5, 2.5]})
    bucket.put_parquet(f"{prefix}/month=2020-05-01/a.parquet", {"id": [3], "total": [4.0]})
    external = bigquery.ExternalConfig("PARQUET")
    external.source_uris = [f"gs://{bucket.name}/{prefix}/*"]
    hive = bigquery.HivePartitioningOptions()
    hive.mode, hive.source_uri_prefix = "CUSTOM", f"gs://{bucket.name}/{prefix}/{{month:DATE}}"
    external.hive_partitioning = hive
    table = bigquery.Table(f"{dataset}.trips")
    table.external_data_configuration = external
    client.create_table(table)
    return prefix
