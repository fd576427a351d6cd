"""Writes a month's batches as CSV.gz, in the layout of its era, in memory that does not grow."""

import re
import zlib
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from tarn_publishers.taxi.layouts import CsvLayout
from tarn_publishers.taxi.names import MONEY, POSITIONS, TIMES, sources
from tarn_publishers.taxi.words import each_distinct, with_words

GZIP_LEVEL = 1  # level 6 takes five times as long for a fifth less

_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")


def write_csv_gz(out: BinaryIO, batches: Iterable[pa.RecordBatch], layout: CsvLayout, bad_per_million: int = 0) -> None:
    """Writes a gzip file without name or time, so that equal rows give equal bytes.

    Python's zlib is used, and not a faster one, for its bytes do not depend on the CPU.
    """
    gzip = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, wbits=31)
    out.write(gzip.compress((layout.header + layout.header_end).encode()))
    for lines in _with_bad_rows(_lines(batches, layout), layout, bad_per_million):
        out.write(gzip.compress(_text_of(lines)))
    out.write(gzip.flush())


def _lines(batches: Iterable[pa.RecordBatch], layout: CsvLayout) -> Iterator[pa.StringArray]:
    """One string a row, line end included."""
    columns = sources(layout.header)
    quote = '"' if layout.quoted else ""
    tail = quote + "," * layout.extra_fields + layout.line_end
    for batch in batches:
        fields = [_text_column(batch, source, layout) for source in columns]
        fields[0] = _joined([pa.scalar(quote), fields[0]], "")
        fields[-1] = _joined([fields[-1], pa.scalar(tail)], "")
        yield _joined(fields, f"{quote},{quote}")


def _joined(parts: list[pa.Array | pa.Scalar], separator: str) -> pa.StringArray:
    return pc.binary_join_element_wise(*parts, separator, null_handling="replace", null_replacement="")


def _text_of(lines: pa.StringArray) -> memoryview:
    """The strings one after another, without a copy: Arrow keeps them so."""
    _, offsets, text = lines.buffers()
    bounds = memoryview(offsets).cast("i")
    return memoryview(text)[bounds[lines.offset] : bounds[lines.offset + len(lines)]]


def _text_column(batch: pa.RecordBatch, source: str, layout: CsvLayout) -> pa.Array:
    if source in layout.blank:
        return pa.nulls(len(batch), pa.string())
    column = with_words(batch.column(source), source, layout.words)
    if pa.types.is_string(column.type):
        return column
    if source in TIMES:
        return column.cast(pa.timestamp("s")).cast(pa.string())
    if source in MONEY:
        return each_distinct(column, layout.numbers.money)
    if source in POSITIONS:
        return each_distinct(column, layout.numbers.position)
    if source == "distance":
        return each_distinct(column, layout.numbers.distance)
    return column.cast(pa.string())


def _with_bad_rows(
    batches: Iterable[pa.StringArray], layout: CsvLayout, bad_per_million: int
) -> Iterator[pa.StringArray]:
    """Spoils exactly `bad_per_million` rows of a million, evenly spread."""
    first = 0
    for lines in batches:
        bad = [row for row in range(len(lines)) if _is_bad(first + row, bad_per_million)] if bad_per_million else []
        if bad:
            text = lines.to_pylist()
            for row in bad:
                text[row] = _spoilt(text[row], bad_rows(first + row, bad_per_million), layout)
            lines = pa.array(text)
        yield lines
        first += len(lines)


def bad_rows(rows: int, bad_per_million: int) -> int:
    """How many of the rows are spoilt."""
    return rows * bad_per_million // 1_000_000


def _is_bad(row: int, bad_per_million: int) -> bool:
    return bad_rows(row + 1, bad_per_million) > bad_rows(row, bad_per_million)


def _spoilt(line: str, ordinal: int, layout: CsvLayout) -> str:
    """In turn: a day that no calendar has, a word where a number belongs, a line cut short."""
    fields = line.removesuffix(layout.line_end).split(",")
    quote = '"' if layout.quoted else ""
    if ordinal % 3 == 0:
        return _TIMESTAMP.sub("2020-02-31 25:61:00", line, count=1)
    if ordinal % 3 == 1:
        names = sources(layout.header)
        number = names.index("total" if "total" in names else "pu_zone")
        return ",".join([*fields[:number], f"{quote}unknown{quote}", *fields[number + 1 :]]) + layout.line_end
    return ",".join(fields[: (len(fields) + 1) // 2]) + layout.line_end
