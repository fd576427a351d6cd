"""Look at a file that has just arrived: is it of its format, and is it whole?"""

import gzip
from pathlib import Path

from isal import igzip, igzip_lib

from tarn.errors import DownloadRefused
from tarn.source import SourceFormat

HEAD_BYTES = 1024
CHUNK_BYTES = 1 << 20
PARQUET_MAGIC = b"PAR1"
GZIP_MAGIC = b"\x1f\x8b"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
MARKUP = (b"<!doctype", b"<html", b"<?xml")

_BAD_DEFLATE: type[Exception] = igzip_lib.IsalError  # type: ignore[assignment]  # the stub says it is an instance
GZIP_DAMAGE = (EOFError, gzip.BadGzipFile, _BAD_DEFLATE)
"""What reading a cut or broken gzip stream raises."""


class Damaged(Exception):
    """A file is of its format, but not whole: another try may bring it whole."""


def inspect(path: Path, format_: SourceFormat) -> None:
    """Check that a file is of a format and whole: every gzip member's checksum, a Parquet file's both ends.

    Raises DownloadRefused where it is something else; Damaged where it is cut or broken.
    """
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    _refuse_impostors(head)
    match format_:
        case SourceFormat.CSV_GZ | SourceFormat.TSV_GZ:
            if not head.startswith(GZIP_MAGIC):
                raise DownloadRefused(f"it should be gzipped, and begins with {head[:16]!r}. {_REMEDY}")
            _check_gzip(path)
        case SourceFormat.PARQUET:
            if not head.startswith(PARQUET_MAGIC):
                raise DownloadRefused(f"it should be Parquet, and begins with {head[:16]!r}. {_REMEDY}")
            _check_parquet(path)


_REMEDY = "Open the address in a browser: if the publisher has moved the file, mend the dataset's sources."


def _refuse_impostors(head: bytes) -> None:
    if not head:
        raise DownloadRefused("the file is empty. The publisher may still be writing it: try again later.")
    if head.startswith(LFS_POINTER):
        raise DownloadRefused(
            "it is a Git LFS pointer, which stands for the file in a Git repository, and not the file itself. Give the"
            " dataset an address that serves the file: a release, or the repository's media address."
        )
    if head.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(MARKUP):
        raise DownloadRefused(f"it is a web page or an error message, and not data. {_REMEDY}")


def _check_gzip(path: Path) -> None:
    try:
        with igzip.open(path, "rb") as stream:
            while stream.read(CHUNK_BYTES):
                pass
    except GZIP_DAMAGE as error:
        raise Damaged(f"the gzip stream is broken: {error}") from error


def _check_parquet(path: Path) -> None:
    with path.open("rb") as file:
        file.seek(-min(len(PARQUET_MAGIC), path.stat().st_size), 2)
        if path.stat().st_size < 3 * len(PARQUET_MAGIC) or file.read() != PARQUET_MAGIC:
            raise Damaged("the Parquet file lacks its end")
