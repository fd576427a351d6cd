"""What GitHub runs: valid by the schemas of its files, pinned, and made of the same commands that people type."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
GITHUB = ROOT / ".github"
WORKFLOW: dict[Any, Any] = yaml.safe_load((GITHUB / "workflows" / "ci.yml").read_text(encoding="utf-8"))
STEPS = [step for job in WORKFLOW["jobs"].values() for step in job["steps"]]
TARGETS = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize(
    ("schema", "file"),
    [("vendor.github-workflows", "workflows/ci.yml"), ("vendor.dependabot", "dependabot.yml")],
)
def test_the_files_are_valid(schema: str, file: str) -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    command = [program, "--builtin-schema", schema, GITHUB / file]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_every_command_is_one_of_make_or_looks_at_what_went_wrong() -> None:
    commands = [step["run"].split() for step in STEPS if "run" in step and step.get("if") != "failure()"]
    assert commands
    assert [command for command in commands if command[0] != "make" or command[1] not in TARGETS] == []


def test_every_action_names_its_version_and_nothing_may_write() -> None:
    used = [step["uses"] for step in STEPS if "uses" in step]
    assert [action for action in used if not re.fullmatch(r"actions/[a-z-]+@v\d+", action)] == []
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in WORKFLOW["jobs"].values())


def test_every_python_that_the_project_declares_is_tested() -> None:
    tested = WORKFLOW["jobs"]["test"]["strategy"]["matrix"]["python"]
    declared = re.search(r'requires-python = ">=(3\.\d+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert declared is not None
    assert min(tested, key=lambda version: int(version.split(".")[1])) == declared[1]
