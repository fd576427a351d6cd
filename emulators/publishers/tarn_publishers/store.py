"""Files made on first request, then served from disk."""

import asyncio
import io
import os
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

import anyio
import anyio.to_thread

Write = Callable[[BinaryIO], None]

FILES_MADE_AT_ONCE = 2


class MakingStoppedError(Exception):
    """The store was closed while the file was being made."""


class FileStore:
    """A folder of made files. Requests that come while a file is being made wait for that one making."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._making: dict[str, asyncio.Task[None]] = {}
        self._limiter = anyio.CapacityLimiter(FILES_MADE_AT_ONCE)
        self._stopping = threading.Event()

    async def fetch(self, name: str, write: Write) -> Path:
        """The file of that name, made by `write` if the folder lacks it.

        Raises OSError when the folder cannot be written, MakingStoppedError when the store is closed meanwhile.
        """
        path = self._folder / name
        if not path.exists():
            if name not in self._making:
                self._making[name] = asyncio.create_task(self._make(path, write))
                self._making[name].add_done_callback(lambda _: self._making.pop(name))
            # A client that goes away must not undo what others wait for.
            await asyncio.shield(self._making[name])
        return path

    async def close(self) -> None:
        """Stops what is being made, and waits until it has cleaned up behind itself."""
        self._stopping.set()
        await asyncio.gather(*self._making.values(), return_exceptions=True)

    async def _make(self, path: Path, write: Write) -> None:
        await anyio.to_thread.run_sync(_write_whole, path, write, self._stopping, limiter=self._limiter)


class _StoppableFile(io.FileIO):
    """A file whose next write fails once the store is closed: a thread cannot be stopped in another way."""

    def __init__(self, descriptor: int, stopping: threading.Event) -> None:
        super().__init__(descriptor, "wb")
        self._stopping = stopping

    def write(self, data) -> int:  # type: ignore[no-untyped-def]
        if self._stopping.is_set():
            raise MakingStoppedError(f"{self.name} is left unfinished")
        return super().write(data)


def _write_whole(path: Path, write: Write, stopping: threading.Event) -> None:
    """The file appears under its name only once it is complete and on disk."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with io.BufferedWriter(_StoppableFile(descriptor, stopping)) as out:
            write(out)
            out.flush()
            os.fsync(descriptor)
        Path(temporary).rename(path)
    except BaseException:
        Path(temporary).unlink()
        raise
