"""Cut a stream of CSV into blocks of whole rows, so that blocks can be parsed apart from each other.

CSV is read as RFC 4180 has it and Python's ``csv`` module in strict mode: a quote opens a quoted field only as the
field's first byte, a doubled quote inside stands for one, and a line ends with CR, LF or both.
"""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Protocol

import numpy as np

from tarn.errors import FileRefused

MAX_ROW_BYTES = 1 << 20
"""A row that is longer than this has a quote that is never closed; its first line alone is held to be bad."""

UNCLOSED_QUOTE = "unexpected end of data"  # in the words of Python's csv module

csv.field_size_limit(MAX_ROW_BYTES)  # else Python's reader refuses fields that Arrow's reads

_QUOTE, _LINE_FEED, _CARRIAGE_RETURN = b'"\n\r'
_MAY_TOUCH_A_QUOTE = np.frombuffer(b',"\r\n', np.uint8)


class Readable(Protocol):
    """A stream of bytes."""

    def read(self, size: int, /) -> bytes:
        """About ``size`` bytes; none at the end."""


class Quoting(Enum):
    """How far the quotes of a block can be trusted."""

    NONE = "no quote at all"
    REGULAR = "each quote opens a field, closes one or is doubled"
    ODD = "only a full parse can tell rows from fields"


@dataclass(frozen=True)
class Block:
    """Whole rows, from a row's first byte to a row's last; ``line`` is the number of the first in the file."""

    data: bytes
    line: int
    quoting: Quoting

    def halves(self) -> list["Block"]:
        """The block as two of about the same size, or as it is where it has but one row or its quotes are odd."""
        middle = 0 if self.quoting is Quoting.ODD else last_row_end(self.data[: len(self.data) // 2])
        if not middle:
            return [self]
        first, second = self.data[:middle], self.data[middle:]
        return [block_of(first, self.line), block_of(second, self.line + count_lines(first))]


@dataclass(frozen=True)
class Record:
    """A row as text. ``error`` says why it has no fields; ``line`` counts from the text's first line, which is 0."""

    line: int
    raw: str
    fields: list[str]
    error: str | None = None


def block_of(data: bytes, line: int) -> Block:
    """Whole rows as a block."""
    return Block(data, line, _quoting(data))


def cut_blocks(stream: Readable, size: int, head: bytes = b"", line: int = 1) -> Iterator[Block]:
    """Cut ``head`` and the rest of ``stream`` into blocks of about ``size`` bytes; ``head`` begins on ``line``.

    The cuts depend on the bytes alone, never on how they arrive. Raises FileRefused at a line of more than a mebibyte.
    """
    carry = head
    while chunk := stream.read(size):
        carry += chunk
        end = _end_of_rows(carry)
        if not end and len(carry) > MAX_ROW_BYTES:
            end = _last_line_end(carry)
            if not end:
                raise FileRefused(f"Line {line} is longer than {MAX_ROW_BYTES:,} bytes: this is no CSV file.")
        if end:
            block = block_of(carry[:end], line)
            yield block
            line += count_lines(block.data)
            carry = carry[end:]
    if carry:
        yield block_of(carry, line)


def last_row_end(data: bytes) -> int:
    """Where the last whole row ends, if each quote is regular; 0 where none does."""
    quotes = _quote_positions(data)
    stop = len(data)
    while True:
        # A CR that is the very last byte may be the first half of a CRLF.
        newline = max(data.rfind(b"\n", 0, stop), data.rfind(b"\r", 0, min(stop, len(data) - 1)))
        before = int(np.searchsorted(quotes, newline))
        if before % 2 == 0:
            return newline + 1
        stop = int(quotes[before - 1])


def count_lines(data: bytes) -> int:
    """How many line ends there are; a CRLF is one."""
    characters = np.frombuffer(data, np.uint8)
    feeds = characters == _LINE_FEED
    lines = int(np.count_nonzero(feeds))
    if b"\r" in data:
        returns = characters == _CARRIAGE_RETURN
        lines += int(np.count_nonzero(returns)) - int(np.count_nonzero(returns[:-1] & feeds[1:]))
    return lines


def read_records(text: str) -> Iterator[Record]:
    """Split text into rows and fields. After a row that cannot be split, reading goes on after its first line."""
    lines = list(io.StringIO(text, newline=""))
    at = 0
    while at < len(lines):
        reader = csv.reader(lines[at:], strict=True)
        start = at
        try:
            for fields in reader:
                end = at + reader.line_num
                yield Record(start, "".join(lines[start:end]), fields)
                start = end
            return
        except csv.Error as error:
            yield Record(start, lines[start], [], str(error))
            at = start + 1


def _end_of_rows(data: bytes) -> int:
    end = last_row_end(data)
    if b'"' not in data or (end and _quoting(data[:end]) is not Quoting.ODD):
        return end
    return _end_by_full_parse(data)


def _end_by_full_parse(data: bytes) -> int:
    end = 0
    for record in read_records(data.decode("latin-1")):  # one character a byte: lengths in text are lengths in data
        after = end + len(record.raw)
        ended = record.raw.endswith("\n") or (record.raw.endswith("\r") and after < len(data))
        if record.error == UNCLOSED_QUOTE or not ended:
            break
        end = after
    return end


def _last_line_end(data: bytes) -> int:
    return max(data.rfind(b"\n"), data.rfind(b"\r", 0, len(data) - 1)) + 1


def _quote_positions(data: bytes) -> "np.ndarray[tuple[int], np.dtype[np.intp]]":
    if b'"' not in data:
        return np.empty(0, np.intp)
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE)


def _quoting(data: bytes) -> Quoting:
    quotes = _quote_positions(data)
    if not len(quotes):
        return Quoting.NONE
    if len(quotes) % 2:
        return Quoting.ODD
    around = np.frombuffer(b"\n" + data + b"\n", np.uint8)
    touching = np.concatenate([around[quotes[0::2]], around[quotes[1::2] + 2]])  # before openers, after closers
    return Quoting.REGULAR if np.isin(touching, _MAY_TOUCH_A_QUOTE).all() else Quoting.ODD
