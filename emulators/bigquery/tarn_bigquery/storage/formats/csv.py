"""CSV: BigQuery's csvOptions, over DuckDB's reader.

Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#CsvOptions
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.formats.conversion import PATTERNS, from_text
from tarn_bigquery.storage.formats.rows import BadRecords, Check, Rows, open_connection, text_literal, write_rows
from tarn_bigquery.storage.formats.text import codec_of, utf8_text

_SAMPLED_ROWS = 500
_REJECTS = "rejects"
_DETECTED_IN_ORDER = ("BOOLEAN", "INTEGER", "FLOAT", "DATE", "TIME", "DATETIME", "TIMESTAMP")
_DETECTED_PATTERNS = {"BOOLEAN": "(?i)true|false", **PATTERNS}
_TEXTS = {"STRING", "BYTES", "JSON"}
_NOT_IN_NAMES = re.compile(r"[^0-9A-Za-z_]")


@dataclass(frozen=True, slots=True)
class CsvReader:
    """Reads the files of one table. `skip_leading_rows` of None leaves it to detection."""

    delimiter: str
    quote: str
    skip_leading_rows: int | None
    null_markers: tuple[str, ...]
    allow_jagged_rows: bool
    allow_quoted_newlines: bool
    codec: str
    ignore_unknown_values: bool
    max_bad_records: int
    autodetect: bool
    counts_columns: ClassVar[bool] = False

    @classmethod
    def from_rest(cls, config: dict[str, Any]) -> CsvReader:
        """Read the configuration's csvOptions and what goes with them.

        Raises:
            StorageError: an option has a value that CSV cannot have.
        """
        options = config.get("csvOptions") or {}
        delimiter = {"\\t": "\t", "tab": "\t"}.get(
            options.get("fieldDelimiter", ","), options.get("fieldDelimiter", ",")
        )
        if len(delimiter) != 1:
            raise StorageError(f"Invalid fieldDelimiter: {delimiter!r}. It is a single character.")
        skip = options.get("skipLeadingRows")
        return cls(
            delimiter=delimiter,
            quote=options.get("quote", '"'),
            skip_leading_rows=None if skip is None else int(skip),
            null_markers=_null_markers(options),
            allow_jagged_rows=bool(options.get("allowJaggedRows")),
            allow_quoted_newlines=bool(options.get("allowQuotedNewlines")),
            codec=codec_of(options),
            ignore_unknown_values=bool(config.get("ignoreUnknownValues")),
            max_bad_records=int(config.get("maxBadRecords") or 0),
            autodetect=bool(config.get("autodetect")),
        )

    def detect(self, path: Path) -> list[Field]:
        """The columns that the first rows suggest; a first row of names alone becomes their names."""
        with utf8_text(path, self.codec) as text, open_connection() as connection:
            sample = self._sample(connection, text)
        if not sample:
            raise StorageError("Cannot detect the schema of a CSV file without rows. Declare a schema.")
        header = self._is_header(sample) if self.skip_leading_rows is None else self.skip_leading_rows > 0
        names = _column_names(sample[0]) if header else []
        body = sample[1:] if header else sample
        kinds = [_detected_type([row[index] for row in body]) for index in range(len(sample[0]))]
        if not names:
            names = [f"{kind.lower()}_field_{index}" for index, kind in enumerate(kinds)]
        return [{"name": name, "type": kind, "mode": "NULLABLE"} for name, kind in zip(names, kinds, strict=True)]

    def to_parquet(self, path: Path, columns: Sequence[Field], target: Path) -> None:
        """Write a file's rows as Parquet with the declared columns.

        Raises:
            BadRecordsError: more records than allowed do not fit the columns.
        """
        with utf8_text(path, self.codec) as text, open_connection() as connection:
            skip = self._rows_to_skip(connection, text, columns)
            names = [f"c{index}" for index in range(len(columns))]
            extra = self._extra_columns(connection, text, names, skip)
            conversions = [from_text(_value(name, field), field) for name, field in zip(names, columns, strict=True)]
            rows = Rows(
                connection,
                self._read_csv(text, [*names, *extra], skip, padded=self.allow_jagged_rows or bool(extra)),
                [(field["name"], made.value) for field, made in zip(columns, conversions, strict=True)],
                [
                    *([] if self.allow_quoted_newlines else [_no_newlines(names)]),
                    *(made.check(columns[i], i, names[i]) for i, made in enumerate(conversions)),
                ],
                rejects=lambda: _rejects(connection),
            )
            write_rows(rows, target, self.max_bad_records)

    def _extra_columns(
        self, connection: duckdb.DuckDBPyConnection, text: Path, names: Sequence[str], skip: int
    ) -> list[str]:
        """Names for as many values as a row may have beyond the declared columns, where those are ignored."""
        if not self.ignore_unknown_values:
            return []
        relation = self._read_csv(text, names, skip, padded=True, rejects="measured")
        connection.execute(f"SELECT count(*) FROM {relation}").fetchall()  # noqa: S608
        if not _has_rejects(connection, "measured"):
            return []
        delimiter = text_literal(self.delimiter)
        (widest,) = connection.execute(
            f"SELECT coalesce(max(len(csv_line) - len(replace(csv_line, {delimiter}, '')) + 1), 0) "  # noqa: S608
            "FROM measured WHERE error_type = 'TOO MANY COLUMNS'"
        ).fetchone() or (0,)
        return [f"c{index}" for index in range(len(names), widest)]

    def _rows_to_skip(self, connection: duckdb.DuckDBPyConnection, text: Path, columns: Sequence[Field]) -> int:
        if self.skip_leading_rows is not None:
            return self.skip_leading_rows
        if not self.autodetect:
            return 0
        first = self._sample(connection, text, rows=1)
        names = [field["name"].lower() for field in columns]
        return int(bool(first) and [name.lower() for name in _column_names(first[0])] == names)

    def _is_header(self, sample: list[list[str | None]]) -> bool:
        """Whether the first row holds texts alone above a column that holds something else."""
        first, *body = sample
        if not body or any(value is None or _detected_type([value]) != "STRING" for value in first):
            return False
        return any(_detected_type([row[index] for row in body]) != "STRING" for index in range(len(first)))

    def _sample(
        self, connection: duckdb.DuckDBPyConnection, text: Path, rows: int = _SAMPLED_ROWS
    ) -> list[list[str | None]]:
        """The first rows, the one before the skipped rows' end first, since that may hold the names."""
        skip = max((self.skip_leading_rows or 0) - 1, 0)
        width = self._width(text, skip)
        relation = self._read_csv(text, [f"c{index}" for index in range(width)], skip, padded=True, rejects="sampled")
        found = connection.execute(f"SELECT * FROM {relation} LIMIT {rows}").fetchall()  # noqa: S608
        return [list(row) for row in found]

    def _width(self, text: Path, skip: int) -> int:
        with text.open(encoding="utf-8", errors="replace", newline="") as lines:
            for _ in range(skip):
                lines.readline()
            line = lines.readline().rstrip("\r\n")
        outside = re.sub(f"{re.escape(self.quote)}.*?{re.escape(self.quote)}", "", line) if self.quote else line
        return outside.count(self.delimiter) + 1

    def _read_csv(self, text: Path, names: Sequence[str], skip: int, padded: bool, rejects: str = _REJECTS) -> str:
        columns = ", ".join(f"{name}: 'VARCHAR'" for name in names)
        quote = text_literal(self.quote)
        return (
            f"read_csv({text_literal(str(text))}, auto_detect = false, header = false, skip = {skip}, "
            f"delim = {text_literal(self.delimiter)}, quote = {quote}, escape = {quote}, "
            f"nullstr = [{', '.join(map(text_literal, self.null_markers))}], allow_quoted_nulls = false, "
            f"columns = {{{columns}}}, "
            f"null_padding = {padded}, parallel = false, compression = 'none', store_rejects = true, "
            f"rejects_table = '{rejects}', rejects_scan = '{rejects}_scans')"
        )


