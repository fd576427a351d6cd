"""Durable files: whole or absent, whatever is killed and whenever."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

TEMPORARY_SUFFIX = ".part"


def temporary_name(path: Path) -> Path:
    """The name under which ``path`` is written until it is whole; it lies in the same folder."""
    return path.with_name(f".{path.name}{TEMPORARY_SUFFIX}")


def commit(temporary: Path, path: Path) -> None:
    """Flush ``temporary`` to disk and give it its name, replacing what was there in one move."""
    with temporary.open("rb") as file:
        os.fsync(file.fileno())
    temporary.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Hand out a temporary path; on leaving without an error it becomes ``path``, else it is removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = temporary_name(path)
    try:
        yield temporary
        commit(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one move."""
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
