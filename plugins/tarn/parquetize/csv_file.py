"""Read a CSV stream as rows of the declared schema.

Arrow parses a block without a look at single rows, and what it finds is cast column by column. Where that fails, the
block is halved until only little of it is left that fails, and this is read row by row to find the bad ones and why.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.csv as pacsv

from tarn.dataset import Column, ColumnType, Dataset
from tarn.errors import FileRefused
from tarn.parquetize.casts import text_array
from tarn.parquetize.changed_types import SAMPLE_ROWS, adapt_types
from tarn.parquetize.columns import FileColumns, bind_columns
from tarn.parquetize.csv_blocks import Block, Quoting, Readable, Record, count_lines, cut_blocks, read_records
from tarn.parquetize.rows import BadRow, Rows, cast_rows, join_rows
from tarn.parquetize.types import ARROW_TYPES

BLOCK_BYTES = 1 << 20
FEW_ROWS_BYTES = 16 << 10
HEAD_BYTES = 1 << 18
BOM = b"\xef\xbb\xbf"
UNSPLIT = "cannot be split into fields"

# Text in a dictionary is cast once a distinct value, and most columns have few of them in a block.
_REPEATED_TEXT = pa.dictionary(pa.int32(), pa.string())
_SELDOM_REPEATED = frozenset({ColumnType.DATETIME})


@dataclass(frozen=True)
class CsvFile:
    """A CSV stream whose header is read. The rest is ``head``, which begins on ``line``, and what ``stream`` holds.

    ``width`` is the number of a row's fields: in some files every row ends in more commas than the header.
    """

    stream: Readable
    columns: FileColumns
    width: int
    head: bytes
    line: int

    def blocks(self) -> Iterator[Block]:
        """The rest of the file, cut at row ends."""
        return cut_blocks(self.stream, BLOCK_BYTES, self.head, self.line)

    def read(self, block: Block) -> Rows:
        """Cast a block's rows. Several threads may read blocks of one file at the same time."""
        rows = self._read_at_once(block)
        if rows is not None:
            return rows
        halves = block.halves() if len(block.data) > FEW_ROWS_BYTES else [block]
        if len(halves) == 1:
            return self._read_one_by_one(block)
        return join_rows([self.read(half) for half in halves])

    def _read_at_once(self, block: Block) -> Rows | None:
        table = self._parse(block)
        if table is None or any(table[str(position)].null_count < table.num_rows for position in self._surplus):
            return None
        cast = cast_rows(self.columns, lambda position: table[str(position)].combine_chunks(), table.num_rows)
        if not cast.problems:
            return cast.without_bad(table.num_rows)
        # Where each row is a line, the bad ones are found without a parse in Python.
        lines = block.data.splitlines()
        if len(lines) != table.num_rows:
            return None
        bad = (
            BadRow(
                block.line + row, problem.column.name, problem.value, problem.reason, lines[row].decode(), problem.rule
            )
            for row, problem in sorted(cast.problems.items())
        )
        return cast.without_bad(table.num_rows, tuple(bad))

    def _parse(self, block: Block) -> pa.Table | None:
        if block.quoting is Quoting.ODD:
            return None
        for seldom_repeated in (_SELDOM_REPEATED, frozenset[ColumnType]()):
            try:
                return self._parse_by_arrow(block, seldom_repeated)
            except pa.ArrowInvalid:  # a time in a form that Arrow's casts know and its CSV reader does not, or worse
                continue
        return None

    def _parse_by_arrow(self, block: Block, seldom_repeated: frozenset[ColumnType]) -> pa.Table:
        types = {str(position): _REPEATED_TEXT for position in self._surplus}
        for binding in self.columns.bindings:
            type_ = _parsed_type(binding.column, seldom_repeated)
            types |= {str(position): type_ for position in binding.positions}
        return pacsv.read_csv(
            pa.BufferReader(block.data),
            pacsv.ReadOptions(
                column_names=[str(position) for position in range(self.width)],
                block_size=len(block.data) + 1,
                use_threads=False,
            ),
            pacsv.ParseOptions(newlines_in_values=block.quoting is Quoting.REGULAR),
            pacsv.ConvertOptions(
                column_types=types, include_columns=list(types), null_values=[""], strings_can_be_null=True
            ),
        )

    @property
    def _surplus(self) -> range:
        return range(len(self.columns.names), self.width)

    def _read_one_by_one(self, block: Block) -> Rows:
        text = block.data.decode("utf-8", "surrogateescape")
        read = 0
        bad: list[BadRow] = []
        whole: list[Record] = []
        for record in read_records(text):
            if self._is_blank(record):
                continue
            read += 1
            complaint = self._complaint(record)
            if complaint:
                rule = f"row: {UNSPLIT if record.error else complaint}"
                bad.append(BadRow(block.line + record.line, None, None, complaint, _printable(record.raw), rule))
            else:
                whole.append(record)

        def values_at(position: int) -> pa.Array:
            return text_array(record.fields[position] for record in whole)

        cast = cast_rows(self.columns, values_at, len(whole))
        for row, problem in cast.problems.items():
            line, raw = block.line + whole[row].line, _printable(whole[row].raw)
            bad.append(BadRow(line, problem.column.name, problem.value, problem.reason, raw, problem.rule))
        return cast.without_bad(read, tuple(sorted(bad, key=lambda row: row.line)))

    def _is_blank(self, record: Record) -> bool:
        if record.error or len(record.fields) > 1:
            return False
        return not record.fields or (len(self.columns.names) > 1 and not record.fields[0].strip())

    def _complaint(self, record: Record) -> str | None:
        if record.error:
            return f"{UNSPLIT}: {record.error}"
        expected = len(self.columns.names)
        if len(record.fields) < expected or any(record.fields[expected:]):
            return f"has {len(record.fields)} fields where the header has {expected}"
        if not _is_unicode("".join(record.fields[position] for position in self.columns.used)):
            return "is not UTF-8"
        return None


