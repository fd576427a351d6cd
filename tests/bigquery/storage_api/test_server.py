"""The port of the Storage Read API."""

import socket
from pathlib import Path

import pytest

from tests.bigquery.conftest import start_emulator


def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with pytest.raises(RuntimeError, match=rf"Cannot listen on 127.0.0.1:{port}.*--grpc-port"):
            start_emulator("--ephemeral", "--grpc-port", port, log=tmp_path / "log.txt")


def test_the_emulator_runs_without_it(tmp_path: Path) -> None:
    log = tmp_path / "log.txt"
    emulator = start_emulator("--ephemeral", "--grpc-port", "0", log=log)
    try:
        assert [dataset.dataset_id for dataset in emulator.client().list_datasets()] == []
    finally:
        emulator.stop()
    assert "Storage Read API at" not in log.read_text()
