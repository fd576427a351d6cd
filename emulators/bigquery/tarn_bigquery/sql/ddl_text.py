"""The resource of a table or a dataset as the DDL that would make it, and its options as GoogleSQL literals."""

import json
from typing import Any

from tarn_bigquery.sql.ddl import DATASET_EXPIRATIONS
from tarn_bigquery.sql.types import Field, googlesql_type

Resource = dict[str, Any]

_VERBS = {
    "TABLE": "CREATE TABLE",
    "VIEW": "CREATE VIEW",
    "MATERIALIZED_VIEW": "CREATE MATERIALIZED VIEW",
    "EXTERNAL": "CREATE EXTERNAL TABLE",
    "SNAPSHOT": "CREATE SNAPSHOT TABLE",
}
_MS_A_DAY = 86_400_000


def string_literal(value: str) -> str:
    """A STRING as INFORMATION_SCHEMA writes it, in double quotes."""
    return json.dumps(value, ensure_ascii=False)


def table_options(body: Resource) -> list[tuple[str, str, str]]:
    """The options that are set: name, type and value, by name."""
    found = []
    if "description" in body:
        found.append(("description", "STRING", string_literal(body["description"])))
    if "expirationTime" in body:
        found.append(("expiration_timestamp", "TIMESTAMP", f"TIMESTAMP_MILLIS({body['expirationTime']})"))
    if "friendlyName" in body:
        found.append(("friendly_name", "STRING", string_literal(body["friendlyName"])))
    if body.get("labels"):
        pairs = ", ".join(
            f"STRUCT({string_literal(k)}, {string_literal(v)})" for k, v in sorted(body["labels"].items())
        )
        found.append(("labels", "ARRAY<STRUCT<STRING, STRING>>", f"[{pairs}]"))
    if expiration := (body.get("timePartitioning") or {}).get("expirationMs"):
        found.append(("partition_expiration_days", "FLOAT64", str(int(expiration) / _MS_A_DAY)))
    if "requirePartitionFilter" in body:
        found.append(("require_partition_filter", "BOOL", str(bool(body["requirePartitionFilter"])).lower()))
    return [*found, *_external_options(body.get("externalDataConfiguration") or {})]


def _external_options(config: Resource) -> list[tuple[str, str, str]]:
    found = []
    if "sourceFormat" in config:
        found.append(("format", "STRING", string_literal(config["sourceFormat"])))
    hive = config.get("hivePartitioningOptions") or {}
    if "sourceUriPrefix" in hive:
        found.append(("hive_partition_uri_prefix", "STRING", string_literal(hive["sourceUriPrefix"])))
    if "requirePartitionFilter" in hive:
        found.append(("require_hive_partition_filter", "BOOL", str(bool(hive["requirePartitionFilter"])).lower()))
    if "sourceUris" in config:
        uris = ", ".join(map(string_literal, config["sourceUris"]))
        found.append(("uris", "ARRAY<STRING>", f"[{uris}]"))
    return found


def table_ddl(body: Resource) -> str:
    """The statement that would make the table."""
    reference = body["tableReference"]
    name = f"`{reference['projectId']}.{reference['datasetId']}.{reference['tableId']}`"
    lines = [f"{_VERBS[body['type']]} {name}"]
    fields = body.get("schema", {}).get("fields", [])
    if body["type"] == "TABLE" and fields:
        parts = [*map(_column, fields), *_keys(body)]
        lines += ["(", ",\n".join(f"  {part}" for part in parts), ")"]
    lines += _layout(body)
    lines += options_clause(table_options(body))
    definition = body.get("view") or body.get("materializedView")
    if definition:
        lines.append(f"AS {definition['query']}")
    return "\n".join(lines) + ";"


def options_clause(options: list[tuple[str, str, str]]) -> list[str]:
    """The lines of OPTIONS(...), none where there are no options."""
    return ["OPTIONS(", ",\n".join(f"  {name}={value}" for name, _, value in options), ")"] if options else []


def dataset_options(body: Resource) -> list[tuple[str, str, str]]:
    """The options of a dataset that are set: name, type and value, by name."""
    found = table_options(body)
    for name, member in DATASET_EXPIRATIONS.items():
        if member in body:
            found.append((name, "FLOAT64", str(int(body[member]) / _MS_A_DAY)))
    for name, kind, member in _KEPT:
        if member in body:
            value = str(body[member])
            found.append((name, kind, string_literal(value) if kind == "STRING" else value))
    return sorted(found)


def dataset_ddl(body: Resource) -> str:
    """The statement that would make the dataset."""
    reference = body["datasetReference"]
    location = ("location", "STRING", string_literal(body["location"].lower()))
    head = f"CREATE SCHEMA `{reference['projectId']}.{reference['datasetId']}`"
    return "\n".join([head, *options_clause(sorted([*dataset_options(body), location]))]) + ";"


_KEPT = (
    ("max_time_travel_hours", "INT64", "maxTimeTravelHours"),
    ("storage_billing_model", "STRING", "storageBillingModel"),
)


def _keys(body: Resource) -> list[str]:
    constraints = body.get("tableConstraints") or {}
    found = []
    if primary := constraints.get("primaryKey"):
        found.append(f"PRIMARY KEY ({', '.join(primary['columns'])}) NOT ENFORCED")
    for foreign in constraints.get("foreignKeys") or []:
        target, pairs = foreign["referencedTable"], foreign["columnReferences"]
        name = f"CONSTRAINT `{foreign['name']}` " if foreign.get("name") else ""
        found.append(
            f"{name}FOREIGN KEY ({', '.join(pair['referencingColumn'] for pair in pairs)}) "
            f"REFERENCES `{target['projectId']}.{target['datasetId']}.{target['tableId']}`"
            f"({', '.join(pair['referencedColumn'] for pair in pairs)}) NOT ENFORCED"
        )
    return found


def _column(field: Field) -> str:
    text = f"{field['name']} {googlesql_type(field)}"
    if "defaultValueExpression" in field:
        text += f" DEFAULT {field['defaultValueExpression']}"
    if field.get("mode") == "REQUIRED":
        text += " NOT NULL"
    if "description" in field:
        text += f" OPTIONS(description={string_literal(field['description'])})"
    return text


def _layout(body: Resource) -> list[str]:
    lines = []
    if time := body.get("timePartitioning"):
        lines.append(f"PARTITION BY {_time_expression(time, body)}")
    elif by_range := body.get("rangePartitioning"):
        limits = by_range["range"]
        series = f"GENERATE_ARRAY({limits['start']}, {limits['end']}, {limits['interval']})"
        lines.append(f"PARTITION BY RANGE_BUCKET({by_range['field']}, {series})")
    if clustering := body.get("clustering"):
        lines.append(f"CLUSTER BY {', '.join(clustering['fields'])}")
    return lines


def _time_expression(time: Resource, body: Resource) -> str:
    column, part = time.get("field"), time["type"]
    if column is None:
        return "_PARTITIONDATE" if part == "DAY" else f"TIMESTAMP_TRUNC(_PARTITIONTIME, {part})"
    kinds = {field["name"]: field["type"] for field in body.get("schema", {}).get("fields", [])}
    kind = kinds.get(column, "DATE")
    if kind == "DATE":
        return column if part == "DAY" else f"DATE_TRUNC({column}, {part})"
    return f"DATE({column})" if part == "DAY" else f"{kind}_TRUNC({column}, {part})"
