"""Logs as JSON lines: of the scripts, the command line and the emulators, by one setting."""

import json
import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tarn.logs import JsonFormatter
from tarn.settings import CHECKOUT, Settings

STEPS = CHECKOUT / "scripts"


def lines(text: str) -> list[dict[str, str]]:
    """What a program wrote, each line an object."""
    return [json.loads(line) for line in text.splitlines()]


def ended(command: list[str], settings: Settings) -> subprocess.CompletedProcess[str]:
    environment = os.environ | settings.environment() | {"TARN_LOG_FORMAT": "json"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


def test_a_record_is_one_line_whatever_it_says() -> None:
    try:
        raise ValueError("no\nsuch")
    except ValueError:
        record = logging.LogRecord("tarn.load", logging.ERROR, "f", 1, 'two\nlines "%s" 🚕', ("x",), sys.exc_info())
    text = JsonFormatter().format(record)
    assert "\n" not in text
    told = json.loads(text)
    assert (told["severity"], told["logger"], told["message"]) == ("ERROR", "tarn.load", 'two\nlines "x" 🚕')
    assert "ValueError: no" in told["exception"]
    assert told["time"].endswith("+00:00")


def test_a_script_tells_its_failure_as_json(settings: Settings) -> None:
    done = ended([sys.executable, str(STEPS / "load.py"), "taxi_grin", "2020-04"], settings)
    assert done.returncode == 2
    [told] = lines(done.stderr)
    assert told["severity"] == "ERROR"
    assert "There is no dataset 'taxi_grin'" in told["message"]


def test_the_command_line_tells_its_failure_as_json(settings: Settings) -> None:
    tarn = str(Path(sys.executable).with_name("tarn"))
    done = ended([tarn, "run", "taxi_grin", "--from", "2020-04"], settings)
    assert done.returncode == 1
    [told] = lines(done.stderr)
    assert "There is no dataset 'taxi_grin'" in told["message"]


@pytest.mark.parametrize("way", ["option", "environment"])
def test_the_emulator_logs_json(tmp_path: Path, way: str) -> None:
    command = [sys.executable, "-m", "tarn_bigquery.cli", "--port", "0", "--grpc-port", "0", "--ephemeral"]
    command += ["--log-format", "json"] if way == "option" else []
    environment = os.environ | ({"TARN_LOG_FORMAT": "json"} if way == "environment" else {})
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as emulator:
        assert emulator.stderr is not None
        first = json.loads(emulator.stderr.readline())
        emulator.kill()
    assert (first["severity"], first["logger"]) == ("INFO", "tarn_bigquery")
    assert "BigQuery at http://" in first["message"]
