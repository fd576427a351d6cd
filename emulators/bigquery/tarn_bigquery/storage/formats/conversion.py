"""Text and JSON values as BigQuery's types, in DuckDB SQL that says which values do not convert.

DuckDB's own casts take more than BigQuery does ('1.6' is an INT64 to it), so each has a pattern before it.
Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-csv#data_types
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.types import Field, duck_type, legacy_name, standard_name
from tarn_bigquery.storage.formats.rows import Check, text_literal

_DATE = r"\d{4}-\d{1,2}-\d{1,2}"
_TIME = r"\d{1,2}:\d{1,2}:\d{1,2}(\.\d{1,6})?"
_NUMBER = r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?"
_ZONE = r" ?(UTC|[zZ]|[+-]\d{1,2}(:?\d{2})?|[A-Za-z]+/[A-Za-z_/+-]+)"
PATTERNS = {
    "INTEGER": r"[+-]?\d+",
    "FLOAT": rf"{_NUMBER}|[+-]?([iI][nN][fF]([iI][nN][iI][tT][yY])?)|[nN][aA][nN]",
    "NUMERIC": _NUMBER,
    "BIGNUMERIC": _NUMBER,
    "DATE": _DATE,
    "TIME": _TIME,
    "DATETIME": rf"{_DATE}([ tT]{_TIME})?",
    "TIMESTAMP": rf"{_DATE}([ tT]{_TIME})?({_ZONE})?",
}
"""What a text must look like to be of a type, as a pattern for both DuckDB and Python."""

_TRUE = "('true', 't', 'yes', 'y', '1')"
_FALSE = "('false', 'f', 'no', 'n', '0')"


@dataclass(frozen=True, slots=True)
class Conversion:
    """SQL for the converted value, and SQL that is TRUE where there is something that does not convert."""

    value: str
    is_bad: str

    def check(self, field: Field, position: int, raw: str) -> Check:
        """The check of a column that comes by this conversion from the raw value."""
        kind = standard_name(legacy_name(field["type"]))
        place = text_literal(f" as {kind} for field {field['name']} (position {position})")
        return Check(
            self.is_bad, f"'Could not parse ''' || coalesce(CAST({raw} AS VARCHAR), 'NULL') || '''' || {place}"
        )


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys that the JSON objects at one place have anywhere in a file, and those of what they hold."""

    children: dict[str, Keys]

    def spellings(self, name: str) -> list[str]:
        """Every key that differs from the name by case at most; the name itself where there is none."""
        return [key for key in self.children if key.lower() == name.lower()] or [name]

    def below(self, name: str) -> Keys:
        merged: dict[str, Keys] = {}
        for key in self.spellings(name):
            merged.update(self.children[key].children if key in self.children else {})
        return Keys(merged)

    def unknown_to(self, fields: Sequence[Field]) -> list[str]:
        names = {field["name"].lower() for field in fields}
        return [key for key in self.children if key.lower() not in names]


@dataclass(frozen=True, slots=True)
class JsonConverter:
    """Converts the JSON of one file. Without `ignores_unknown` a key that has no field makes a record bad."""

    ignores_unknown: bool

    def convert(self, value: str, field: Field, keys: Keys) -> Conversion:
        """A JSON value as a field of any type."""
        if field.get("mode") == "REPEATED":
            return self._array(value, field, keys)
        kind = legacy_name(field["type"])
        if kind == "RECORD":
            return self._record(value, field, keys)
        if kind == "JSON":
            return Conversion(f"CAST({value} AS JSON)", "false")
        return from_text(f"({value} ->> '$')", field)

    def unknown_key(self, value: str, fields: Sequence[Field], keys: Keys) -> str | None:
        """SQL for the first key of an object that has no field; None where no record of the file has one."""
        unknown = keys.unknown_to(fields)
        if self.ignores_unknown or not unknown:
            return None
        listed = ", ".join(text_literal(key) for key in unknown)
        return f"list_filter(json_keys({value}), lambda key: key IN ({listed}))[1]"

    def _array(self, value: str, field: Field, keys: Keys) -> Conversion:
        element = self.convert("item", {**field, "mode": "NULLABLE"}, keys)
        items = f"json_extract({value}, '$[*]')"
        is_array = f"json_type({value}) = 'ARRAY'"
        any_bad = f"list_contains(list_transform({items}, lambda item: {element.is_bad}), true)"
        return Conversion(
            f"CASE WHEN {is_array} THEN list_transform({items}, lambda item: {element.value}) END",
            f"({value} IS NOT NULL AND (NOT {is_array} OR {any_bad}))",
        )

    def _record(self, value: str, field: Field, keys: Keys) -> Conversion:
        parts = [
            (child["name"], self.convert(member(value, child["name"], keys), child, keys.below(child["name"])))
            for child in field["fields"]
        ]
        packed = ", ".join(f"{quote(name)} := {part.value}" for name, part in parts)
        is_object = f"json_type({value}) = 'OBJECT'"
        problems = [f"NOT {is_object}", *(part.is_bad for _, part in parts)]
        unknown = self.unknown_key(value, field["fields"], keys)
        if unknown:
            problems.append(f"{unknown} IS NOT NULL")
        return Conversion(
            f"CASE WHEN {is_object} THEN struct_pack({packed}) END",
            f"({value} IS NOT NULL AND ({' OR '.join(problems)}))",
        )


def member(value: str, name: str, keys: Keys) -> str:
    """SQL for an object's member of a name, whatever its case; JSON null counts as absent."""
    found = [f"nullif(json_extract({value}, {_json_path(key)}), CAST('null' AS JSON))" for key in keys.spellings(name)]
    return found[0] if len(found) == 1 else f"coalesce({', '.join(found)})"


def from_text(text: str, field: Field) -> Conversion:
    """A text as a scalar field."""
    value = _scalar(text, legacy_name(field["type"]), field)
    is_bad = f"({text} IS NOT NULL AND {value} IS NULL)"
    return Conversion(value, f"({is_bad} OR {text} IS NULL)" if field.get("mode") == "REQUIRED" else is_bad)


def _json_path(key: str) -> str:
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return text_literal(f'$."{escaped}"')


def _scalar(text: str, kind: str, field: Field) -> str:
    if kind in {"STRING", "GEOGRAPHY"}:
        return text
    if kind == "BOOLEAN":
        return f"CASE WHEN lower({text}) IN {_TRUE} THEN true WHEN lower({text}) IN {_FALSE} THEN false END"
    if kind == "BYTES":
        return f"TRY(from_base64({text}))"
    if kind == "JSON":
        return f"CASE WHEN json_valid({text}) THEN CAST({text} AS JSON) END"
    cast = f"TRY_CAST({text} AS {duck_type({**field, 'mode': 'NULLABLE'})})"
    if kind not in PATTERNS:
        return cast
    matched = f"WHEN regexp_full_match({text}, '{PATTERNS[kind]}') THEN {cast}"
    if kind == "TIMESTAMP":
        # Seconds since the epoch are a TIMESTAMP too.
        epoch = f"to_timestamp(TRY_CAST({text} AS DOUBLE))"
        matched += f" WHEN regexp_full_match({text}, '{_NUMBER}') THEN {epoch}"
    return f"CASE {matched} END"
