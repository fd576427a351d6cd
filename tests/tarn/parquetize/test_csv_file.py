"""CSV files, with all that is wrong with them, as rows of a declared schema."""

import csv
import io
from decimal import Decimal, InvalidOperation
from unittest.mock import patch

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.dataset import Dataset
from tarn.errors import FileRefused
from tarn.parquetize import csv_file
from tarn.parquetize.csv_file import open_csv
from tarn.parquetize.held import plain
from tarn.parquetize.rows import Rows, join_rows

UNHURRIED = settings(deadline=None)  # the machine may be busy

TRIPS = Dataset.model_validate(
    {
        "name": "trips",
        "description": "Trips.",
        "publisher": "a test",
        "sources": [{"format": "csv", "url": "http://example.org/trips.csv", "mirror": "trips.csv"}],
        "columns": [
            {"name": "id", "type": "INT64", "description": "the trip", "required": True},
            {"name": "zone", "type": "STRING", "description": "where", "aliases": ["Zone Name", "area"]},
            {"name": "at", "type": "DATETIME", "description": "when"},
        ],
    }
)


def read(text: str | bytes, block_bytes: int = 1 << 20) -> Rows:
    data = text if isinstance(text, bytes) else text.encode()
    with patch.object(csv_file, "BLOCK_BYTES", block_bytes), patch.object(csv_file, "FEW_ROWS_BYTES", block_bytes // 4):
        file = open_csv(io.BytesIO(data), TRIPS)
        rows = [file.read(block) for block in file.blocks()]
    return join_rows(rows)


def values(rows: Rows) -> list[tuple[object, ...]]:
    columns = [[plain(column).to_pylist() for column in batch.columns] for batch in rows.good]
    return [row for batch in columns for row in zip(*batch, strict=True)]


def problems(rows: Rows) -> list[tuple[int, str | None, str | None]]:
    return [(row.line, row.column, row.value) for row in rows.bad]


def test_columns_are_found_by_name_whatever_case_blanks_and_order() -> None:
    rows = read("\ufeff AREA , ID,Other\nx,1,9\n")
    assert values(rows) == [(1, "x", None)]


def test_the_first_spelling_that_has_a_value_is_taken() -> None:
    assert values(read('zone,area,id\n,b,1\n"",,2\na,b,3\n')) == [(1, "b", None), (2, None, None), (3, "a", None)]


def test_blank_lines_and_any_line_end_are_fine() -> None:
    rows = read("id,zone\r\n\r\n1,a\r\n\n2,b\n  \n3,c\r4,d")
    assert values(rows) == [(1, "a", None), (2, "b", None), (3, "c", None), (4, "d", None)]
    assert rows.read == 4


def test_quoted_fields_hold_commas_quotes_and_line_ends() -> None:
    rows = read('id,zone\n1,"a, ""b""\n\nc"\nx,z\n')
    assert values(rows) == [(1, 'a, "b"\n\nc', None)]
    assert problems(rows) == [(5, "id", "x")]


def test_extra_fields_are_fine_where_they_are_empty() -> None:
    rows = read("id,zone\n1,a,,\n2,b\n3,c,,x\n4,d,\n")
    assert values(rows) == [(1, "a", None), (2, "b", None), (4, "d", None)]
    assert [(row.line, row.reason) for row in rows.bad] == [(4, "has 4 fields where the header has 2")]


def test_a_bad_row_keeps_its_line_its_reason_and_its_text() -> None:
    rows = read('id,zone,at\n1,a,2024-01-01\n2.5,b,\n3,c,yesterday\n4\n"5"x,d,\n6,e,\n')
    assert values(rows)[1:] == [(6, "e", None)]
    assert [(row.line, row.column, row.reason, row.raw) for row in rows.bad] == [
        (3, "id", "'2.5' is not INT64", "2.5,b,"),
        (4, "at", "'yesterday' is not DATETIME", "3,c,yesterday"),
        (5, None, "has 1 fields where the header has 3", "4"),
        (6, None, "cannot be split into fields: ',' expected after '\"'", '"5"x,d,'),
    ]


def test_bytes_that_are_no_utf8_spoil_their_row_alone() -> None:
    rows = read(b"id,zone,other\n1,a,\n2,\xe9,\n3,c,\xe9\n")
    assert values(rows) == [(1, "a", None), (3, "c", None)]
    assert [(row.line, row.reason, row.raw) for row in rows.bad] == [(3, "is not UTF-8", "2,\\xe9,")]


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is empty"),
        (b"\n\n", "is empty"),
        ("id,zone\n1,a\n".encode("utf-16"), "not text in UTF-8"),
        (b"id,z\xf6ne\n", "not text in UTF-8"),
        (b"zone,at\na,\n", "lacks columns of trips: id"),
    ],
)
def test_a_file_without_its_columns_is_refused(data: bytes, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        read(data)


def test_many_values_in_a_block_are_more_than_a_short_index_counts() -> None:
    count = 40_000
    rows = read("id,zone\n" + "".join(f"{number},z\n" for number in range(count)))
    assert [row[0] for row in values(rows)] == list(range(count))


FIELD = st.text(st.sampled_from('ab1. ,"\r\n-é'), max_size=4)


@UNHURRIED
@given(
    st.lists(st.tuples(st.integers().map(str) | FIELD, FIELD, st.sampled_from(["", "2024-01-02", "x"])), max_size=20),
    st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]),
    st.integers(4, 200),
)
def test_rows_are_those_of_pythons_csv_module(rows: list[tuple[str, str, str]], quoting: int, block_bytes: int) -> None:
    out = io.StringIO(newline="")
    csv.writer(out, quoting=quoting).writerows([("id", "zone", "at"), *rows])  # type: ignore[arg-type]
    found = read(out.getvalue(), block_bytes)
    assert found.read == len(rows) == len(values(found)) + len(found.bad)
    good = [row for row in rows if is_integer(row[0]) and row[2] != "x"]
    assert [row[1] for row in values(found)] == [row[1] or None for row in good]


def is_integer(text: str) -> bool:
    text = text.strip()
    try:
        number = Decimal(text or "0")
        return number == number.to_integral_value() and -(2**63) <= number < 2**63
    except InvalidOperation:
        return False


@UNHURRIED
@given(st.text(st.sampled_from('1a,"\r\n'), max_size=120), st.integers(4, 60))
def test_any_text_gives_the_same_rows_whatever_the_blocks(body: str, block_bytes: int) -> None:
    one, many = read("id,zone\n" + body), read("id,zone\n" + body, block_bytes)
    assert one.read == many.read == len(values(one)) + len(one.bad)
    assert values(one) == values(many)
    assert one.bad == many.bad


def test_held_rows_are_in_one_schema() -> None:
    rows = read("id,zone\n" + "1,a\nx,b\n" * 50, block_bytes=64)
    assert len({batch.schema.to_string() for batch in rows.good}) == 1
    assert rows.good[0].schema.field("id").type == pa.dictionary(pa.int16(), pa.int64())
