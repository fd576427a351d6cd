"""Newline-delimited JSON: one object a line.

Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-json
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import duckdb

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.formats.conversion import PATTERNS, JsonConverter, Keys, member
from tarn_bigquery.storage.formats.rows import Check, Rows, open_connection, text_literal, write_rows
from tarn_bigquery.storage.formats.text import codec_of, utf8_text

_RECORD = "record"
_LONGEST_LINE_BYTES = 16 << 20
_SHOWN_CHARACTERS = 100
_NUMBERS = {"UBIGINT": "INTEGER", "BIGINT": "INTEGER", "HUGEINT": "FLOAT", "UHUGEINT": "FLOAT", "DOUBLE": "FLOAT"}
_DETECTED_TEXTS = ("DATE", "TIME", "DATETIME", "TIMESTAMP")

Structure = dict[str, Any]
"""What DuckDB's json_group_structure finds in a file: types' names, objects and one-element arrays of them."""


@dataclass(frozen=True, slots=True)
class JsonReader:
    """Reads the files of one table."""

    codec: str
    ignore_unknown_values: bool
    max_bad_records: int
    counts_columns: ClassVar[bool] = False

    @classmethod
    def from_rest(cls, config: dict[str, Any]) -> JsonReader:
        """Read the configuration's jsonOptions and what goes with them; a load job's encoding is in csvOptions.

        Raises:
            StorageError: the encoding is not one of BigQuery's.
        """
        return cls(
            codec=codec_of(config.get("jsonOptions") or config.get("csvOptions") or {}),
            ignore_unknown_values=bool(config.get("ignoreUnknownValues")),
            max_bad_records=int(config.get("maxBadRecords") or 0),
        )

    def detect(self, path: Path) -> list[Field]:
        """The columns of all records together, each of the narrowest type that its values have."""
        with utf8_text(path, self.codec) as text, open_connection() as connection:
            structure = _structure(connection, text)
            detector = _Detector(connection, _records(text))
            return [
                detector.field(name, kind, member(_RECORD, name, _keys(structure))) for name, kind in structure.items()
            ]

    def to_parquet(self, path: Path, columns: Sequence[Field], target: Path) -> None:
        """Write a file's records as Parquet with the declared columns.

        Raises:
            BadRecordsError: more records than allowed are not objects, or do not fit the columns.
        """
        with utf8_text(path, self.codec) as text, open_connection() as connection:
            keys = _keys(_structure(connection, text))
            converter = JsonConverter(self.ignore_unknown_values)
            shown = f"left(line, {_SHOWN_CHARACTERS})"
            checks = [Check(f"({_RECORD} IS NULL)", f"'JSON parsing error: not an object: ' || {shown}")]
            unknown = converter.unknown_key(_RECORD, columns, keys)
            if unknown:
                checks.append(Check(f"({unknown} IS NOT NULL)", f"'No such field: ' || {unknown}"))
            values = []
            for position, field in enumerate(columns):
                raw = member(_RECORD, field["name"], keys)
                conversion = converter.convert(raw, field, keys.below(field["name"]))
                values.append((field["name"], conversion.value))
                checks.append(conversion.check(field, position, raw))
            write_rows(Rows(connection, _records(text), values, checks), target, self.max_bad_records)


@dataclass(frozen=True, slots=True)
class _Detector:
    """Finds the fields that the records of a relation suggest."""

    connection: duckdb.DuckDBPyConnection
    relation: str

    def field(self, name: str, kind: Any, value: str | None) -> Field:
        """A field of the structure's kind. `value` is SQL for it, None where it is within an array."""
        if isinstance(kind, list):
            return {**self.field(name, kind[0], None), "mode": "REPEATED"}
        if isinstance(kind, dict):
            keys = _keys(kind)
            children = [self.field(child, below, value and member(value, child, keys)) for child, below in kind.items()]
            return {"name": name, "type": "RECORD", "mode": "NULLABLE", "fields": children}
        return {"name": name, "type": self._scalar(kind, value), "mode": "NULLABLE"}

    def _scalar(self, kind: str, value: str | None) -> str:
        if kind == "BOOLEAN" or kind in _NUMBERS:
            return _NUMBERS.get(kind, kind)
        if kind == "VARCHAR" and value:
            tests = ", ".join(
                f"bool_and(regexp_full_match({value} ->> '$', '{PATTERNS[text]}'))" for text in _DETECTED_TEXTS
            )
            (found,) = self.connection.execute(f"SELECT {tests} FROM {self.relation}").fetchall()  # noqa: S608
            return next((text for text, fits in zip(_DETECTED_TEXTS, found, strict=True) if fits), "STRING")
        return "STRING"


def _records(text: Path) -> str:
    """The lines that are not blank, and the object in each; NULL where there is none."""
    lines = (
        f"read_csv({text_literal(str(text))}, auto_detect = false, header = false, delim = '\\0', quote = '', "
        f"escape = '', columns = {{line: 'VARCHAR'}}, compression = 'none', max_line_size = {_LONGEST_LINE_BYTES}, "
        "parallel = false)"
    )
    is_object = "json_valid(line) AND json_type(line) = 'OBJECT'"
    record = f"CASE WHEN {is_object} THEN CAST(line AS JSON) END"
    return f"(SELECT line, {record} AS {_RECORD} FROM {lines} WHERE trim(line) <> '')"  # noqa: S608


def _structure(connection: duckdb.DuckDBPyConnection, text: Path) -> Structure:
    """What the objects of a file hold, all of them taken together."""
    query = f"SELECT json_group_structure({_RECORD}) FROM {_records(text)}"  # noqa: S608
    ((found,),) = connection.execute(query).fetchall()
    structure = json.loads(found) if found else {}
    return structure if isinstance(structure, dict) else {}


def _keys(structure: Any) -> Keys:
    while isinstance(structure, list):
        structure = structure[0]
    return Keys({key: _keys(kind) for key, kind in structure.items()} if isinstance(structure, dict) else {})
