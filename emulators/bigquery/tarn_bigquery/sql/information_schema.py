"""INFORMATION_SCHEMA and `__TABLES__`, made from the catalog when a query reads them."""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.partitions import partition_column, pseudo_columns
from tarn_bigquery.errors import unsupported
from tarn_bigquery.sql.constraints import Key, keys_of
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.ddl_text import table_ddl, table_options
from tarn_bigquery.sql.types import field_of_standard, googlesql_type

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
    if name in _JOB_VIEWS:
        return pa.Table.from_pylist(list(_job_rows(context, node.catalog or context.project)), schema=_JOB_SCHEMA)
    if name not in _VIEWS:
        raise unsupported(f"INFORMATION_SCHEMA.{name}")
    schema, make = _VIEWS[name]
    found = [row for ref in _datasets(node, context) for row in make(ref, context)]
    return pa.Table.from_pylist(found, schema=schema)


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
    }


def _table_names(ref: TableRef) -> Row:
    return {"table_catalog": ref.project, "table_schema": ref.dataset, "table_name": ref.table}


def _table_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        yield {
            **_table_names(ref),
            "table_type": "CLONE" if "cloneDefinition" in body else _TABLE_TYPES[body["type"]],
            "is_insertable_into": "YES" if body["type"] == "TABLE" else "NO",
            "is_typed": "NO",
            "creation_time": int(body["creationTime"]) * 1000,
            "ddl": table_ddl(body),
            **_base_names(body),
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


def _snapshot_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for ref, body in _tables(dataset, context):
        if body["type"] == "SNAPSHOT":
            definition = body["snapshotDefinition"]
            yield {
                **_table_names(ref),
                **_base_names(body),
                "snapshot_time": datetime.fromisoformat(definition["snapshotTime"]),
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
    for name, kind, value in table_options(body):
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


def _routine_rows(dataset: DatasetRef, context: QueryContext) -> Rows:
    for key, body in context.catalog.children("Routine", dataset):
        yield {
            "specific_catalog": dataset.project,
            "specific_schema": dataset.dataset,
            "specific_name": key.name,
            "routine_catalog": dataset.project,
            "routine_schema": dataset.dataset,
            "routine_name": key.name,
            "routine_type": _ROUTINE_TYPES.get(body.get("routineType", ""), "FUNCTION"),
            "routine_body": "EXTERNAL" if body.get("language") == "JAVASCRIPT" else "SQL",
            "routine_definition": body.get("definitionBody"),
            "data_type": _type_text(body["returnType"]) if "returnType" in body else None,
            "created": int(body["creationTime"]) * 1000,
            "last_altered": int(body["lastModifiedTime"]) * 1000,
            "external_language": "JAVASCRIPT" if body.get("language") == "JAVASCRIPT" else None,
        }


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
        names = {
            "specific_catalog": dataset.project,
            "specific_schema": dataset.dataset,
            "specific_name": key.name,
        }
        if (returned := body.get("returnType")) is not None:
            yield {**names, "ordinal_position": 0, "is_result": "YES", "data_type": _type_text(returned)}
        for position, argument in enumerate(body.get("arguments", []), 1):
            mode = argument.get("mode") or ("IN" if body.get("routineType") == "PROCEDURE" else None)
            yield {
                **names,
                "ordinal_position": position,
                "parameter_mode": mode,
                "is_result": "NO",
                "parameter_name": argument.get("name"),
                "data_type": _type_text(argument["dataType"]) if "dataType" in argument else "ANY TYPE",
            }


def _type_text(kind: Row) -> str:
    return googlesql_type(field_of_standard("parameter", kind))


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
_ROUTINE_TYPES = {"PROCEDURE": "PROCEDURE", "TABLE_VALUED_FUNCTION": "TABLE FUNCTION"}


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


_TIMESTAMP = pa.timestamp("us", tz="UTC")


def _schema(text: str = "", integers: str = "", times: str = "") -> pa.Schema:
    parts = ((text, pa.string()), (integers, pa.int64()), (times, _TIMESTAMP))
    return pa.schema([(name, kind) for names, kind in parts for name in names.split()])


_TABLE_REFERENCE = pa.struct([(name, pa.string()) for name in ("project_id", "dataset_id", "table_id")])
_JOB_VIEWS = {"JOBS", "JOBS_BY_PROJECT", "JOBS_BY_USER", "JOBS_BY_ORGANIZATION"}
_JOB_SCHEMA = pa.schema(
    [
        *_schema(
            "project_id user_email job_id parent_job_id job_type statement_type priority query state",
            "total_bytes_processed total_bytes_billed total_slot_ms",
            "creation_time start_time end_time",
        ),
        ("cache_hit", pa.bool_()),
        ("error_result", pa.struct([(name, pa.string()) for name in ("reason", "location", "message")])),
        ("destination_table", _TABLE_REFERENCE),
        ("referenced_tables", pa.list_(_TABLE_REFERENCE)),
        ("labels", pa.list_(pa.struct([("key", pa.string()), ("value", pa.string())]))),
    ]
)
_TABLE = "table_catalog table_schema table_name"
_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
_OPTION_COLUMNS = "option_name option_type option_value"

_VIEWS: dict[str, tuple[pa.Schema, Callable[[DatasetRef, QueryContext], Rows]]] = {
    "SCHEMATA": (
        _schema("catalog_name schema_name schema_owner location", times="creation_time last_modified_time"),
        _schemata,
    ),
    "TABLES": (
        _schema(
            "table_catalog table_schema table_name table_type is_insertable_into is_typed base_table_catalog "
            "base_table_schema base_table_name ddl default_collation_name",
            times="creation_time",
        ),
        _table_rows,
    ),
    "TABLE_SNAPSHOTS": (
        _schema(
            "table_catalog table_schema table_name base_table_catalog base_table_schema base_table_name",
            times="snapshot_time",
        ),
        _snapshot_rows,
    ),
    "VIEWS": (
        _schema("table_catalog table_schema table_name view_definition check_option use_standard_sql"),
        _view_rows,
    ),
    "COLUMNS": (
        _schema(
            "table_catalog table_schema table_name column_name is_nullable data_type is_generated "
            "generation_expression is_stored is_hidden is_updatable is_system_defined is_partitioning_column "
            "collation_name column_default rounding_mode",
            "ordinal_position clustering_ordinal_position",
        ),
        _column_rows,
    ),
    "COLUMN_FIELD_PATHS": (
        _schema(
            "table_catalog table_schema table_name column_name field_path data_type description collation_name "
            "rounding_mode"
        ),
        _field_path_rows,
    ),
    "MATERIALIZED_VIEWS": (
        _schema("table_catalog table_schema table_name", times="last_refresh_time"),
        _materialized_view_rows,
    ),
    "TABLE_OPTIONS": (_schema(f"table_catalog table_schema table_name {_OPTION_COLUMNS}"), _table_option_rows),
    "SCHEMATA_OPTIONS": (_schema(f"catalog_name schema_name {_OPTION_COLUMNS}"), _schemata_option_rows),
    "PARTITIONS": (
        _schema(
            "table_catalog table_schema table_name partition_id storage_tier",
            "total_rows total_logical_bytes total_billable_bytes",
            "last_modified_time",
        ),
        _partition_rows,
    ),
    "ROUTINES": (
        _schema(
            "specific_catalog specific_schema specific_name routine_catalog routine_schema routine_name "
            "routine_type data_type routine_body routine_definition external_language",
            times="created last_altered",
        ),
        _routine_rows,
    ),
    "TABLE_CONSTRAINTS": (
        _schema(f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced"),
        _constraint_rows,
    ),
    "KEY_COLUMN_USAGE": (
        _schema(f"{_CONSTRAINT} {_TABLE} column_name", "ordinal_position position_in_unique_constraint"),
        _key_column_rows,
    ),
    "CONSTRAINT_COLUMN_USAGE": (_schema(f"{_TABLE} column_name {_CONSTRAINT}"), _constraint_column_rows),
    "PARAMETERS": (
        _schema(
            "specific_catalog specific_schema specific_name parameter_mode is_result parameter_name data_type "
            "parameter_default is_aggregate",
            "ordinal_position",
        ),
        _parameter_rows,
    ),
    "__TABLES__": (
        _schema("project_id dataset_id table_id", "creation_time last_modified_time row_count size_bytes type"),
        _legacy_table_rows,
    ),
}
