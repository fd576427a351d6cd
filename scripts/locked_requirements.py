#!/usr/bin/env python3
"""The part of requirements.lock that some projects need: for an image, or for a machine that brings the rest.

A PROJECT is a folder with a pyproject.toml; its extras, such as the tools of development, are left out. Needs nothing
but Python, so that it runs before anything is installed.
"""

import argparse
import re
import signal
import sys
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"
PINNED = re.compile(rf"(?P<name>{NAME})(\[.*?\])?==")
NEEDED_BY = re.compile(rf"\s+#\s+(via\s+)?(?P<name>{NAME})( \(.*\))?$")


class NotLocked(Exception):
    """A project needs a package that the lock does not have."""


class Pin(NamedTuple):
    """A package at one version, as the lock writes it; there are several where kinds of machine need different ones."""

    requirement: str
    hashes: tuple[str, ...]
    needed_by: frozenset[str]

    def text(self, hashes: bool) -> str:
        """The requirement for pip or uv."""
        return " \\\n    ".join((self.requirement, *(self.hashes if hashes else ())))


def read_lock(text: str) -> dict[str, list[Pin]]:
    """The pins of a lock that ``uv pip compile`` wrote, by normalized name, in its order."""
    pins = defaultdict(list)
    for block in re.split(r"\n(?=\w)", text):
        first, *rest = block.splitlines()
        if pinned := PINNED.match(first):
            hashes = tuple(line.strip(" \\") for line in rest if "--hash=" in line)
            needed_by = frozenset(normalized(found["name"]) for line in rest if (found := NEEDED_BY.match(line)))
            pins[normalized(pinned["name"])].append(Pin(first.rstrip(" \\"), hashes, needed_by))
    return dict(pins)


def closure(pins: Mapping[str, Sequence[Pin]], roots: Iterable[str]) -> set[str]:
    """The roots and all that they need; raises NotLocked."""
    needs = defaultdict(set)
    for name, versions in pins.items():
        for pin in versions:
            for needing in pin.needed_by:
                needs[needing].add(name)
    found: set[str] = set()
    waiting = {normalized(root) for root in roots}
    if missing := sorted(waiting - pins.keys()):
        raise NotLocked(f"requirements.lock does not have {', '.join(missing)}: run `make lock`.")
    while waiting:
        name = waiting.pop()
        found.add(name)
        waiting |= needs[name] - found
    return found


def project_needs(folders: Iterable[Path]) -> set[str]:
    """The packages that the projects name as dependencies, without the projects themselves."""
    projects = [tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"] for folder in folders]
    names = {re.match(NAME, need)[0] for project in projects for need in project["dependencies"]}  # type: ignore[index]
    return {normalized(name) for name in names} - {normalized(project["name"]) for project in projects}


def normalized(name: str) -> str:
    """A package's name as registries compare it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def main() -> int:
    """Print the requirements; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("projects", type=Path, nargs="+", metavar="PROJECT", help="folder with a pyproject.toml")
    parser.add_argument("--no-hashes", action="store_true", help="for a target whose installer cannot check them")
    parser.add_argument(
        "--provided", action="append", default=[], metavar="PACKAGE", help="what the target has, with all it needs"
    )
    parser.add_argument(
        "--without", action="append", default=[], metavar="PACKAGE", help="a need of the projects to leave out"
    )
    options = parser.parse_args()
    pins = read_lock(LOCK.read_text(encoding="utf-8"))
    try:
        wanted = closure(pins, project_needs(options.projects) - set(map(normalized, options.without)))
        wanted -= closure(pins, options.provided)
    except NotLocked as error:
        sys.exit(str(error))
    for name in sorted(wanted):
        for pin in pins[name]:
            print(pin.text(hashes=not options.no_hashes))
    return 0


if __name__ == "__main__":
    # A reader that has seen enough, such as `head`, ends it in silence, as it ends any other command.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    sys.exit(main())
