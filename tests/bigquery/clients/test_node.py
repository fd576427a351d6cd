"""@google-cloud/bigquery for Node, from the npm registry."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.bigquery.clients.conftest import ROWS
from tests.bigquery.conftest import PROJECT, Emulator

pytestmark = pytest.mark.slow
SOURCES = Path(__file__).with_name("node")
INSTALL_SECONDS = 180
RUN_SECONDS = 120


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the client and the steps. Skips where there is no Node, or no registry to install from."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("Node and npm are not installed")
    folder = tmp_path_factory.mktemp("node") / "client"
    shutil.copytree(SOURCES, folder, ignore=shutil.ignore_patterns("node_modules"))
    command = [npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts", "--prefer-offline"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        pytest.skip(f"npm did not install @google-cloud/bigquery within {INSTALL_SECONDS} seconds")
    if done.returncode:
        pytest.skip(f"npm cannot install @google-cloud/bigquery: {done.stderr.strip()[-300:]}")
    return folder


@pytest.fixture(scope="module")
def report(installed: Path, emulator: Emulator, trips_uri: str, numbers: str) -> dict[str, Any]:
    """What came of every step."""
    csv = installed / "names.csv"
    csv.write_text("id,name\n1,one\n2,\n")
    environment = os.environ | {
        "BIGQUERY_EMULATOR_HOST": emulator.url,
        "GOOGLE_CLOUD_PROJECT": PROJECT,
    }
    done = subprocess.run(
        ["node", "steps.mjs", "node_steps", trips_uri, str(csv), numbers],
        cwd=installed,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=RUN_SECONDS,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("REPORT ")]
    return json.loads(line.removeprefix("REPORT "))


@pytest.mark.parametrize(
    ("step", "outcome"),
    [
        ("tableIsMade", [["t"], True]),
        (
            "fileIsLoaded",
            ["DONE", [{"id": 1, "name": "one"}, {"id": 2, "name": None}, {"id": 3, "name": "three"}]],
        ),
        ("parametersAreBound", ["it's", "2024-02-29", [1, 2], True, -1.5]),
        ("manyRowsArePaged", [[30_000, 30_000, 30_000, 10_000], ROWS * (ROWS + 1) // 2]),
        ("externalTableIsMade", [[3, "2020-05-01"]]),
    ],
)
def test_steps(step: str, outcome: Any, report: dict[str, Any]) -> None:
    assert report[step] == outcome


def test_errors(report: dict[str, Any]) -> None:
    wrong, wrong_code, missing, missing_code = report["errorsAreTold"]
    assert "Unrecognized name: nothing" in wrong
    assert "Not found: Table" in missing
    assert (wrong_code, missing_code) == (400, 404)
