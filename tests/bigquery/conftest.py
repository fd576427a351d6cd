"""A real emulator in a process of its own, and Google's own client on it."""

import re
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import grpc
import pytest
from google.api_core.client_options import ClientOptions
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient
from google.cloud.bigquery_storage_v1.services.big_query_read.transports import BigQueryReadGrpcTransport

PROJECT = "lake"
START_SECONDS = 60


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


@pytest.fixture(scope="session")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    started = start_emulator("--ephemeral", log=tmp_path_factory.mktemp("bigquery") / "log.txt")
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
