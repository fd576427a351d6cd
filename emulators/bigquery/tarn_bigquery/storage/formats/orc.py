"""ORC, by way of pyarrow.

Source: https://cloud.google.com/bigquery/docs/loading-data-cloud-storage-orc#orc_conversions
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pyarrow as pa
from pyarrow import orc

from tarn_bigquery.sql.types import Field
from tarn_bigquery.storage.formats.arrow import field_of, is_list, write_parquet

_TIMESTAMP = pa.timestamp("us", tz="UTC")


@dataclass(frozen=True, slots=True)
class OrcReader:
    """Reads the files of one table. A file's own types shape its Parquet, whatever the table declares."""

    counts_columns: ClassVar[bool] = True
    max_bad_records: ClassVar[int] = 0

    @classmethod
    def from_rest(cls, _config: dict[str, Any]) -> OrcReader:
        return cls()

    def detect(self, path: Path) -> list[Field]:
        """The columns of the file. Raises pyarrow.ArrowException where it is not ORC."""
        return [field_of(field.name, _converted(field.type)) for field in orc.ORCFile(path).schema]

    def to_parquet(self, path: Path, _columns: Sequence[Field], target: Path) -> None:
        """Write the file's rows as Parquet, stripe by stripe. Raises pyarrow.ArrowException as `detect`."""
        file = orc.ORCFile(path)
        schema = pa.schema([(field.name, _converted(field.type)) for field in file.schema])
        stripes = (file.read_stripe(index) for index in range(file.nstripes))
        write_parquet(schema, (stripe.cast(schema) for stripe in stripes), target)


def _converted(kind: pa.DataType) -> pa.DataType:
    """The type as BigQuery has it: every timestamp is a point in time, and a map a list of its entries."""
    if pa.types.is_timestamp(kind):
        return _TIMESTAMP
    if pa.types.is_map(kind):
        return pa.list_(pa.struct([("key", _converted(kind.key_type)), ("value", _converted(kind.item_type))]))
    if is_list(kind):
        return pa.list_(_converted(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(child.name, _converted(child.type)) for child in kind])
    return kind
