"""Rows in the Arrow types that the Storage Read API gives them.

The types: https://cloud.google.com/bigquery/docs/reference/storage#arrow_schema_details
"""

import pyarrow as pa
import pyarrow.compute as pc

from tarn_bigquery.sql.types import RANGE_END, RANGE_START, Field

_SCALARS: dict[str, pa.DataType] = {
    "INTEGER": pa.int64(),
    "FLOAT": pa.float64(),
    "BOOLEAN": pa.bool_(),
    "STRING": pa.string(),
    "BYTES": pa.binary(),
    "DATE": pa.date32(),
    "DATETIME": pa.timestamp("us"),
    "TIMESTAMP": pa.timestamp("us", tz="UTC"),
    "TIME": pa.time64("us"),
    "NUMERIC": pa.decimal128(38, 9),
    "BIGNUMERIC": pa.decimal256(76, 38),
    "JSON": pa.string(),
    "INTERVAL": pa.month_day_nano_interval(),
    "GEOGRAPHY": pa.string(),
}

# Clients tell types apart by this metadata where Arrow has one type for two of BigQuery's.
_METADATA = {
    "DATETIME": {"ARROW:extension:name": "google:sqlType:datetime"},
    "JSON": {"ARROW:extension:name": "google:sqlType:json"},
    "GEOGRAPHY": {
        "ARROW:extension:name": "google:sqlType:geography",
        "ARROW:extension:metadata": '{"encoding": "WKT"}',
    },
}


def schema_of(fields: list[Field]) -> pa.Schema:
    """The Arrow schema of rows with these columns."""
    return pa.schema([_field(field) for field in fields])


def converted(batch: pa.RecordBatch, fields: list[Field]) -> pa.RecordBatch:
    """A batch as DuckDB gives it, in BigQuery's types, with the columns (and parts of records) in `fields` alone."""
    arrays = [_array(batch.column(field["name"]), field) for field in fields]
    return pa.RecordBatch.from_arrays(arrays, schema=schema_of(fields))


def _field(field: Field) -> pa.Field:
    nullable = field.get("mode") != "REPEATED"
    return pa.field(field["name"], _type(field), nullable, _METADATA.get(field["type"]))


def _type(field: Field) -> pa.DataType:
    if field.get("mode") == "REPEATED":
        return pa.list_(pa.field("item", _type(_element(field))))
    if field["type"] == "RECORD":
        return pa.struct([_field(child) for child in field["fields"]])
    if field["type"] == "RANGE":
        bound = _SCALARS[field["rangeElementType"]["type"]]
        return pa.struct([("start", bound), ("end", bound)])
    return _SCALARS[field["type"]]


def _element(field: Field) -> Field:
    return {**field, "mode": "NULLABLE"}


def _array(array: pa.Array, field: Field) -> pa.Array:
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    if field.get("mode") == "REPEATED":
        return _list(array, field)
    if field["type"] == "RECORD":
        places = {member.name.lower(): i for i, member in enumerate(array.type)}
        children = [_array(array.field(places[f["name"].lower()]), f) for f in field["fields"]]
        return pa.StructArray.from_arrays(children, fields=list(_type(field)), mask=array.is_null())
    if field["type"] == "RANGE":
        kind = _type(field)
        bounds = [array.field(name).cast(kind.field(0).type) for name in (RANGE_START, RANGE_END)]
        return pa.StructArray.from_arrays(bounds, fields=list(kind), mask=array.is_null())
    return array.cast(_SCALARS[field["type"]])


def _list(array: pa.Array, field: Field) -> pa.Array:
    """A column of arrays. One that is NULL in the database is empty here: BigQuery has no NULL arrays."""
    lengths = pc.fill_null(pc.list_value_length(array), 0)
    ends = pc.cumulative_sum(lengths.cast(pa.int32()))
    offsets = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    return pa.ListArray.from_arrays(offsets, _array(array.flatten(), _element(field)), type=_type(field))
