"""Programs that answer as BigQuery does, and an object server for them: each a process, until a block ends."""

import os
import re
import shlex
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import requests
from _ports import free_port
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

PROJECT = "lake"
POLL_SECONDS = 0.005
START_SECONDS = 60
STOP_SECONDS = 30
OURS = "tarn-bigquery"
COMMANDS = {
    OURS: f"{sys.executable} -m tarn_bigquery.cli --ephemeral --port {{port}} --storage-endpoint {{storage}}",
    "bqemulator": "bqemulator start --rest-port {port} --grpc-port {grpc_port}",
    "bigquery-emulator": f"bigquery-emulator --project={PROJECT} --port={{port}} --grpc-port={{grpc_port}}",
}
"""How each is started."""


def installed() -> list[str]:
    """The emulators that are there: this project's, and what else is on the PATH."""
    return [name for name in COMMANDS if name == OURS or shutil.which(name)]


@dataclass(frozen=True)
class Server:
    """A running emulator."""

    url: str
    process: subprocess.Popen[str]

    def client(self) -> bigquery.Client:
        return bigquery.Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": self.url})

    def resident_mib(self) -> float:
        return psutil.Process(self.process.pid).memory_info().rss / 2**20

    def query(self, session: requests.Session, text: str, *, cached: bool = False) -> bytes:
        """The answer of `jobs.query` as it arrives; a client in Python would take longer to decode many rows.

        The query is run again each time, unless what it gave before is welcome.
        """
        url = f"{self.url}/bigquery/v2/projects/{PROJECT}/queries"
        request = {"query": text, "useLegacySql": False, "useQueryCache": cached}
        answer = session.post(url, json=request, timeout=600)
        answer.raise_for_status()
        if not re.search(rb'"rows": ?\[\{', answer.content) or b'"pageToken"' in answer.content:
            raise ValueError(f"{text} gives no rows, or more than one page holds: {answer.text[:100]}")
        return answer.content


@contextmanager
def emulator(folder: Path, storage: str = "http://127.0.0.1:1", name: str = OURS) -> Iterator[Server]:
    """An emulator on any free port that has answered its first query."""
    port, grpc_port = free_port(), free_port()
    command = COMMANDS[name].format(port=port, grpc_port=grpc_port, storage=storage)
    log = folder / f"{name}-{port}.log"
    environment = os.environ | {"STORAGE_EMULATOR_HOST": storage}
    with log.open("w") as sink:
        process = subprocess.Popen(
            shlex.split(command), stdout=sink, stderr=subprocess.STDOUT, text=True, env=environment
        )
    try:
        server = Server(f"http://127.0.0.1:{port}", process)
        _await_answer(server, log)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)


def _await_answer(server: Server, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    with requests.Session() as session:
        while time.monotonic() < deadline and server.process.poll() is None:
            try:
                server.query(session, "SELECT 1")
            except requests.ConnectionError:
                time.sleep(POLL_SECONDS)
            else:
                return
    raise RuntimeError(f"{server.process.args} did not answer.\n{log.read_text()}")


@contextmanager
def object_server(folder: Path) -> Iterator[str]:
    """The address of an object server."""
    port = free_port()
    command = [sys.executable, "-m", "tarn.local.gcs_server", "--port", str(port), "--dir", str(folder)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        while socket.socket().connect_ex(("127.0.0.1", port)):
            time.sleep(POLL_SECONDS)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=STOP_SECONDS)
