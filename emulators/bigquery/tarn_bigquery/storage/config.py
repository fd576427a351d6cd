"""An external table's definition: REST's ExternalDataConfiguration, checked.

Source: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#ExternalDataConfiguration
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.formats import FormatReader, reader_for
from tarn_bigquery.storage.formats.parquet import ParquetOptions
from tarn_bigquery.storage.hive import HivePartitioning
from tarn_bigquery.storage.uris import UriPattern, parse_uri


@dataclass(frozen=True, slots=True)
class ExternalConfig:
    """What to read and how.

    `reader` is None for Parquet, which needs none. `schema` holds the declared columns, None where they are to
    be detected.
    """

    source_format: str
    reader: FormatReader | None
    parquet_options: ParquetOptions
    patterns: tuple[UriPattern, ...]
    schema: tuple[Field, ...] | None
    hive: HivePartitioning | None
    reference_file: UriPattern | None

    @classmethod
    def from_rest(cls, config: dict[str, Any], schema: list[Field] | None = None) -> ExternalConfig:
        """Check a configuration. `schema` is the table's own, which goes before the configuration's.

        A table's schema that was resolved before includes the partition keys: they give the keys their
        types, and are not looked for in the files.

        Raises:
            StorageError: a part is missing or malformed.
        """
        source_format = str(config.get("sourceFormat") or "").upper()
        if not source_format:
            raise StorageError("externalDataConfiguration.sourceFormat is required, such as PARQUET.")
        patterns = tuple(parse_uri(uri) for uri in config.get("sourceUris") or [])
        if not patterns:
            raise StorageError("externalDataConfiguration.sourceUris is required, such as gs://bucket/table/*.")
        fields = schema or (config.get("schema") or {}).get("fields")
        hive_options = config.get("hivePartitioningOptions")
        hive = HivePartitioning.from_options(hive_options, patterns) if hive_options else None
        if hive and hive_options and fields and hive.keys is None:
            hive = hive.with_keys_of(fields, hive_options.get("fields") or [])
        reference = config.get("referenceFileSchemaUri")
        return cls(
            source_format=source_format,
            reader=reader_for(source_format, config),
            parquet_options=ParquetOptions.from_rest(config.get("parquetOptions") or {}),
            patterns=patterns,
            schema=_without_keys(fields, hive) if fields else None,
            hive=hive,
            reference_file=parse_uri(reference) if reference else None,
        )


def _without_keys(fields: list[Field], hive: HivePartitioning | None) -> tuple[Field, ...] | None:
    keys = {key.name.lower() for key in hive.keys or ()} if hive else set()
    return tuple(field for field in fields if field["name"].lower() not in keys) or None
