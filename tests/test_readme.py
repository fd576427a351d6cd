"""The README and the documentation say only what is true: their commands are run, in a copy of the project."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from tarn.local import processes
from tarn.settings import Settings
from tests.ports import free_ports

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
PORTS = ("AIRFLOW", "BIGQUERY", "GCS", "PUBLISHERS", "DOCS")
LEFT_OUT = {".venv", ".git", ".tarn", "tests"}


@dataclass(frozen=True)
class Block:
    """A fenced block: what follows its three ticks, and its lines."""

    info: str
    text: str


def blocks_of(page: str) -> list[Block]:
    return [Block(*found) for found in re.findall(r"^```([^\n]*)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)]


def commands_of(blocks: list[Block]) -> list[str]:
    return [line for block in blocks if block.info == "bash" for line in block.text.splitlines()]


BLOCKS = blocks_of(README)
COMMANDS = commands_of(BLOCKS)
PAGES = ("index", "way-of-the-data", "add-a-dataset", "operate", "pipelines", "deploy-composer")
PAGES_COMMANDS = [
    command for page in PAGES for command in commands_of(blocks_of((ROOT / "docs" / f"{page}.md").read_text("utf-8")))
]


@dataclass(frozen=True)
class Newcomer:
    """Somebody at a shell in their own copy of the project, with state and ports of their own."""

    folder: Path
    environment: dict[str, str]

    def types(self, command: str) -> str:
        """Run a command as it stands in the README; what it printed."""
        shell = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=900,
            check=False,
        )
        assert shell.returncode == 0, f"$ {command}\n{shell.stdout}"
        return shell.stdout


def borrow_environment(venv: Path) -> None:
    """This project's environment for the copy, marked as installed: nothing may be installed into it from there."""
    venv.mkdir()
    for part in (ROOT / ".venv").iterdir():
        (venv / part.name).symlink_to(part)
    (venv / ".installed").unlink(missing_ok=True)
    (venv / ".installed").touch()


@pytest.fixture
def newcomer(tmp_path: Path) -> Iterator[Newcomer]:
    folder = tmp_path / "tarn"
    shutil.copytree(ROOT, folder, ignore=lambda inside, names: LEFT_OUT & set(names) if Path(inside) == ROOT else ())
    borrow_environment(folder / ".venv")
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("TARN_", "AIRFLOW_"))}
    ports = {f"TARN_{name}_PORT": str(port) for name, port in zip(PORTS, free_ports(len(PORTS)), strict=True)}
    own = {"TARN_ROOT": str(folder), "TARN_HOME": str(folder / ".tarn"), "TARN_SAMPLE_ROWS": "60000"}
    newcomer = Newcomer(folder, clean | ports | own)
    yield newcomer
    newcomer.types("make down")


@pytest.mark.slow
@pytest.mark.timeout(2700)
def test_every_command_of_the_readme_works(newcomer: Newcomer) -> None:
    printed = {}
    for command in COMMANDS:
        if "taxi_fhvhv" in command:
            spec = next(block.text for block in BLOCKS if block.info == "yaml")
            (newcomer.folder / "datasets" / "taxi_fhvhv.yaml").write_text(spec)
        if command != "make test":  # that is what runs now
            printed[command] = newcomer.types(command)

    for command in dict.fromkeys(PAGES_COMMANDS):
        if command not in (*COMMANDS, "make down"):
            printed[command] = newcomer.types(command)

    demo = printed["make demo"]
    assert re.search(r"success\s+dbt_build", demo)
    assert "2020-05-01" in demo.split("monthly_summary")[1]
    counted = next(text for command, text in printed.items() if "tarn query" in command)
    assert re.findall(r"2020-0[45]-01 +(\d+)", counted) == ["3540", "5700"]

    newcomer.types("make down")
    home = newcomer.environment["TARN_HOME"]
    assert [p for p in psutil.process_iter(["environ"]) if (p.info["environ"] or {}).get("TARN_HOME") == home] == []
    assert processes.holder_of(int(newcomer.environment["TARN_AIRFLOW_PORT"])) == ""


def test_every_page_with_commands_is_among_those_that_are_run() -> None:
    pages = {page.stem for page in (ROOT / "docs").rglob("*.md") if commands_of(blocks_of(page.read_text("utf-8")))}
    assert pages <= set(PAGES)


def test_commands_that_need_an_account_are_marked() -> None:
    assert [block.text for block in BLOCKS if "TARN_TARGET=gcp" in block.text and block.info != "bash cloud"] == []


def test_the_table_of_settings_is_what_the_settings_say() -> None:
    told = re.findall(r"^\| `TARN_(\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE)
    assert told == [
        (name.upper(), shown(field.get_default(call_default_factory=True)), field.description)
        for name, field in Settings.model_fields.items()
    ]


def shown(default: object) -> str:
    """A setting's default as the table shows it."""
    if default in (None, "", {}):
        return "none"
    if default == ROOT:
        return "the checkout"
    return f"`{default.relative_to(ROOT) if isinstance(default, Path) else default}`"


def test_its_pictures_and_links_are_there() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
