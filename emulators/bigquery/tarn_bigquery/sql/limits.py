"""What a column's type asks of the values that it stores: STRING(3), BYTES(2), NUMERIC(5, 2), and arrays without NULL.

https://cloud.google.com/bigquery/docs/reference/standard-sql/data-types#parameterized_data_types and #array_nulls
"""

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.values import text
from tarn_bigquery.sql.types import Field, duck_type, googlesql_type


def has_limits(field: Field) -> bool:
    """Whether a column, or a field within it, is an array or has a type with parameters."""
    is_limited = field.get("mode") == "REPEATED" or "maxLength" in field or "precision" in field
    return is_limited or any(map(has_limits, field.get("fields", [])))


def limited(sql: str, field: Field) -> str:
    """DuckDB SQL for a value as the column stores it: rounded to its scale, and an error where it is too large."""
    return _limited(sql, field, field["name"], 0) if has_limits(field) else sql


def _limited(sql: str, field: Field, path: str, depth: int) -> str:
    if not has_limits(field):
        return sql
    if field.get("mode") == "REPEATED":
        array = f"googlesql.without_null({sql}, {text(path)})"
        item = f"item{depth}"
        inner = _limited(item, {**field, "mode": "NULLABLE"}, path, depth + 1)
        return array if inner == item else f"list_transform({array}, lambda {item}: {inner})"
    if field["type"] == "RECORD":
        return f"CASE WHEN {sql} IS NOT NULL THEN struct_pack({_members(sql, field, path, depth)}) END"
    told = text(f"Field {path}: {googlesql_type(field)} has ")
    if "maxLength" in field:
        return f"googlesql.{field['type'].lower()}_stored({sql}, {int(field['maxLength'])}, {told})"
    precision, scale = int(field["precision"]), int(field.get("scale", 0))
    return f"CAST(googlesql.numeric_stored({sql}, {precision}, {scale}, {told}) AS {duck_type(field)})"


def _members(sql: str, field: Field, path: str, depth: int) -> str:
    found = []
    for child in field["fields"]:
        name = child["name"]
        value = _limited(f"struct_extract({sql}, {text(name)})", child, f"{path}.{name}", depth)
        found.append(f"{quote(name)} := {value}")
    return ", ".join(found)
