"""The Range header of RFC 9110, section 14: one range of bytes, as object stores answer it."""

import re

_SINGLE = re.compile(r"bytes=(\d*)-(\d*)", re.ASCII | re.IGNORECASE)


class UnsatisfiableRangeError(Exception):
    """The range is well formed but holds no byte of the file: to be answered with 416."""


def parse_range(header: str, size: int) -> range | None:
    """The bytes asked for, of a file of `size` bytes; None where the header is to be ignored.

    A header that is malformed, in other units, or for several ranges at once is ignored, as the standard
    allows and as S3 does: the answer is then the whole file.

    Raises UnsatisfiableRangeError where the range lies outside the file.
    """
    match = _SINGLE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, stop = max(size - int(last), 0), size
    else:
        start, stop = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= size:
        raise UnsatisfiableRangeError(f"bytes {header} of a file of {size}")
    return range(start, stop)
