"""Blocks of CSV: whatever the cuts, the rows are those that Python's csv module finds in the whole."""

import csv
import io

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tarn.errors import FileRefused
from tarn.parquetize.csv_blocks import MAX_ROW_BYTES, Quoting, block_of, count_lines, cut_blocks, read_records

UNHURRIED = settings(deadline=None)  # the machine may be busy

FIELD = st.text(st.sampled_from('ab ,"\r\n1é'), max_size=6)
ROWS = st.lists(st.lists(FIELD, min_size=2, max_size=4), max_size=12)
DIALECT = st.tuples(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]), st.sampled_from(["\n", "\r\n"]))
SIZE = st.integers(1, 40)


def written(rows: list[list[str]], quoting: int, line_end: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting, lineterminator=line_end).writerows(rows)  # type: ignore[arg-type]
    return out.getvalue().encode()


def parsed(data: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(data.decode(), newline="")))


@UNHURRIED
@given(ROWS, DIALECT, SIZE)
def test_well_formed_rows_survive_any_cut(rows: list[list[str]], dialect: tuple[int, str], size: int) -> None:
    data = written(rows, *dialect)
    blocks = list(cut_blocks(io.BytesIO(data), size))
    assert b"".join(block.data for block in blocks) == data
    assert all(block.quoting is not Quoting.ODD for block in blocks)
    assert [row for block in blocks for row in parsed(block.data)] == parsed(data)


@UNHURRIED
@given(st.text(st.sampled_from('a,"\r\n'), max_size=80), SIZE)
@example('a"\n"b', 1)
@example('"a\r\n"b\r', 3)
def test_any_text_is_split_the_same_in_blocks_as_in_one_piece(text: str, size: int) -> None:
    whole = [(record.line + 1, record.raw, record.fields) for record in read_records(text)]
    blocks = list(cut_blocks(io.BytesIO(text.encode()), size))
    parts = [
        (block.line + record.line, record.raw, record.fields)
        for block in blocks
        for record in read_records(block.data.decode())
    ]
    assert parts == whole


@UNHURRIED
@given(ROWS, DIALECT)
def test_halves_are_the_whole(rows: list[list[str]], dialect: tuple[int, str]) -> None:
    block = block_of(written(rows, *dialect), 7)
    halves = block.halves()
    assert b"".join(half.data for half in halves) == block.data
    assert [half.line for half in halves] == [7, 7 + count_lines(halves[0].data)][: len(halves)]


def test_a_regular_quote_touches_a_field_end_on_its_outer_side() -> None:
    assert block_of(b'a,"b ""c"" \n",d\n', 1).quoting is Quoting.REGULAR
    for odd in (b'a,b"c"\n', b'"a"b,c\n', b'"a\n', b' "a",b\n'):
        assert block_of(odd, 1).quoting is Quoting.ODD


def test_after_a_quote_that_is_never_closed_one_line_is_lost() -> None:
    rest = b"3,4\n" * (MAX_ROW_BYTES // 4)
    blocks = list(cut_blocks(io.BytesIO(b'0,0\n1,"2\n' + rest), 1 << 18))
    records = [record for block in blocks for record in read_records(block.data.decode())]
    assert [record.raw for record in records if record.error] == ['1,"2\n']
    assert len(records) == 2 + MAX_ROW_BYTES // 4


def test_a_line_without_end_is_no_csv() -> None:
    with pytest.raises(FileRefused, match="Line 1 is longer than"):
        list(cut_blocks(io.BytesIO(b"a" * (MAX_ROW_BYTES + 2)), 1 << 19))


@pytest.mark.parametrize("text", ["a\nb", "a\r\nb", "a\rb", "\n\r", "\r\n\r\n", ""])
def test_lines_are_counted_as_python_counts_them(text: str) -> None:
    assert count_lines(text.encode()) == len(io.StringIO(text + "x", newline=None).readlines()) - 1
