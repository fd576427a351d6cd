"""What dbt has read of the project, handed from one call of dbt to the next.

dbt takes seconds to read the project, and leaves what it has read in its target folder: the next call there reads only
what has changed. The lake's calls have target folders of their own, because two of them at a time would spoil one for
each other. So each begins with a copy of what the last one left, and leaves its own in that one's place, in one move:
whoever copies it meanwhile has the old one whole. dbt tells by itself what of it no longer holds, and takes one that it
cannot read for none.
"""

import contextlib
import shutil
from collections.abc import Iterator
from pathlib import Path

from tarn.settings import Settings

PARSE = "partial_parse.msgpack"
"""dbt's own name of the file, in its target folder."""


def kept_parse(settings: Settings) -> Path:
    """What the lake's last call of dbt has read of the project."""
    return settings.home / "dbt" / PARSE


@contextlib.contextmanager
def parse_handed_on(settings: Settings, target: Path) -> Iterator[None]:
    """A block in which dbt is called with this target folder: it begins from what the last call read, and is the last.

    What a block that an error ends has read is lost: the next one reads the more.
    """
    kept, own = kept_parse(settings), target / PARSE
    for folder in (kept.parent, target):
        folder.mkdir(parents=True, exist_ok=True)
    if kept.exists():
        shutil.copyfile(kept, own)
    yield
    if own.exists():
        own.replace(kept)
