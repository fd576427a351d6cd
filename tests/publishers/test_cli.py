"""The command's answers to a user's mistakes: one line, no traceback."""

import socket
import subprocess
import sys

import pytest


def _run(*options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tarn_publishers", *options], capture_output=True, text=True, timeout=60, check=False
    )


def test_a_taken_port_is_named(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = _run("--data-dir", str(tmp_path), "--port", str(port))
    assert run.returncode == 1
    assert f"127.0.0.1:{port}" in run.stderr
    assert "--port" in run.stderr
    assert "Traceback" not in run.stderr


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").touch()
    run = _run("--data-dir", str(tmp_path / "file" / "folder"))
    assert run.returncode == 1
    assert "--data-dir" in run.stderr
    assert "Traceback" not in run.stderr


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (["--rows", "0"], "1 or more"),
        (["--rows", "many"], "invalid"),
        (["--port", "70000"], "0 to 65535"),
        (["--bad-rows", "2"], "0 to 1"),
        (["--faults", "flood=0.1"], "no such fault: 'flood'"),
        (["--faults", "503"], "not KIND=SHARE"),
        (["--faults", "503=0.6,429=0.6"], "more than 1"),
        ([], "--data-dir"),
    ],
)
def test_a_wrong_option_is_refused_with_the_reason(tmp_path, options, reason):
    folder = ["--data-dir", str(tmp_path)] if options else []
    run = _run(*folder, *options)
    assert run.returncode == 2
    assert reason in run.stderr
    assert "Traceback" not in run.stderr
