"""Hive partitioning: keys and values that stand in object names, as `month=2024-01-01/`.

Source: https://cloud.google.com/bigquery/docs/hive-partitioned-queries
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import unquote

from tarn_bigquery.sql.types import Field, legacy_name
from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.uris import UriPattern, split_uri

KeyValue = str | int | date | datetime | None

_NULL_VALUE = "__HIVE_DEFAULT_PARTITION__"
_MODES = ("AUTO", "STRINGS", "CUSTOM")
_MAX_KEYS = 10
_TYPES = ("STRING", "INTEGER", "DATE", "TIMESTAMP")
_INFERRED_IN_ORDER = ("INTEGER", "DATE", "TIMESTAMP")
_TYPED_SEGMENT = re.compile(r"\{(?P<name>[^:{}/]+):(?P<type>[^:{}/]+)\}")
_INTEGER = re.compile(r"[+-]?\d{1,19}")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INT64_RANGE = range(-(2**63), 2**63)


@dataclass(frozen=True, slots=True)
class PartitionKey:
    """A key of the layout; `type` is STRING, INTEGER, DATE or TIMESTAMP."""

    name: str
    type: str

    @property
    def field(self) -> Field:
        """The column that the key becomes."""
        return {"name": self.name, "type": self.type, "mode": "NULLABLE"}


@dataclass(frozen=True, slots=True)
class HivePartitioning:
    """The layout below gs://`bucket`/`prefix`. `keys` is None until their types are known."""

    mode: str
    bucket: str
    prefix: str
    keys: tuple[PartitionKey, ...] | None
    requires_filter: bool

    @classmethod
    def from_options(cls, options: dict[str, Any], patterns: Sequence[UriPattern]) -> HivePartitioning:
        """Read a table's hivePartitioningOptions.

        Raises:
            StorageError: an unknown mode, a missing or unfit sourceUriPrefix, a bad key or type.
        """
        mode = str(options.get("mode") or "AUTO").upper()
        if mode not in _MODES:
            raise StorageError(f"Invalid hive partitioning mode: {mode}. It is one of {', '.join(_MODES)}.")
        uri_prefix = options.get("sourceUriPrefix")
        if not uri_prefix:
            raise StorageError("hivePartitioningOptions.sourceUriPrefix is required, such as gs://bucket/table/.")
        bucket, path = split_uri(uri_prefix)
        folder, keys = _split_typed_keys(path, uri_prefix)
        if mode == "CUSTOM" and not keys:
            raise StorageError(
                f"Hive partitioning mode CUSTOM needs typed keys in sourceUriPrefix {uri_prefix}, "
                "such as gs://bucket/table/{month:DATE}."
            )
        if mode != "CUSTOM" and keys:
            raise StorageError(f"sourceUriPrefix {uri_prefix} has typed keys, which only mode CUSTOM takes.")
        prefix = f"{folder}/" if folder else ""
        for pattern in patterns:
            if pattern.bucket != bucket or not pattern.prefix.startswith(prefix):
                raise StorageError(
                    f"sourceUriPrefix gs://{bucket}/{prefix} must be a prefix of every source URI; "
                    f"{pattern.uri} does not start with it."
                )
        return cls(mode, bucket, prefix, keys or None, bool(options.get("requirePartitionFilter")))

    def with_keys_of(self, schema: Sequence[Field], names: Sequence[str]) -> HivePartitioning:
        """The same layout, its keys typed by the columns of a schema that was resolved before."""
        types = {field["name"].lower(): legacy_name(field["type"]) for field in schema}
        if not names or any(name.lower() not in types for name in names):
            return self
        return replace(self, keys=tuple(PartitionKey(name, types[name.lower()]) for name in names))

    def with_keys_found_in(self, object_names: Iterable[str]) -> HivePartitioning:
        """The same layout with the keys that object names show; mode AUTO infers their types."""
        columns: dict[str, list[str | None]] = {}
        for name in object_names:
            for key, value in self.segments(name):
                columns.setdefault(key, []).append(value)
        if self.mode == "STRINGS":
            return replace(self, keys=tuple(PartitionKey(key, "STRING") for key in columns))
        return replace(self, keys=tuple(PartitionKey(key, infer_type(found)) for key, found in columns.items()))

    def segments(self, path: str) -> list[tuple[str, str | None]]:
        """Keys and raw values in the folders of an object's name, or of a folder that ends in `/`.

        Raises:
            StorageError: a folder below the prefix is not of the form key=value.
        """
        folders = path.removeprefix(self.prefix).split("/")[:-1]
        pairs = [folder.partition("=") for folder in folders]
        if any(not key or not equals for key, equals, _ in pairs):
            found = [key for key, equals, _ in pairs if equals]
            raise self._variant_keys(path, found)
        return [(key, None if value == _NULL_VALUE else unquote(value)) for key, _, value in pairs]

    def values(self, object_name: str) -> tuple[KeyValue, ...]:
        """The typed values of all keys for one object.

        Raises:
            StorageError: the keys in the name are not the table's, or a value is not of its key's type.
        """
        values = self.leading_values(object_name)
        if len(values) != len(self.keys or ()):
            raise self._variant_keys(object_name, [key for key, _ in self.segments(object_name)])
        return values

    def leading_values(self, path: str) -> tuple[KeyValue, ...]:
        """The typed values of as many keys as the path has, first keys first."""
        keys = self.keys or ()
        segments = self.segments(path)
        names = [name for name, _ in segments]
        if [name.lower() for name in names] != [key.name.lower() for key in keys[: len(names)]]:
            raise self._variant_keys(path, names)
        return tuple(self._typed(key, raw, path) for key, (_, raw) in zip(keys, segments, strict=False))

    def _typed(self, key: PartitionKey, raw: str | None, path: str) -> KeyValue:
        try:
            return parse_value(raw, key.type)
        except ValueError as wrong:
            raise StorageError(
                f"Unable to parse partition key '{key.name}' as {key.type}: {wrong}. File: gs://{self.bucket}/{path}"
            ) from wrong

    def _variant_keys(self, path: str, found: list[str]) -> StorageError:
        expected = [key.name for key in self.keys or ()]
        return StorageError(
            "Partition keys should be invariant from table creation across all partitions, with the number "
            "of partition keys held constant with invariant names. "
            f"Expected {len(expected)} partition keys ([{', '.join(expected)}]), but {len(found)} "
            f"([{', '.join(found)}]) were encountered along path gs://{self.bucket}/{path}."
        )


