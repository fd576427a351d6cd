"""One at a time: two runs that work on the same partition wait for each other instead of mixing their files."""

import contextlib
import fcntl
import logging
from collections.abc import Iterator
from pathlib import Path

LOCK = ".lock"

log = logging.getLogger(__name__)


@contextlib.contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold a folder for as long as the block runs; waits for another process that holds it.

    The system lets go of it when the process ends, however it ends.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LOCK).open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            log.warning("Another run works in %s: waiting for it.", folder)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
