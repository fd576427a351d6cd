"""bq, the command of the Google Cloud CLI, with `--api`."""

import os
import shutil
import subprocess
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bigquery.conftest import PROJECT, Emulator

pytestmark = pytest.mark.slow
RUN_SECONDS = 120

Bq = Callable[..., str]


@pytest.fixture(scope="module")
def bq(emulator: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Bq:
    """Runs bq and returns what it says. Skips where it is not installed."""
    program = shutil.which("bq")
    if program is None:
        pytest.skip("bq is not installed")
    home = tmp_path_factory.mktemp("bq")
    token = home / "token"
    token.write_text("none")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(token),
        "CLOUDSDK_CORE_PROJECT": PROJECT,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
    }

    def run(*arguments: str) -> str:
        command = [program, "--api", emulator.url, "--project_id", PROJECT, *arguments]
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, check=False, timeout=RUN_SECONDS
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    return run


@pytest.fixture
def dataset(bq: Bq) -> Iterator[str]:
    name = f"bq_{uuid.uuid4().hex[:8]}"
    bq("mk", name)
    yield name
    bq("rm", "-r", "-f", name)


@pytest.mark.feature("Clients", "bq of the Google Cloud CLI")
def test_a_table_from_its_file_to_its_end(bq: Bq, dataset: str, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("1,a\n2,b\n")
    bq("load", "--source_format=CSV", f"{dataset}.t", str(file), "id:INTEGER,s:STRING")
    bq("update", "--description", "few", f"{dataset}.t")
    assert '"description":"few"' in bq("show", "--format=json", f"{dataset}.t").replace('": "', '":"')
    assert bq("head", "--format=csv", f"{dataset}.t").split() == ["id,s", "1,a", "2,b"]
    sql = f"SELECT SUM(id) AS n FROM {dataset}.t"
    assert bq("query", "--nouse_legacy_sql", "--format=csv", sql).split() == ["n", "3"]
    bq("cp", f"{dataset}.t", f"{dataset}.u")
    bq("rm", "-f", f"{dataset}.t")
    assert '"tableId":"u"' in bq("ls", "--format=json", dataset)