def open_csv(stream: Readable, dataset: Dataset) -> CsvFile:
    """Read the header of a CSV stream and find the dataset's columns in it.

    Raises FileRefused where there is no header in UTF-8, or where it lacks a required column.
    """
    head = stream.read(HEAD_BYTES).removeprefix(BOM)
    records = read_records(head.decode("latin-1"))  # one character a byte
    offset = 0
    for header in records:
        offset += len(header.raw)
        if any(field.strip() for field in header.fields):
            break
    else:
        raise FileRefused("The file is empty: it has not even a header.")
    columns = bind_columns(dataset, _header_names(header))
    sample = [record.fields for record in itertools.islice(records, SAMPLE_ROWS) if record.fields]
    columns = adapt_types(columns, dataset, lambda position: _sampled(sample, position))
    surplus = sample[0][len(columns.names) :] if sample else []
    width = len(columns.names) + (0 if any(surplus) else len(surplus))
    return CsvFile(stream, columns, width, head[offset:], 1 + count_lines(head[:offset]))


def _sampled(rows: list[list[str]], position: int) -> pa.Array:
    values = (row[position].encode("latin-1") for row in rows if len(row) > position)
    return text_array(value.decode("utf-8", "replace") for value in values)


def _header_names(header: Record) -> list[str]:
    try:
        names = header.raw.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        names = "\0"
    if "\0" in names:
        raise FileRefused(
            "The file's header is not text in UTF-8; if the file is in UTF-16 or Latin-1, convert it first."
        )
    return [field.encode("latin-1").decode("utf-8") for field in header.fields]


def _parsed_type(column: Column, seldom_repeated: frozenset[ColumnType]) -> pa.DataType:
    return (
        ARROW_TYPES[column.type]
        if column.type in seldom_repeated and not (column.recode or column.cleaned)
        else _REPEATED_TEXT
    )


def _is_unicode(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _printable(raw: str) -> str:
    """A row without its line end; bytes that are no UTF-8 are shown as escapes."""
    return raw.rstrip("\r\n").encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
