"""Checked casts of text and of Parquet's own types."""

import datetime as dt
import math
from decimal import Decimal

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.dataset import Column, ColumnType
from tarn.errors import FileRefused
from tarn.parquetize.casts import cast
from tarn.parquetize.types import ARROW_TYPES

UNHURRIED = settings(deadline=None)  # the machine may be busy

NOON = dt.datetime(2024, 2, 29, 12)
BAD = "bad"


def column(type_: str, **more: object) -> Column:
    return Column.model_validate({"name": "c", "type": type_, "description": "a column", **more})


def outcome(values: pa.Array, to: Column) -> list[object]:
    result = cast(values, to)
    assert result.values.type in (ARROW_TYPES[to.type], pa.dictionary(pa.int32(), ARROW_TYPES[to.type]))
    found = result.values.to_pylist()
    bad = result.bad.to_pylist() if result.bad is not None else [False] * len(found)
    assert all(value is None for value, wrong in zip(found, bad, strict=True) if wrong)
    return [BAD if wrong else value for value, wrong in zip(found, bad, strict=True)]


@pytest.mark.parametrize(
    ("type_", "text", "values"),
    [
        ("INT64", ["1", " 1 ", "1.0", "1e3", "-7", "", " ", "nan"], [1, 1, 1, 1000, -7, None, None, None]),
        ("INT64", ["1.5", "x", "1_0", "9223372036854775808", "-9223372036854775809", "inf"], [BAD] * 6),
        ("INT64", ["9223372036854775807", "9007199254740993.0"], [2**63 - 1, 2**53 + 1]),
        ("FLOAT64", [".5", "5.", " 1e-3", "", "NaN", "one"], [0.5, 5.0, 0.001, None, None, BAD]),
        ("NUMERIC", ["1.123456789", "-0", "1.1234567891", ""], [Decimal("1.123456789"), Decimal(0), BAD, None]),
        ("BOOL", ["true", "F", "Yes", "0", "", "2"], [True, False, True, False, None, BAD]),
        ("DATE", ["2024-02-29", "2023-02-29", " "], [NOON.date(), BAD, None]),
        ("DATETIME", ["2024-02-29 12:00:00", "2024-02-29T12:00", "2024-02-29"], [NOON, NOON, NOON.replace(hour=0)]),
        ("DATETIME", ["2024-02-29 12:00:00.000000999", "2024-02-29 12:00:00Z", "29/02/2024"], [NOON, BAD, BAD]),
        ("STRING", ["", " ", " é ", "\0"], [None, " ", " é ", "\0"]),
    ],
)
def test_text(type_: str, text: list[str], values: list[object]) -> None:
    assert outcome(pa.array(text), column(type_)) == values
    assert outcome(pa.array(text).dictionary_encode(), column(type_)) == values


def test_a_time_without_offset_is_utc() -> None:
    noon = NOON.replace(tzinfo=dt.UTC)
    text = pa.array(["2024-02-29 12:00:00", "2024-02-29 13:00:00+01:00", "2024-02-29T12:00:00Z"])
    assert outcome(text, column("TIMESTAMP")) == [noon] * 3


def test_recoding_takes_no_notice_of_case_and_blanks() -> None:
    payment = column("INT64", recode={"CRD": 1, "No Charge": 3})
    assert outcome(pa.array(["crd ", "no charge", "2", "Dispute", ""]), payment) == [1, 3, 2, BAD, None]
    flag = column("STRING", recode={"0": "N", "0.0": "N"})
    assert outcome(pa.array([0.0, 1.0, None]), flag) == ["N", "1", None]


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (pa.array([1, None], pa.int32()), "INT64", [1, None]),
        (pa.array([1.0, 1.5, math.nan, None]), "INT64", [1, BAD, None, None]),
        (pa.array([1.5, math.nan]), "FLOAT64", [1.5, None]),
        (pa.array([2**63], pa.uint64()), "INT64", [BAD]),
        (pa.nulls(2), "STRING", [None, None]),
        (pa.array(["x", None], pa.large_string()), "STRING", ["x", None]),
        (pa.array([1, 1]).dictionary_encode(), "INT64", [1, 1]),
        (pa.array([NOON], pa.timestamp("ns")), "DATETIME", [NOON]),
        (pa.array([NOON.date()]), "DATETIME", [NOON.replace(hour=0)]),
        (pa.array([True]), "BOOL", [True]),
    ],
)
def test_parquet_types(values: pa.Array, type_: str, expected: list[object]) -> None:
    assert outcome(values, column(type_)) == expected


@pytest.mark.parametrize(
    ("values", "type_"),
    [
        (pa.array([1]), "DATETIME"),
        (pa.array([NOON], pa.timestamp("us", "UTC")), "DATETIME"),
        (pa.array([NOON]), "FLOAT64"),
        (pa.array([[1]]), "STRING"),
        (pa.array([b"x"]), "STRING"),
    ],
)
def test_types_that_have_nothing_to_do_with_each_other_are_refused(values: pa.Array, type_: str) -> None:
    with pytest.raises(FileRefused, match=f"cannot be read as {type_}"):
        cast(values, column(type_))


@UNHURRIED
@given(st.lists(st.integers(-(2**63), 2**63 - 1) | st.none()))
def test_every_integer_survives_its_text(numbers: list[int | None]) -> None:
    text = pa.array([None if number is None else str(number) for number in numbers], pa.string())
    assert outcome(text, column("INT64")) == numbers


@UNHURRIED
@given(st.lists(st.text(max_size=8)))
def test_bad_text_harms_no_other_value(text: list[str]) -> None:
    for type_ in ColumnType:
        one_by_one = [outcome(pa.array([value]), column(type_))[0] for value in text]
        assert outcome(pa.array(text, pa.string()), column(type_)) == one_by_one
