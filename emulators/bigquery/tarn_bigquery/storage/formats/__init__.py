"""File formats of external tables, one module each. What is not Parquet is turned into it once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.formats.csv import CsvReader
from tarn_bigquery.storage.formats.ndjson import JsonReader
from tarn_bigquery.storage.formats.options import check_options
from tarn_bigquery.storage.formats.orc import OrcReader

PARQUET = "PARQUET"


class FormatReader(Protocol):
    """Reads the files of one table. Its repr says all that its output depends on besides file and columns."""

    @property
    def counts_columns(self) -> bool:
        """Whether a query is charged for the columns that it reads, and not for whole files."""

    @property
    def max_bad_records(self) -> int:
        """How many bad records all of the table's files together may have."""

    def detect(self, path: Path) -> list[Field]:
        """The columns that a file has by itself."""

    def to_parquet(self, path: Path, columns: Sequence[Field], target: Path) -> None:
        """Write a file's rows as Parquet that has the columns by name. Raises BadRecordsError."""


def _avro_reader(config: dict[str, Any]) -> FormatReader:
    # fastavro is an extra of this program: few lakes hold Avro.
    try:
        from tarn_bigquery.storage.formats.avro import AvroReader
    except ModuleNotFoundError as missing:
        raise StorageError("Reading AVRO needs fastavro. Install it: pip install fastavro") from missing
    return AvroReader.from_rest(config)


_READERS: dict[str, Callable[[dict[str, Any]], FormatReader]] = {
    "CSV": CsvReader.from_rest,
    "NEWLINE_DELIMITED_JSON": JsonReader.from_rest,
    "AVRO": _avro_reader,
    "ORC": OrcReader.from_rest,
}


def reader_for(source_format: str, config: dict[str, Any]) -> FormatReader | None:
    """The reader of a format, None for Parquet, which is read as it is.

    Raises:
        StorageError: the format is not supported, or its options are wrong.
        ApiError: `notImplemented` for an option that is not served.
    """
    check_options(config)
    if source_format == PARQUET:
        return None
    if source_format not in _READERS:
        known = ", ".join([PARQUET, *_READERS])
        raise StorageError(f"Unsupported sourceFormat: {source_format}. An external table reads one of {known}.")
    return _READERS[source_format](config)
