"""Months as text, YYYY-MM: which of them each service has published, and tables that change with time."""

import datetime as dt
from collections.abc import Iterable
from typing import TypeVar

FIRST_MONTH = {"yellow": "2009-01", "green": "2013-08", "fhv": "2015-01", "fhvhv": "2019-02"}
LAST_CSV_MONTH = "2021-07"
LAST_PARQUET_MONTH = "2025-12"

_Value = TypeVar("_Value")


def months_between(first: str, last: str) -> list[str]:
    """Every month from `first` to `last`, both included."""
    start, end = (int(month[:4]) * 12 + int(month[5:]) - 1 for month in (first, last))
    return [f"{count // 12:04d}-{count % 12 + 1:02d}" for count in range(start, end + 1)]


def month_start(month: str) -> int:
    """The month's first second, local time, counted from 1970-01-01 00:00:00."""
    return (dt.date.fromisoformat(f"{month}-01") - dt.date(1970, 1, 1)).days * 86_400


def in_force(table: Iterable[tuple[str, _Value]], month: str) -> _Value:
    """The value that holds in `month`, from a table of (month since when, value) in the order of time."""
    return [value for since, value in table if since <= month][-1]
