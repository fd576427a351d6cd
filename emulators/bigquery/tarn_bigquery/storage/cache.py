"""A bounded cache of immutable content on disk, shared by the queries of one process.

An entry's key says all that its bytes depend on, so an entry never goes stale; it only goes unused.
The folder may be deleted at any time: what is missing is produced again.
"""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from collections import OrderedDict
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

_LOG = logging.getLogger(__name__)
_TEMPORARY_SUFFIX = ".part"

Producer = Callable[[Path], None]
"""Writes an entry's content to the path it is given; what it raises reaches those who wait."""


@dataclass(slots=True)
class _Entry:
    size: int
    pins: int = 0


class ObjectCache:
    """Content by key, least recently used out first; what a running query has pinned stays."""

    def __init__(self, directory: Path, max_bytes: int) -> None:
        self._directory = directory
        self._max_bytes = max_bytes
        self._lock = Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()
        self._total_bytes = 0
        self._in_flight: dict[str, Future[None]] = {}
        self._adopt_files()

    @property
    def total_bytes(self) -> int:
        """Bytes held now. More than the limit only while running queries need that much."""
        with self._lock:
            return self._total_bytes

    def acquire(self, key: str, produce: Producer) -> Path:
        """The file that holds a key's content, pinned until `release`.

        Whoever asks first for content that is not there produces it; others who ask meanwhile wait.
        """
        digest = _digest(key)
        while True:
            with self._lock:
                if self._pin_if_intact(digest):
                    return self._path(digest)
                awaited = self._in_flight.get(digest)
                if awaited is None:
                    mine: Future[None] = Future()
                    self._in_flight[digest] = mine
            if awaited is None:
                return self._produce(digest, produce, mine)
            awaited.result()

    def holds(self, key: str) -> bool:
        """Whether the content of a key was here just now. Only a pin keeps it here."""
        with self._lock:
            return _digest(key) in self._entries

    def release(self, key: str) -> None:
        """Give back one pin; then evict what the limit no longer allows."""
        digest = _digest(key)
        with self._lock:
            self._entries[digest].pins -= 1
            self._evict()

    def _produce(self, digest: str, produce: Producer, mine: Future[None]) -> Path:
        path = self._path(digest)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=path.parent, suffix=_TEMPORARY_SUFFIX)
            os.close(handle)
            temporary = Path(name)
            try:
                produce(temporary)
                with temporary.open("rb") as content:
                    os.fsync(content.fileno())
                size = temporary.stat().st_size
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        except BaseException as error:
            with self._lock:
                del self._in_flight[digest]
            mine.set_exception(error)
            raise
        with self._lock:
            lost = self._entries.pop(digest, _Entry(size=0))
            self._entries[digest] = _Entry(size, lost.pins + 1)
            self._total_bytes += size - lost.size
            del self._in_flight[digest]
            self._evict()
        mine.set_result(None)
        return path

    def _pin_if_intact(self, digest: str) -> bool:
        entry = self._entries.get(digest)
        if entry is None:
            return False
        try:
            if self._path(digest).stat().st_size != entry.size:
                return False
        except FileNotFoundError:
            return False
        entry.pins += 1
        self._entries.move_to_end(digest)
        return True

    def _evict(self) -> None:
        if self._total_bytes <= self._max_bytes:
            return
        for digest in [digest for digest, entry in self._entries.items() if not entry.pins]:
            self._total_bytes -= self._entries.pop(digest).size
            self._path(digest).unlink(missing_ok=True)
            if self._total_bytes <= self._max_bytes:
                return

    def _path(self, digest: str) -> Path:
        return self._directory / digest[:2] / digest

    def _adopt_files(self) -> None:
        """Take over what an earlier process left, oldest first, and drop what it did not finish."""
        files = []
        for path in self._directory.glob("??/*"):
            if path.suffix == _TEMPORARY_SUFFIX:
                path.unlink(missing_ok=True)
            else:
                files.append((path.stat(), path.name))
        for status, digest in sorted(files, key=lambda file: file[0].st_mtime_ns):
            self._entries[digest] = _Entry(status.st_size)
            self._total_bytes += status.st_size
        _LOG.debug("cache %s holds %d files, %d bytes", self._directory, len(files), self._total_bytes)
        self._evict()


def _digest(key: str) -> str:
    return hashlib.sha256(key.encode()).hexdigest()
