"""INFORMATION_SCHEMA and `__TABLES__`, made from the catalog when a query reads them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key as CatalogKey
from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.partitions import partition_column, pseudo_columns
from tarn_bigquery.errors import unsupported
from tarn_bigquery.sql.constraints import Key, keys_of
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.ddl_text import dataset_ddl, dataset_options, table_ddl, table_options
from tarn_bigquery.sql.information_columns import COLUMNS
from tarn_bigquery.sql.routine_text import routine_ddl, routine_options, type_text
from tarn_bigquery.sql.types import googlesql_type

_PREFIX = "INFORMATION_SCHEMA."
_REGION = "region-"

Row = dict[str, Any]
Rows = Iterator[Row]

_TABLE_TYPES = {
    "TABLE": "BASE TABLE",
    "VIEW": "VIEW",
    "EXTERNAL": "EXTERNAL",
    "MATERIALIZED_VIEW": "MATERIALIZED VIEW",
    "SNAPSHOT": "SNAPSHOT",
}


def is_view(node: exp.Table) -> bool:
    name = node.name.upper()
    return name.startswith(_PREFIX) or name == "__TABLES__"


def rows(node: exp.Table, context: QueryContext) -> pa.Table:
    """The rows of the view that a node names: of one dataset, or of all of a project's for a region."""
    name = node.name.upper().removeprefix(_PREFIX)
    if name not in COLUMNS:
        raise unsupported(f"INFORMATION_SCHEMA.{name}")
    if (make := _VIEWS.get(name)) is None:
        found = list(_job_rows(context, node.catalog or context.project))
    else:
        found = [row for ref in _datasets(node, context) for row in make(ref, context)]
    return pa.Table.from_pylist(found, schema=COLUMNS[name])


def _datasets(node: exp.Table, context: QueryContext) -> list[DatasetRef]:
    project = node.catalog or context.project
    dataset = node.db
    if not dataset or dataset.lower().startswith(_REGION):
        return [ref for ref in context.catalog.datasets(project) if not ref.dataset.startswith("_")]
    ref = DatasetRef(project, dataset)
    context.catalog.dataset(ref)
    return [ref]


def _tables(ref: DatasetRef, context: QueryContext) -> Iterator[tuple[TableRef, Resource]]:
    for key, resource in context.catalog.children("Table", ref):
        yield ref.table(key.name), resource


def _schemata(ref: DatasetRef, context: QueryContext) -> Rows:
    body = context.catalog.dataset(ref)
    yield {
        "catalog_name": ref.project,
        "schema_name": ref.dataset,
        "schema_owner": None,
        "creation_time": int(body["creationTime"]) * 1000,
        "last_modified_time": int(body["lastModifiedTime"]) * 1000,
        "location": body["location"],
        "ddl": dataset_ddl(body),
        "default_collation_name": "NULL",
    }


def _table_names(ref: TableRef) -> Row:
    return {"table_catalog": ref.project, "table_schema": ref.dataset, "table_name": ref.table}


def _table_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        yield {
            **_table_names(ref),
            "table_type": _table_type(body),
            "is_insertable_into": "YES" if body["type"] == "TABLE" else "NO",
            "is_fine_grained_mutations_enabled": "NO",
            "is_typed": "NO",
            "is_change_history_enabled": "NO",
            "creation_time": int(body["creationTime"]) * 1000,
            "ddl": table_ddl(body),
            **_base_names(body),
            "snapshot_time_ms": _snapshot_time(body),
            "default_collation_name": "NULL",
        }


def _base_names(body: Resource) -> Row:
    """The table that a snapshot or a clone was taken of; nothing for any other."""
    definition = body.get("snapshotDefinition") or body.get("cloneDefinition")
    if definition is None:
        return {}
    base = definition["baseTableReference"]
    names = (("catalog", "projectId"), ("schema", "datasetId"), ("name", "tableId"))
    return {f"base_table_{name}": base[member] for name, member in names}


def _snapshot_time(body: Resource) -> datetime | None:
    definition = body.get("snapshotDefinition")
    return datetime.fromisoformat(definition["snapshotTime"]) if definition is not None else None


def _snapshot_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        if body["type"] == "SNAPSHOT":
            yield {
                **_table_names(ref),
                **_base_names(body),
                "snapshot_time": _snapshot_time(body),
            }


def _view_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        if body["type"] == "VIEW":
            yield {**_table_names(ref), "view_definition": body["view"]["query"], "use_standard_sql": "YES"}


def _column_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        parted_by = partition_column(body)
        clustering = (body.get("clustering") or {}).get("fields", [])
        columns: list[tuple[int | None, Row]] = list(enumerate(body.get("schema", {}).get("fields", []), 1))
        for position, field in [*columns, *((None, hidden) for hidden in pseudo_columns(body))]:
            name = field["name"]
            is_hidden = "YES" if position is None else "NO"
            yield {
                **_table_names(ref),
                "column_name": name,
                "ordinal_position": position,
                "is_nullable": "NO" if field.get("mode") == "REQUIRED" else "YES",
                "data_type": googlesql_type(field),
                "is_generated": "NEVER",
                "collation_name": "NULL",
                "rounding_mode": field.get("roundingMode"),
                "is_hidden": is_hidden,
                "is_system_defined": is_hidden,
                "is_partitioning_column": "YES" if name == parted_by else "NO",
                "clustering_ordinal_position": clustering.index(name) + 1 if name in clustering else None,
                "column_default": field.get("defaultValueExpression", "NULL"),
            }


