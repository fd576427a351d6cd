"""The tables of the READMEs are those that the tests' marks give."""

import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parents[2] / "emulators" / "bigquery" / "feature_table.py"


def test_the_tables_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, str(SCRIPT), "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_ways_are_told() -> None:
    text = SCRIPT.with_name("README.md").read_text(encoding="utf-8")
    for status in ("supported", "partly", "refused"):
        assert f"| {status} |" in text
