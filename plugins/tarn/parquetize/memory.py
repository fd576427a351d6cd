"""Arrow's memory while a file is converted."""

import contextlib
from collections.abc import Iterator

import pyarrow as pa


@contextlib.contextmanager
def system_memory() -> Iterator[None]:
    """Let Arrow take memory from the system's allocator, which gives more of it back than Arrow's own does.

    The pool is the whole process's, so Arrow's other users there have it too meanwhile; nothing of theirs changes.
    """
    usual = pa.default_memory_pool()
    pa.set_memory_pool(pa.system_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(usual)