def _field_path_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        for column in body.get("schema", {}).get("fields", []):
            for path, field in _paths(column, column["name"]):
                yield {
                    **_table_names(ref),
                    "column_name": column["name"],
                    "field_path": path,
                    "data_type": googlesql_type(field),
                    "description": field.get("description"),
                    "collation_name": "NULL",
                    "rounding_mode": field.get("roundingMode"),
                }


def _paths(field: Row, path: str) -> Iterator[tuple[str, Row]]:
    yield path, field
    for child in field.get("fields", []):
        yield from _paths(child, f"{path}.{child['name']}")


def _materialized_view_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        if body["type"] == "MATERIALIZED_VIEW":
            yield {**_table_names(ref), "last_refresh_time": int(body["lastModifiedTime"]) * 1000}


def _table_option_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        for name, kind, value in table_options(body):
            yield {**_table_names(ref), "option_name": name, "option_type": kind, "option_value": value}


def _schemata_option_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    body = context.catalog.dataset(dataset)
    names = {"catalog_name": dataset.project, "schema_name": dataset.dataset}
    for name, kind, value in dataset_options(body):
        yield {**names, "option_name": name, "option_type": kind, "option_value": value}


def _partition_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        if body["type"] != "TABLE":
            continue
        for partition, count, size in context.introspection.partitions(body):
            yield {
                **_table_names(ref),
                "partition_id": partition,
                "total_rows": count,
                "total_logical_bytes": size,
                "total_billable_bytes": size,
                "storage_tier": "ACTIVE",
                "last_modified_time": int(body["lastModifiedTime"]) * 1000,
            }


def _storage_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    """What tables take. The emulator knows no physical bytes: they are NULL."""
    for ref, body in _tables(dataset, context):
        if body["type"] not in {"TABLE", "MATERIALIZED_VIEW", "SNAPSHOT"}:
            continue
        count, size = context.introspection.size(body)
        is_parted = partition_column(body) is not None
        yield {
            "project_id": ref.project,
            **_table_names(ref),
            "creation_time": int(body["creationTime"]) * 1000,
            "total_rows": count,
            "total_partitions": len(context.introspection.partitions(body)) if is_parted else 0,
            "total_logical_bytes": size,
            "active_logical_bytes": size,
            "long_term_logical_bytes": 0,
            "storage_last_modified_time": int(body["lastModifiedTime"]) * 1000,
            "deleted": False,
            "table_type": _table_type(body),
        }


def _table_type(body: Resource) -> str:
    return "CLONE" if "cloneDefinition" in body else _TABLE_TYPES[body["type"]]


def _routine_names(dataset: DatasetRef, key: CatalogKey) -> Row:
    return {"specific_catalog": dataset.project, "specific_schema": dataset.dataset, "specific_name": key.name}


def _routine_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for key, body in context.catalog.children("Routine", dataset):
        is_script = body.get("language") == "JAVASCRIPT"
        yield {
            **_routine_names(dataset, key),
            "routine_catalog": dataset.project,
            "routine_schema": dataset.dataset,
            "routine_name": key.name,
            "routine_type": _ROUTINE_TYPES.get(body.get("routineType", ""), "FUNCTION"),
            "data_type": type_text(body["returnType"]) if "returnType" in body else None,
            "routine_body": "EXTERNAL" if is_script else "SQL",
            "routine_definition": body.get("definitionBody"),
            "external_language": "JAVASCRIPT" if is_script else None,
            "is_deterministic": _DETERMINISM.get(body.get("determinismLevel", "")),
            "created": int(body["creationTime"]) * 1000,
            "last_altered": int(body["lastModifiedTime"]) * 1000,
            "ddl": routine_ddl(body),
        }


def _routine_option_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for key, body in context.catalog.children("Routine", dataset):
        for name, kind, value in routine_options(body):
            names = _routine_names(dataset, key)
            yield {**names, "option_name": name, "option_type": kind, "option_value": value}


def _constraint_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        for key in keys_of(body):
            yield {
                **_constraint_names(ref, key),
                **_table_names(ref),
                "constraint_type": "PRIMARY KEY" if key.referenced_table is None else "FOREIGN KEY",
                "is_deferrable": "NO",
                "initially_deferred": "NO",
                "enforced": "NO",
            }


def _key_column_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        for key in keys_of(body):
            for position, column in enumerate(key.columns, 1):
                yield {
                    **_constraint_names(ref, key),
                    **_table_names(ref),
                    "column_name": column,
                    "ordinal_position": position,
                    "position_in_unique_constraint": position if key.referenced_table is not None else None,
                }