def _null_markers(options: dict[str, Any]) -> tuple[str, ...]:
    if options.get("nullMarker") and options.get("nullMarkers"):
        raise StorageError("Only one of nullMarker and nullMarkers can be set.")
    return tuple(options.get("nullMarkers") or [options.get("nullMarker") or ""])


def _value(name: str, field: Field) -> str:
    """A column's text. Beside the null marker, the bare word `null` is NULL wherever it is no text of its own."""
    return name if field["type"] in _TEXTS else f"nullif({name}, 'null')"


def _no_newlines(names: Sequence[str]) -> Check:
    broken = " OR ".join(f"contains({name}, chr(10))" for name in names)
    return Check(f"({broken})", "'Missing close double quote (\") character'")


def _rejects(connection: duckdb.DuckDBPyConnection) -> BadRecords:
    """The rows whose shape is wrong, as the reader noted them on its last pass."""
    if not _has_rejects(connection, _REJECTS):
        return BadRecords()
    found = connection.execute(
        "SELECT count(DISTINCT line) OVER (), error_type, column_idx, line_byte_position - 1 "  # noqa: S608
        f"FROM {_REJECTS} WHERE scan_id = (SELECT max(scan_id) FROM {_REJECTS}) ORDER BY line, column_idx LIMIT 1"
    ).fetchone()
    return BadRecords(found[0], _reject(*found[1:])) if found else BadRecords()


def _has_rejects(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    # DuckDB makes the table when there is something to put into it.
    return bool(connection.execute("SELECT 1 FROM duckdb_tables() WHERE table_name = ?", [table]).fetchall())


def _reject(error_type: str, column: int, position: int) -> str:
    if error_type == "MISSING COLUMNS":
        return (
            f"CSV table references column position {column}, but line starting at position:{position} "
            f"contains only {column} columns."
        )
    if error_type == "TOO MANY COLUMNS":
        return f"Too many values in line starting at position: {position}."
    if error_type == "UNQUOTED VALUE":
        return f'Missing close double quote (") character in line starting at position: {position}.'
    return f"{error_type.capitalize()} in line starting at position: {position}."


def _detected_type(values: Sequence[str | None]) -> str:
    known = [value for value in values if value is not None]
    for kind in _DETECTED_IN_ORDER:
        if known and all(re.fullmatch(_DETECTED_PATTERNS[kind], value) for value in known):
            return kind
    return "STRING"


def _column_names(row: Sequence[str | None]) -> list[str]:
    """The names of a header row, with `_` for what a column's name cannot hold."""
    names = [_NOT_IN_NAMES.sub("_", value or "") for value in row]
    return [f"_{name}" if not name or name[0].isdigit() else name for name in names]