def parse_value(raw: str | None, kind: str) -> KeyValue:
    """A raw value as its key's type; None is the value of the default partition.

    Raises:
        ValueError: the text is not of that type.
    """
    if raw is None or kind == "STRING":
        return raw
    if kind == "INTEGER":
        if _INTEGER.fullmatch(raw) and int(raw) in _INT64_RANGE:
            return int(raw)
        raise ValueError(f"{raw!r} is not an integer of 64 bits")
    if kind == "DATE":
        if _DATE.fullmatch(raw):
            return date.fromisoformat(raw)
        raise ValueError(f"{raw!r} is not a date such as 2024-01-31")
    moment = datetime.fromisoformat(raw.removesuffix(" UTC"))
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def infer_type(values: Sequence[str | None]) -> str:
    """The narrowest key type that every value fits; STRING where none does or nothing is known."""
    known = {value for value in values if value is not None}
    for kind in _INFERRED_IN_ORDER:
        if known and all(_fits(value, kind) for value in known):
            return kind
    return "STRING"


def _fits(value: str, kind: str) -> bool:
    try:
        parse_value(value, kind)
    except ValueError:
        return False
    return True


def _split_typed_keys(path: str, uri_prefix: str) -> tuple[str, tuple[PartitionKey, ...]]:
    """The plain folders of a sourceUriPrefix, and the typed keys that follow them."""
    folder, brace, encoded = path.partition("{")
    keys = []
    for segment in f"{brace}{encoded}".strip("/").split("/") if brace else []:
        match = _TYPED_SEGMENT.fullmatch(segment)
        kind = legacy_name(match["type"].strip()) if match else ""
        if not match or kind not in _TYPES:
            raise StorageError(
                f"Invalid sourceUriPrefix {uri_prefix}: {segment} is not a key such as {{month:DATE}}, "
                "of type STRING, INTEGER, DATE or TIMESTAMP."
            )
        keys.append(PartitionKey(match["name"].strip(), kind))
    if len({key.name.lower() for key in keys}) < len(keys) or len(keys) > _MAX_KEYS:
        raise StorageError(
            f"Invalid sourceUriPrefix {uri_prefix}: at most {_MAX_KEYS} keys, each with a name of its own."
        )
    return folder.strip("/"), tuple(keys)
