"""Text files as BigQuery takes them: zipped or not, in one of several encodings."""

from __future__ import annotations

import codecs
import gzip
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

from tarn_bigquery.storage.errors import StorageError

_ENCODINGS = {
    "UTF-8": "utf-8",
    "UTF8": "utf-8",
    "ISO-8859-1": "latin-1",
    "UTF-16BE": "utf-16-be",
    "UTF-16LE": "utf-16-le",
    "UTF-32BE": "utf-32-be",
    "UTF-32LE": "utf-32-le",
}
_GZIP_MAGIC = b"\x1f\x8b"
_BLOCK_CHARACTERS = 1 << 20


def codec_of(options: dict[str, Any]) -> str:
    """Python's name of the encoding that csvOptions or jsonOptions give.

    Raises:
        StorageError: it is not one of BigQuery's.
    """
    encoding = str(options.get("encoding") or "UTF-8").upper()
    if encoding not in _ENCODINGS:
        raise StorageError(f"Invalid encoding: {encoding}. It is one of {', '.join(_ENCODINGS)}.")
    return _ENCODINGS[encoding]


@contextmanager
def utf8_text(path: Path, codec: str) -> Iterator[Path]:
    """The file unzipped and in UTF-8, a temporary one unless it is so already.

    What does not decode becomes the replacement character, as with BigQuery.
    """
    with path.open("rb") as file:
        is_zipped = file.read(len(_GZIP_MAGIC)) == _GZIP_MAGIC
    if not is_zipped and codec == "utf-8" and _is_utf8(path):
        yield path
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, suffix=".part") as temporary:
        with cast(BinaryIO, gzip.open(path)) if is_zipped else path.open("rb") as source:
            reader = codecs.getreader(codec)(source, "replace")
            shutil.copyfileobj(reader, codecs.getwriter("utf-8")(temporary), _BLOCK_CHARACTERS)
        temporary.flush()
        yield Path(temporary.name)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        with path.open("rb") as file:
            while block := file.read(_BLOCK_CHARACTERS):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
