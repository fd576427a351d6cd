"""Values of Arrow as DuckDB SQL, for variables that outlive the statement that made them."""

from typing import Any

import pyarrow as pa

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.types import RANGE_END, RANGE_START, Field, duck_type


def literal(value: Any, field: Field) -> str:
    """A value, as `to_pylist` gives it, as an expression of the field's DuckDB type."""
    kind = duck_type(field)
    if value is None:
        return f"CAST(NULL AS {kind})"
    if field.get("mode") == "REPEATED":
        items = ", ".join(literal(item, {**field, "mode": "NULLABLE"}) for item in value)
        return f"CAST([{items}] AS {kind})"
    if field["type"] == "RECORD":
        members = (f"{quote(f['name'])} := {literal(value[f['name']], f)}" for f in field["fields"])
        return f"struct_pack({', '.join(members)})"
    if field["type"] == "RANGE":
        element = {"type": field["rangeElementType"]["type"]}
        return (
            f"struct_pack({RANGE_START} := {literal(value[RANGE_START], element)}, "
            f"{RANGE_END} := {literal(value[RANGE_END], element)})"
        )
    if isinstance(value, bytes):
        return "'" + "".join(f"\\x{byte:02X}" for byte in value) + "'::BLOB"
    if isinstance(value, pa.MonthDayNano):
        return f"(to_months({value.months}) + to_days({value.days}) + to_microseconds({value.nanoseconds // 1000}))"
    text = str(value).replace("'", "''")
    return f"CAST('{text}' AS {kind})"
