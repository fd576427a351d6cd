"""A real server of the publishers, started by its own command on a free port."""

import gzip
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import requests

ROWS = 2_000


@dataclass(frozen=True)
class Publishers:
    """A running server."""

    url: str
    data_dir: Path

    def get(self, path: str, **kwargs) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **kwargs)

    def csv(self, service: str, month: str) -> bytes:
        """The unpacked CSV of a month."""
        answer = self.get(f"/taxi/{service}/{service}_tripdata_{month}.csv.gz")
        answer.raise_for_status()
        return gzip.decompress(answer.content)

    def arm(self, path: str, kind: str, **particulars) -> None:
        fault = {"path": path, "kind": kind, **particulars}
        requests.post(f"{self.url}/_faults", json=fault, timeout=10).raise_for_status()


Start = Callable[..., AbstractContextManager[Publishers]]


@contextmanager
def _running(data_dir: Path, *options: str) -> Iterator[Publishers]:
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--data-dir", str(data_dir), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Publishers(process.stdout.readline().split()[-1], data_dir)
        finally:
            process.terminate()


@pytest.fixture
def start_publishers() -> Start:
    """Starts a server with a data folder and options of the test's own."""
    return _running


@pytest.fixture(scope="session")
def shared_publishers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Publishers]:
    with _running(tmp_path_factory.mktemp("publishers"), "--rows", str(ROWS)) as publishers:
        yield publishers


@pytest.fixture
def publishers(shared_publishers: Publishers) -> Iterator[Publishers]:
    """One server for all tests, without any fault left over from another."""
    yield shared_publishers
    requests.delete(f"{shared_publishers.url}/_faults", timeout=10).raise_for_status()
