"""The SQL by which DuckDB reads a set of cached Parquet files as one table.

Files of one layout share one read_parquet, so that DuckDB pushes projections and filters into it and the text
stays short; each further layout is a branch of a UNION ALL. Partition values and file names are looked up by the
reader's file_index.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import accumulate, groupby

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.types import Field, duck_type
from tarn_bigquery.storage.files import CachedFile
from tarn_bigquery.storage.hive import KeyValue, PartitionKey
from tarn_bigquery.storage.listing import FILE_NAME
from tarn_bigquery.storage.schema import TypeMismatchError, find_column, null_expression, read_expression

_FILE_INDEX = "file_index"
_MOST_CASES = 16
_FORMAT_NAMES = {"PARQUET": "Parquet", "AVRO": "Avro"}


@dataclass(frozen=True, slots=True)
class TableShape:
    """What a scan gives: the declared columns, then the partition keys, then _FILE_NAME if it is wanted."""

    table: str
    source_format: str
    columns: Sequence[Field]
    keys: Sequence[PartitionKey]
    with_file_name: bool

    @property
    def fields(self) -> list[Field]:
        """The schema, which the pseudo-column is no part of."""
        return [*self.columns, *(key.field for key in self.keys)]


def scan_sql(shape: TableShape, files: Sequence[CachedFile], named: Collection[str] | None = None) -> str:
    """A subquery with the shape's columns over the files' rows, or with those that are named, in lower case.

    DuckDB would read no others either, but takes longer to find that out than to count a few rows.
    """
    if not files:
        return f"({_no_rows(shape)})"
    layouts: dict[str, list[CachedFile]] = {}
    for file in files:
        # A column that bears the virtual column's name hides it: such files are read one by one.
        alone = find_column(file.footer.columns, _FILE_INDEX) is not None
        layouts.setdefault(file.uri if alone else file.footer.layout, []).append(file)
    return f"({' UNION ALL '.join(_branch(shape, group, named) for group in layouts.values())})"


def _branch(shape: TableShape, files: Sequence[CachedFile], named: Collection[str] | None) -> str:
    columns = [
        f"{_column(shape, files[0], field)} AS {quote(field['name'])}"
        for field in shape.columns
        if named is None or field["name"].lower() in named
    ]
    for index, key in enumerate(shape.keys):
        if named is None or key.name.lower() in named:
            values = [file.source.values[index] for file in files]
            columns.append(f"{_by_file(values, duck_type(key.field))} AS {quote(key.name)}")
    if shape.with_file_name:
        columns.append(f"{_by_file([file.uri for file in files], 'VARCHAR')} AS {quote(FILE_NAME)}")
    paths = ", ".join(_literal(str(file.path)) for file in files)
    return f"SELECT {', '.join(columns) or 'NULL'} FROM read_parquet([{paths}], hive_partitioning = false)"  # noqa: S608


def _column(shape: TableShape, file: CachedFile, declared: Field) -> str:
    source = find_column(file.footer.columns, declared["name"])
    if source is None:
        return null_expression(declared)
    try:
        return read_expression(quote(source.name), source, declared)
    except TypeMismatchError as mismatch:
        # Told only by a query that reads the column, as BigQuery does.
        format_name = _FORMAT_NAMES.get(shape.source_format, shape.source_format)
        found, wanted = mismatch.physical_type, mismatch.declared
        message = (
            f"Error while reading table: {shape.table}, error message: {format_name} column "
            f"'{mismatch.column}' has type {found} which does not match the target cpp_type {wanted}. "
            f"File: {file.uri}"
        )
        return f"CAST(error({_literal(message)}) AS {duck_type(declared)})"


def _by_file(values: Sequence[KeyValue], kind: str) -> str:
    """The value of the file that a row comes from.

    DuckDB groups by a CASE faster than by an element of a list, but tries its branches one after the other.
    """
    runs = [(value, len(list(run))) for value, run in groupby(values)]
    if len(runs) == 1:
        return f"CAST({_value(values[0])} AS {kind})"
    if len(runs) > _MOST_CASES:
        listed = ", ".join(_value(value) for value in values)
        return f"CAST([{listed}] AS {kind}[])[CAST({_FILE_INDEX} + 1 AS BIGINT)]"
    ends = accumulate(length for _, length in runs)
    cases = " ".join(
        f"WHEN {_FILE_INDEX} < {end} THEN CAST({_value(value)} AS {kind})"
        for (value, _), end in zip(runs, ends, strict=True)
    )
    return f"CASE {cases} END"


def _value(value: KeyValue) -> str:
    return "NULL" if value is None else _literal(str(value))


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _no_rows(shape: TableShape) -> str:
    columns = [f"{null_expression(field)} AS {quote(field['name'])}" for field in shape.fields]
    if shape.with_file_name:
        columns.append(f"CAST(NULL AS VARCHAR) AS {quote(FILE_NAME)}")
    return f"SELECT {', '.join(columns)} WHERE false"
