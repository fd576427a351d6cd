"""The part of the lock for an image, or for a machine that brings the rest."""

import importlib.util
import os
import re
import signal
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = ROOT / "scripts" / "locked_requirements.py"
LOCK = """# how this was made
a-lake==1.0 \\
    --hash=sha256:aa \\
    --hash=sha256:ab
    # via project (pyproject.toml)
bricks==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:ba
    # via
    #   a-lake
    #   tools
bricks==3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:bb
    # via
    #   a-lake
    #   tools
clay==1.0 \\
    --hash=sha256:ca
    # via bricks
Tools_of_dev==1.0 \\
    --hash=sha256:da
    # via project (pyproject.toml)
"""


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("locked_requirements", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements(*words: str) -> list[str]:
    done = subprocess.run([sys.executable, SCRIPT, *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()


def names(lines: list[str]) -> set[str]:
    return {line.split("==")[0] for line in lines if "==" in line}


def test_a_package_brings_what_it_needs_and_only_that(script: ModuleType) -> None:
    pins = script.read_lock(LOCK)
    assert script.closure(pins, ["A.Lake"]) == {"a-lake", "bricks", "clay"}
    assert script.closure(pins, ["clay"]) == {"clay"}
    assert [pin.requirement for pin in pins["bricks"]] == [
        "bricks==2.0 ; python_full_version < '3.12'",
        "bricks==3.0 ; python_full_version >= '3.12'",
    ]
    assert pins["a-lake"][0].text(hashes=True) == "a-lake==1.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:ab"
    with pytest.raises(script.NotLocked, match="does not have nothing-like-it: run `make lock`"):
        script.closure(pins, ["nothing_like_it", "clay"])


def test_every_need_of_the_project_is_pinned_with_hashes_and_no_tool_of_development_is() -> None:
    lines = requirements(".", "--without", "tarn-bigquery", "--without", "tarn-publishers")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    needs = {re.split(r"[\[<>=]", need)[0] for need in project["dependencies"]}
    assert needs - {"tarn-bigquery", "tarn-publishers"} <= names(lines)
    assert names(lines).isdisjoint({"pytest", "mypy", "ruff", "mkdocs-material"})
    assert lines.count("") == 0
    assert sum("--hash=sha256:" in line for line in lines) >= len(names(lines))
    assert "://" not in "".join(lines)


def test_what_the_target_brings_stays_out_with_all_that_only_it_needs() -> None:
    whole = names(requirements(".", "--no-hashes", "--without", "tarn-bigquery", "--without", "tarn-publishers"))
    composer = requirements(
        *(".", "--no-hashes", "--without", "tarn-bigquery", "--without", "tarn-publishers"),
        *("--provided", "apache-airflow", "--provided", "apache-airflow-providers-google"),
    )
    assert {"dbt-bigquery", "astronomer-cosmos", "isal"} <= names(composer)
    assert names(composer) < whole
    assert names(composer).isdisjoint({"apache-airflow", "google-cloud-bigquery", "pyarrow"})
    assert not any("--hash" in line for line in composer)


def test_composer_gets_what_it_has_not_and_may_have_more() -> None:
    script = ROOT / "scripts" / "composer_requirements.sh"
    plain, with_isal = (
        subprocess.run([script, *words], capture_output=True, text=True, check=True).stdout.splitlines()
        for words in ((), ("isal",))
    )
    assert {"dbt-core", "astronomer-cosmos", "isal"} <= names(plain)
    assert names(plain).isdisjoint({"apache-airflow", "celery", "gcp-storage-emulator", "tarn-bigquery", "duckdb"})
    assert names(plain) - names(with_isal) == {"isal"}


def test_a_reader_that_leaves_early_ends_it_in_silence() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    script = ROOT / "scripts" / "composer_requirements.sh"
    with os.fdopen(writing, "wb") as pipe:
        done = subprocess.run([script], stdout=pipe, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")
