"""Sizes of stored tables, reckoned as BigQuery bills them and remembered until the table changes.

https://cloud.google.com/bigquery/pricing#data has the size of each type.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import partition_id
from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.definitions import fields_of, is_stored, ref_of
from tarn_bigquery.sql.partition_filters import ROWS
from tarn_bigquery.sql.types import Field

_FIXED = {"INTEGER": 8, "FLOAT": 8, "BOOLEAN": 1, "DATE": 8, "DATETIME": 8, "TIMESTAMP": 8, "TIME": 8,
          "NUMERIC": 16, "BIGNUMERIC": 32, "INTERVAL": 16, "RANGE": 16}  # fmt: skip

_KEPT_CONDITIONS = 1_000


_MIB = 2**20
_LEAST_BILLED = 10 * _MIB


def billed_bytes(size: int, tables: int) -> int:
    """What BigQuery bills a query for that reads so many bytes: whole MiB, and at least 10 for each of its tables.

    https://cloud.google.com/bigquery/pricing#on_demand_pricing
    """
    return max(-(-size // _MIB) * _MIB, _LEAST_BILLED * tables) if size else 0


@dataclass(frozen=True)
class TableSize:
    rows: int
    column_bytes: dict[str, int]

    @property
    def bytes(self) -> int:
        return sum(self.column_bytes.values())

    def bytes_of(self, columns: frozenset[str] | None) -> int:
        """Bytes of the columns, named in lower case; of all where None is given."""
        if columns is None:
            return self.bytes
        return sum(size for name, size in self.column_bytes.items() if name.lower() in columns)


class TableSizes:
    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: dict[TableRef, tuple[str, TableSize]] = {}
        self._narrowed: dict[tuple[str, str], int] = {}
        self._guard = threading.Lock()

    def of(self, body: Resource) -> TableSize:
        """The size of the table of this resource; nothing for what stores no rows."""
        if not is_stored(body):
            return TableSize(0, {})
        ref, etag = ref_of(body), body["etag"]
        with self._guard:
            known = self._known.get(ref)
        if known is not None and known[0] == etag:
            return known[1]
        size = self._measure(ref, fields_of(body))
        with self._guard:
            self._known[ref] = (etag, size)
        return size

    def bytes_read(self, body: Resource, columns: frozenset[str] | None, conditions: Sequence[str | None]) -> int:
        """Bytes of the columns in the partitions that hold rows which meet any of the conditions; None is met by all.

        Rows of one table are taken to be of one size.
        """
        size = self.of(body)
        whole = size.bytes_of(columns)
        if not conditions or None in conditions or not whole or not size.rows:
            return whole
        met = " OR ".join(sorted({condition for condition in conditions if condition}))
        return whole * self._rows_of_partitions(body, met) // size.rows

    def _rows_of_partitions(self, body: Resource, condition: str) -> int:
        key = (body["etag"], condition)
        with self._guard:
            known = self._narrowed.get(key)
        if known is not None:
            return known
        table = f"{duck_path(ref_of(body))} AS {ROWS}"
        query = (
            f"SELECT count(*) AS n, coalesce(bool_or({condition}), FALSE) AS met FROM {table} "  # noqa: S608
            f"GROUP BY {partition_id(body)}"
        )
        with self._database.cursor() as cursor:
            row = cursor.execute(f"SELECT coalesce(sum(n), 0) FROM ({query}) WHERE met").fetchone()  # noqa: S608
        rows = int(row[0]) if row else 0
        with self._guard:
            self._narrowed[key] = rows
            if len(self._narrowed) > _KEPT_CONDITIONS:
                del self._narrowed[next(iter(self._narrowed))]
        return rows

    def _measure(self, ref: TableRef, fields: list[Field]) -> TableSize:
        sums = [f"coalesce(sum({_size(field, quote(field['name']))}), 0)" for field in fields]
        query = f"SELECT {', '.join(['count(*)', *sums])} FROM {duck_path(ref)}"  # noqa: S608
        with self._database.cursor() as cursor:
            row = cursor.execute(query).fetchone() or (0,)
        sizes = {field["name"]: int(size) for field, size in zip(fields, row[1:], strict=True)}
        return TableSize(int(row[0]), sizes)


def _size(field: Field, value: str) -> str:
    """SQL for the bytes of one value."""
    if field.get("mode") == "REPEATED":
        element = _size({**field, "mode": "NULLABLE"}, "x")
        return f"coalesce(list_sum(list_transform({value}, lambda x: {element})), 0)"
    if field["type"] == "RECORD":
        parts = (_size(child, f"{value}.{quote(child['name'])}") for child in field["fields"])
        return f"({' + '.join(parts)})"
    if field["type"] in _FIXED:
        return f"(CASE WHEN {value} IS NULL THEN 0 ELSE {_FIXED[field['type']]} END)"
    length = f"octet_length({value})" if field["type"] == "BYTES" else f"strlen(CAST({value} AS VARCHAR))"
    return f"(CASE WHEN {value} IS NULL THEN 0 ELSE 2 + {length} END)"
