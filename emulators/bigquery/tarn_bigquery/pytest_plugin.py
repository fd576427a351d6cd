"""A pytest plugin: the fixture `tarn_bigquery` is a running emulator that keeps nothing.

pytest finds it where the package is installed. Nothing is imported or started before a test asks for the fixture.
"""

import contextlib
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from google.cloud import bigquery

_START_SECONDS = 60
_STOP_SECONDS = 20
_POLL_SECONDS = 0.02
_READY = re.compile(r"BigQuery at (http://\S+),")


@dataclass(frozen=True)
class TarnBigQuery:
    """A running emulator, and what clients need to reach it."""

    url: str
    project: str

    @property
    def grpc_address(self) -> str:
        """Where the Storage Read API listens, `host:port`."""
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return f"{host}:{int(port) + 10}"

    @property
    def environment(self) -> dict[str, str]:
        """The variables by which Google's Python clients, and with them Airflow's hooks, find it."""
        return {"BIGQUERY_EMULATOR_HOST": self.url, "GOOGLE_CLOUD_PROJECT": self.project}

    @property
    def dbt_output(self) -> dict[str, Any]:
        """An output of a dbt profile; `dataset` may be another."""
        return {
            "type": "bigquery",
            "method": "oauth-secrets",
            "token": "dummy",
            "api_endpoint": self.url,
            "project": self.project,
            "dataset": "dbt",
            "threads": 4,
        }

    def client(self) -> "bigquery.Client":
        """Google's client. Raises ImportError where google-cloud-bigquery is not installed."""
        from google.auth.credentials import AnonymousCredentials
        from google.cloud import bigquery

        return bigquery.Client(self.project, AnonymousCredentials(), client_options={"api_endpoint": self.url})


@pytest.fixture(scope="session")
def tarn_bigquery_options() -> list[str]:
    """Options of the command line that the emulator gets besides its own: override it, for a bucket's endpoint say."""
    return []


@pytest.fixture(scope="session")
def tarn_bigquery(tarn_bigquery_options: list[str]) -> Iterator[TarnBigQuery]:
    """A BigQuery emulator for the session, on a free port, with its state in memory."""
    with tempfile.TemporaryDirectory(prefix="tarn-bigquery-") as folder, _running(folder, tarn_bigquery_options) as url:
        yield TarnBigQuery(url, "test-project")


@contextlib.contextmanager
def _running(folder: str, options: list[str]) -> Iterator[str]:
    log = Path(folder) / "log.txt"
    command = [sys.executable, "-m", "tarn_bigquery.cli", "--port", "0", "--ephemeral", *options]
    with log.open("w") as sink:
        process = subprocess.Popen(command, stderr=sink)
    try:
        yield _address(process, log)
    finally:
        process.terminate()
        process.wait(_STOP_SECONDS)


def _address(process: "subprocess.Popen[bytes]", log: Path) -> str:
    deadline = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if found := _READY.search(log.read_text(encoding="utf-8")):
            return found[1]
        time.sleep(_POLL_SECONDS)
    raise RuntimeError(f"The BigQuery emulator did not start:\n{log.read_text(encoding='utf-8')}")
