"""Read tab-separated text as CSV.

In the dumps that come so there is no quoting: a quote is a character like any other, and a tab or a line end never lies
within a field.
"""

from typing import BinaryIO

_NEEDS_QUOTES = (b",", b'"', b"\r")


class TabsAsCommas:
    """A stream of tab-separated rows as one of CSV, whole rows at a time."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._carry = b""

    def read(self, size: int) -> bytes:
        """About ``size`` bytes; none at the end of the stream."""
        while chunk := self._stream.read(size):
            rows, newline, rest = (self._carry + chunk).rpartition(b"\n")
            self._carry = rest
            if newline:
                return _as_csv(rows + newline)
        rows, self._carry = self._carry, b""
        return _as_csv(rows)


def _as_csv(rows: bytes) -> bytes:
    if not any(mark in rows for mark in _NEEDS_QUOTES):
        return rows.replace(b"\t", b",")
    return b"\n".join(_row_as_csv(row) for row in rows.split(b"\n"))


def _row_as_csv(row: bytes) -> bytes:
    return b",".join(_quoted(field) for field in row.removesuffix(b"\r").split(b"\t"))


def _quoted(field: bytes) -> bytes:
    if not any(mark in field for mark in _NEEDS_QUOTES):
        return field
    return b'"' + field.replace(b'"', b'""') + b'"'
