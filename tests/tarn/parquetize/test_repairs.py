"""Cleaning rules, one by one: what they change, what they leave alone, and how the rows are counted."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.cleaning import Rule
from tarn.dataset import Column, Dataset
from tarn.parquetize.casts import text_array
from tarn.parquetize.csv_file import open_csv
from tarn.parquetize.held import plain
from tarn.parquetize.repairs import clean
from tarn.parquetize.rows import Rows, join_rows

UNHURRIED = settings(deadline=None)  # the machine may be busy


def column(type_: str, *repair: dict[str, Any], blank: str | None = None, name: str = "x") -> Column:
    return Column.model_validate({"name": name, "type": type_, "description": "x", "repair": repair, "blank": blank})


def repaired(column: Column, *values: str | None) -> tuple[list[str | None], dict[str, list[bool]]]:
    cleaned = clean([text_array(values)], column)
    return cleaned.values[0].to_pylist(), {rule: rows.to_pylist() for rule, rows in cleaned.repairs.items()}


@pytest.mark.parametrize(
    ("type_", "rule", "dirty", "clean_text"),
    [
        ("INT64", {"strip_prefix": "T"}, "T1010", "1010"),
        ("INT64", {"strip_prefix": "T"}, " T1010 ", "1010"),
        ("STRING", {"decimal_zero": True}, "501.0", "501"),
        ("STRING", {"decimal_zero": True}, " -501.000", "-501"),
        ("NUMERIC", {"words": {"Two Hundred": 200}}, "two  hundred ", "200"),
        ("DATE", {"date_format": "%d-%m-%Y"}, "18-07-2023", "2023-07-18"),
        ("DATETIME", {"date_format": "%m/%d/%Y %H:%M"}, "07/18/2023 8:30", "2023-07-18 08:30:00"),
        ("STRING", {"null_when": ["0,0", "n/a"]}, "N/A", None),
    ],
)
def test_a_rule_changes_its_dirt_and_says_so(
    type_: str, rule: dict[str, Any], dirty: str, clean_text: str | None
) -> None:
    declared = column(type_, rule)
    values, repairs = repaired(declared, "1", dirty, None, dirty)
    assert values == ["1", clean_text, None, clean_text]
    assert repairs == {f"x: {declared.repair[0].label}": [False, True, False, True]}


@pytest.mark.parametrize(
    ("type_", "rule", "text"),
    [
        ("INT64", {"strip_prefix": "T"}, "1010"),
        ("INT64", {"strip_prefix": "T"}, "XT10"),
        ("STRING", {"decimal_zero": True}, "501.5"),
        ("STRING", {"decimal_zero": True}, "501."),
        ("STRING", {"decimal_zero": True}, "v1.0.0"),
        ("NUMERIC", {"words": {"Two Hundred": 200}}, "Two Hundred and One"),
        ("DATE", {"date_format": "%d-%m-%Y"}, "2023-07-18"),
        ("DATE", {"date_format": "%d-%m-%Y"}, "31-02-2023"),
        ("DATE", {"date_format": "%d-%m-%Y"}, "18-07-2023 later"),
        ("STRING", {"null_when": ["0,0"]}, "0,01"),
    ],
)
def test_a_rule_leaves_the_rest_alone(type_: str, rule: dict[str, Any], text: str) -> None:
    assert repaired(column(type_, rule), text) == ([text], {})


def test_rules_follow_one_another_in_their_order() -> None:
    declared = column("STRING", {"strip_prefix": "P"}, {"decimal_zero": True}, {"words": {"7": "8"}})
    values, repairs = repaired(declared, "P7.0", "7", "P1")
    assert values == ["8", "8", "1"]
    assert repairs == {
        "x: strip_prefix P": [True, False, True],
        "x: decimal_zero": [True, False, False],
        "x: words": [True, True, False],
    }


def test_a_blank_becomes_what_is_declared() -> None:
    assert repaired(column("INT64", blank="null"), "1", " ", None) == (
        ["1", None, None],
        {"x: blank": [False, True, True]},
    )
    assert repaired(column("INT64", blank="0"), "1", "", None)[0] == ["1", "0", "0"]
    refusing = clean([text_array(["1", "", None])], column("INT64", blank="quarantine"))
    assert refusing.refused is not None
    assert (refusing.refused.to_pylist(), refusing.repairs) == ([False, True, True], {})
    assert repaired(column("INT64"), "1", "", None) == (["1", "", None], {})


def test_a_blank_is_one_where_no_spelling_of_the_column_has_a_value() -> None:
    cleaned = clean([text_array(["", "1", ""]), text_array(["2", "", None])], column("INT64", blank="9"))
    assert cleaned.values[0].to_pylist() == ["", "1", "9"]
    assert cleaned.repairs["x: blank"].to_pylist() == [False, False, True]


def test_numbers_of_a_parquet_file_are_cleaned_as_text() -> None:
    cleaned = clean([pa.array([0.0, 1.5])], column("FLOAT64", {"null_when": ["0", "0.0"]}))
    assert cleaned.values[0].to_pylist() == [None, "1.5"]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({}, "exactly one of strip_prefix, words"),
        ({"strip_prefix": "T", "decimal_zero": True}, "exactly one of"),
        ({"decimal_zero": False}, "exactly one of"),
        ({"strip": "T"}, "Extra inputs"),
        ({"date_format": "day"}, "should match pattern"),
    ],
)
def test_a_wrong_rule_is_told(rule: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Rule.model_validate(rule)


@UNHURRIED
@given(st.dates(min_value=dt.date(1000, 1, 1)))
def test_every_date_is_the_same_in_either_form(day: dt.date) -> None:
    declared = column("DATE", {"date_format": "%d-%m-%Y"})
    assert repaired(declared, day.strftime("%d-%m-%Y"), day.isoformat())[0] == [day.isoformat()] * 2


SALES = Dataset.model_validate(
    {
        "name": "sales",
        "description": "Sales.",
        "publisher": "a test",
        "sources": [{"format": "csv", "url": "http://example.org/s.csv", "mirror": "s.csv"}],
        "columns": [
            {"name": "id", "type": "INT64", "description": "x", "repair": [{"strip_prefix": "T"}], "required": True},
            {"name": "day", "type": "DATE", "description": "x", "repair": [{"date_format": "%d-%m-%Y"}]},
            {"name": "price", "type": "NUMERIC", "description": "x", "repair": [{"words": {"Fifteen": 15}}],
             "blank": "quarantine"},
        ],
    }
)  # fmt: skip


def read(text: str) -> Rows:
    file = open_csv(io.BytesIO(text.encode()), SALES)
    return join_rows([file.read(block) for block in file.blocks()])


def values(rows: Rows) -> list[tuple[object, ...]]:
    columns = [[plain(column).to_pylist() for column in batch.columns] for batch in rows.good]
    return [row for batch in columns for row in zip(*batch, strict=True)]


@pytest.mark.parametrize("quoted", [False, True], ids=["by Arrow", "row by row"])
def test_rows_are_kept_repaired_or_quarantined_with_the_rule(*, quoted: bool) -> None:
    dirt = 'T2,18-07-2023,Fifteen\n3,2023-07-18,\nTx,2023-07-18,1\n5,2023-07-19,"Fif\nteen"\n'
    rows = read("id,day,price\n1,2023-07-17,2.5\n" + (dirt if quoted else dirt.replace('"Fif\nteen"', "fifteen")))
    assert rows.read == 5
    day = dt.date(2023, 7, 17)
    assert values(rows) == [
        (1, day, Decimal("2.5")),
        (2, day + dt.timedelta(1), Decimal(15)),
        *([] if quoted else [(5, day + dt.timedelta(2), Decimal(15))]),
    ]
    found = [(row.line, row.column, row.value, row.reason, row.rule, row.raw) for row in rows.bad]
    assert found[:2] == [
        (4, "price", None, "is blank", "price: blank quarantine", "3,2023-07-18,"),
        (5, "id", "Tx", "'Tx' is not INT64", "id: not INT64", "Tx,2023-07-18,1"),
    ]
    assert rows.repaired == (1 if quoted else 2)
    assert rows.repairs == {
        "id: strip_prefix T": 1,
        "day: date_format %d-%m-%Y": 1,
        "price: words": 1 if quoted else 2,
    }


ROWS = st.lists(
    st.tuples(
        st.sampled_from(["1", "T2", "x", "P3"]),
        st.sampled_from(["2023-07-18", "18-07-2023", "31-02-2023", ""]),
        st.sampled_from(["1.5", "Fifteen", "", "words"]),
    ),
    max_size=30,
)


@UNHURRIED
@given(ROWS, st.booleans())
def test_the_three_add_up_whatever_the_dirt(rows: list[tuple[str, ...]], crlf: bool) -> None:
    outcome = read(("\r\n" if crlf else "\n").join(["id,day,price", *(",".join(row) for row in rows)]))
    good = [row for row in rows if row[0] in {"1", "T2"} and row[1] != "31-02-2023" and row[2] in {"1.5", "Fifteen"}]
    untouched = [row for row in good if row[0] == "1" and row[1] in {"2023-07-18", ""} and row[2] == "1.5"]
    written = sum(batch.num_rows for batch in outcome.good)
    assert (outcome.read, written, len(outcome.bad)) == (len(rows), len(good), len(rows) - len(good))
    assert outcome.repaired == len(good) - len(untouched)
