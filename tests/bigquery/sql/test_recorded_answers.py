"""Answers that the real BigQuery gave, where they lie beside the project."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bigquery.conftest import Emulator

RUNNER = Path(__file__).parents[3].parent / "shared" / "conformance" / "run.py"
OF_ALL = 0.95
OF_A_FAMILY = 0.85


@pytest.mark.skipif(not RUNNER.exists(), reason="the recorded answers are not part of the project")
def test_the_share_of_recorded_answers(emulator: Emulator, tmp_path: Path) -> None:
    report = tmp_path / "report.json"
    command = [sys.executable, str(RUNNER), "--endpoint", emulator.url, "--jobs", "2", "--json", str(report)]
    subprocess.run(command, check=True, capture_output=True)
    found = json.loads(report.read_text())
    shares = {family: found["passed"].get(family, 0) / total for family, total in found["total"].items()}
    assert min(shares.values()) >= OF_A_FAMILY, found["failures"]
    assert sum(found["passed"].values()) / sum(found["total"].values()) >= OF_ALL, found["failures"]
