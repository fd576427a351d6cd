"""Rows of text formats, checked and written as Parquet: the part that CSV and JSON have in common."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from tarn_bigquery.catalog.names import quote

BAD_RECORDS = "tarn_bad_records"
"""The key of Parquet metadata that holds how many records were left out."""

_BAD_ROW = "A record is bad."


class BadRecordsError(Exception):
    """A file has more bad records than its table allows; `detail` tells of the first."""

    def __init__(self, count: int, detail: str) -> None:
        super().__init__(detail)
        self.count = count
        self.detail = detail


@dataclass(frozen=True, slots=True)
class BadRecords:
    """How many records of a file are bad, and what is wrong with the first."""

    count: int = 0
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """SQL that is TRUE for a bad record, and SQL for what to say of one."""

    is_bad: str
    message: str


@dataclass(frozen=True, slots=True)
class Rows:
    """What a text file holds, in SQL: its records, the columns made of them by name, and what makes one bad.

    `rejects` tells which records the reader left out of the relation when it was last read.
    """

    connection: duckdb.DuckDBPyConnection
    relation: str
    columns: Sequence[tuple[str, str]]
    checks: Sequence[Check]
    rejects: Callable[[], BadRecords] = BadRecords


def open_connection() -> duckdb.DuckDBPyConnection:
    """A database of one's own, where times without a zone are UTC and nothing is fetched from outside."""
    connection = duckdb.connect(config={"autoinstall_known_extensions": False, "autoload_known_extensions": False})
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def write_rows(rows: Rows, target: Path, allowed: int) -> None:
    """Write the good records, in one pass unless some are bad. At most `allowed` bad ones are left out.

    Raises:
        BadRecordsError: more of them are bad.
    """
    is_bad = " OR ".join(f"coalesce({check.is_bad}, false)" for check in rows.checks)
    unfit = BadRecords()
    try:
        _copy(rows, f"CASE WHEN {is_bad} THEN error('{_BAD_ROW}') ELSE true END", target)
    except duckdb.InvalidInputException as error:
        if _BAD_ROW not in str(error):
            raise
        unfit = _first_bad(rows, is_bad)
    rejected = rows.rejects()
    count = unfit.count + rejected.count
    if count > allowed:
        raise BadRecordsError(count, unfit.detail or rejected.detail)
    if count:
        _copy(rows, f"NOT ({is_bad})", target, count)


def text_literal(text: str) -> str:
    """A text quoted for DuckDB."""
    return "'" + text.replace("'", "''") + "'"


def _copy(rows: Rows, condition: str, target: Path, bad_records: int = 0) -> None:
    select = ", ".join(f"{value} AS {quote(name)}" for name, value in rows.columns)
    rows.connection.execute(
        f"COPY (SELECT {select} FROM {rows.relation} WHERE {condition}) TO {text_literal(str(target))} "  # noqa: S608
        f"(FORMAT parquet, COMPRESSION zstd, KV_METADATA {{{BAD_RECORDS}: '{bad_records}'}})"
    )


def _first_bad(rows: Rows, is_bad: str) -> BadRecords:
    message = " ".join(f"WHEN {check.is_bad} THEN {check.message}" for check in rows.checks)
    numbered = f"(SELECT *, row_number() OVER () AS tarn_row FROM {rows.relation})"  # noqa: S608
    found = rows.connection.execute(
        f"SELECT count(*) OVER (), tarn_row, CASE {message} END FROM {numbered} "  # noqa: S608
        f"WHERE {is_bad} ORDER BY tarn_row LIMIT 1"
    ).fetchall()  # read to its end, which is when DuckDB notes what its reader has rejected
    if not found:
        return BadRecords()
    count, row, detail = found[0]
    return BadRecords(count, f"{detail} in row {row}.")