def _constraint_column_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        for key in keys_of(body):
            for column in key.referenced_columns or key.columns:
                named = _table_names(key.referenced_table or ref)
                yield {**named, "column_name": column, **_constraint_names(ref, key)}


def _constraint_names(ref: TableRef, key: Key) -> Row:
    return {"constraint_catalog": ref.project, "constraint_schema": ref.dataset, "constraint_name": key.name}


def _parameter_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for key, body in context.catalog.children("Routine", dataset):
        names = _routine_names(dataset, key)
        if (returned := body.get("returnType")) is not None:
            yield {**names, "ordinal_position": 0, "is_result": "YES", "data_type": type_text(returned)}
        for position, argument in enumerate(body.get("arguments", []), 1):
            mode = argument.get("mode") or ("IN" if body.get("routineType") == "PROCEDURE" else None)
            yield {
                **names,
                "ordinal_position": position,
                "parameter_mode": mode,
                "is_result": "NO",
                "parameter_name": argument.get("name"),
                "data_type": type_text(argument["dataType"]) if "dataType" in argument else "ANY TYPE",
            }


def _job_rows(context: QueryContext, project: str) -> Rows:
    for job in context.introspection.jobs(project):
        statistics, query = job["statistics"], job["statistics"].get("query", {})
        error = job["status"].get("errorResult")
        yield {
            "project_id": project,
            "job_id": job["jobReference"]["jobId"],
            "parent_job_id": statistics.get("parentJobId"),
            "user_email": job["user_email"],
            "job_type": job["configuration"]["jobType"],
            "statement_type": query.get("statementType"),
            "state": job["status"]["state"],
            "query": job["configuration"].get("query", {}).get("query"),
            "priority": "INTERACTIVE",
            "total_bytes_processed": int(statistics.get("totalBytesProcessed", 0)),
            "total_bytes_billed": int(query.get("totalBytesBilled", 0)),
            "total_slot_ms": 0,
            "cache_hit": bool(query.get("cacheHit", False)),
            "error_result": None if error is None else {**error, "location": error.get("location")},
            "destination_table": _reference(job["configuration"].get("query", {}).get("destinationTable")),
            "referenced_tables": [_reference(table) for table in query.get("referencedTables", [])],
            "labels": [{"key": k, "value": v} for k, v in job["configuration"].get("labels", {}).items()],
            **{
                column: int(statistics[name]) * 1000 if name in statistics else None
                for column, name in _JOB_TIMES.items()
            },
        }


def _reference(table: Row | None) -> Row | None:
    if table is None:
        return None
    return {"project_id": table["projectId"], "dataset_id": table["datasetId"], "table_id": table["tableId"]}


_JOB_TIMES = {"creation_time": "creationTime", "start_time": "startTime", "end_time": "endTime"}
_ROUTINE_TYPES = {
    "AGGREGATE_FUNCTION": "AGGREGATE FUNCTION",
    "PROCEDURE": "PROCEDURE",
    "TABLE_VALUED_FUNCTION": "TABLE FUNCTION",
}
_DETERMINISM = {"DETERMINISTIC": "YES", "NOT_DETERMINISTIC": "NO"}


def _legacy_table_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    kinds = {"TABLE": 1, "VIEW": 2, "EXTERNAL": 3}
    for ref, _ in _tables(dataset, context):
        body = context.catalog.get(table_key(ref))
        rows, size = context.introspection.size(body)
        yield {
            "project_id": ref.project,
            "dataset_id": ref.dataset,
            "table_id": ref.table,
            "creation_time": int(body["creationTime"]),
            "last_modified_time": int(body["lastModifiedTime"]),
            "row_count": rows,
            "size_bytes": size,
            "type": kinds.get(body["type"], 1),
        }


_VIEWS: dict[str, Callable[[DatasetRef, QueryContext], Rows]] = {
    "SCHEMATA": _schemata,
    "SCHEMATA_OPTIONS": _schemata_option_rows,
    "TABLES": _table_rows,
    "TABLE_OPTIONS": _table_option_rows,
    "TABLE_SNAPSHOTS": _snapshot_rows,
    "TABLE_STORAGE": _storage_rows,
    "TABLE_STORAGE_BY_PROJECT": _storage_rows,
    "VIEWS": _view_rows,
    "MATERIALIZED_VIEWS": _materialized_view_rows,
    "COLUMNS": _column_rows,
    "COLUMN_FIELD_PATHS": _field_path_rows,
    "PARTITIONS": _partition_rows,
    "ROUTINES": _routine_rows,
    "ROUTINE_OPTIONS": _routine_option_rows,
    "PARAMETERS": _parameter_rows,
    "TABLE_CONSTRAINTS": _constraint_rows,
    "KEY_COLUMN_USAGE": _key_column_rows,
    "CONSTRAINT_COLUMN_USAGE": _constraint_column_rows,
    "__TABLES__": _legacy_table_rows,
}
