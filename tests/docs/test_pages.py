"""The documentation: it builds, it quotes errors that exist, and its commands are run with the README's."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
SOURCES = ("plugins/tarn", "emulators", "scripts")
TROUBLE = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")


def code_text() -> str:
    """All code in one line a file, with the seams of strings that run over several lines taken out."""
    files = (file for folder in SOURCES for ending in ("*.py", "*.sh") for file in (ROOT / folder).rglob(ending))
    joined = "\n".join(" ".join(file.read_text(encoding="utf-8").split()) for file in files)
    return re.sub(r"\" f?\"", "", joined)


@pytest.fixture(scope="module")
def code() -> str:
    return code_text()


@pytest.mark.parametrize("heading", re.findall(r"^### `(.*)`$", TROUBLE, re.MULTILINE))
def test_an_error_that_is_explained_is_one_that_is_printed(heading: str, code: str) -> None:
    parts = [part.strip(" ,") for part in heading.split("…")]
    assert [part for part in parts if part not in code] == []


def test_the_site_builds_and_every_link_leads_somewhere(tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("mkdocs")
    command = [program, "build", "--strict", "--site-dir", tmp_path / "site"]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stderr
    assert (tmp_path / "site" / "index.html").is_file()


def test_every_page_is_in_the_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {str(page.relative_to(DOCS)) for page in DOCS.rglob("*.md")}
    assert {page for page in pages if page not in navigation} == set()


def test_every_shell_block_says_whether_it_is_run() -> None:
    """``bash`` is run by the tests of the README; the others say what they need that a test has not."""
    known = {"bash", "bash cloud", "bash docker", "bash cluster"}
    for page in DOCS.rglob("*.md"):
        infos = re.findall(r"^```([^\n]+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
        assert {info for info in infos if info.startswith(("bash", "sh", "console"))} <= known, page
