"""`table$__PARTITIONS_SUMMARY__`: the partitions of a table as rows, which clients list instead of asking SQL.

https://cloud.google.com/bigquery/docs/managing-partitioned-tables#get_partition_metadata_using_meta-tables
"""

from datetime import UTC, datetime

import pyarrow as pa

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.definitions import ref_of
from tarn_bigquery.engine.introspection import Introspection
from tarn_bigquery.engine.results import ArrowRows
from tarn_bigquery.sql.types import Field

_SUFFIX = "$__PARTITIONS_SUMMARY__"
_TYPES = {
    "project_id": ("STRING", pa.string()),
    "dataset_id": ("STRING", pa.string()),
    "table_id": ("STRING", pa.string()),
    "partition_id": ("STRING", pa.string()),
    "creation_time": ("INTEGER", pa.int64()),
    "creation_timestamp": ("TIMESTAMP", pa.timestamp("us", tz="UTC")),
    "last_modified_time": ("INTEGER", pa.int64()),
    "last_modified_timestamp": ("TIMESTAMP", pa.timestamp("us", tz="UTC")),
}
FIELDS: list[Field] = [{"name": name, "type": kind, "mode": "NULLABLE"} for name, (kind, _) in _TYPES.items()]


def summarized(ref: TableRef) -> TableRef | None:
    """The table whose partitions a name stands for, or None for any other name."""
    return ref.parent.table(ref.table.removesuffix(_SUFFIX)) if ref.table.endswith(_SUFFIX) else None


def partition_summary(body: Resource, introspection: Introspection) -> ArrowRows:
    """The partitions of a table. Times are the table's own: none are kept for each partition."""
    ref = ref_of(body)
    created, modified = int(body["creationTime"]), int(body["lastModifiedTime"])
    rows = [
        {
            "project_id": ref.project,
            "dataset_id": ref.dataset,
            "table_id": ref.table,
            "partition_id": name,
            "creation_time": created,
            "creation_timestamp": datetime.fromtimestamp(created / 1000, UTC),
            "last_modified_time": modified,
            "last_modified_timestamp": datetime.fromtimestamp(modified / 1000, UTC),
        }
        for name, _, _ in introspection.partitions(body)
        if name is not None
    ]
    return ArrowRows(FIELDS, pa.Table.from_pylist(rows, pa.schema({name: kind for name, (_, kind) in _TYPES.items()})))
