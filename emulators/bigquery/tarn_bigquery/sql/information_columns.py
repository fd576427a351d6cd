"""The columns of INFORMATION_SCHEMA's views, in the order in which Google documents them.

https://cloud.google.com/bigquery/docs/information-schema-intro
"""

import pyarrow as pa

_KINDS = {"integer": pa.int64(), "time": pa.timestamp("us", tz="UTC"), "bool": pa.bool_()}


def _columns(text: str) -> pa.Schema:
    """Columns by their names, each a STRING unless another type stands behind a colon."""
    named = (word.partition(":") for word in text.split())
    return pa.schema([(name, _KINDS[kind] if kind else pa.string()) for name, _, kind in named])


def _texts(*names: str) -> pa.StructType:
    return pa.struct([(name, pa.string()) for name in names])


_TABLE = "table_catalog table_schema table_name"
_BASE_TABLE = "base_table_catalog base_table_schema base_table_name"
_CONSTRAINT = "constraint_catalog constraint_schema constraint_name"
_SPECIFIC = "specific_catalog specific_schema specific_name"
_OPTION = "option_name option_type option_value"
_TABLE_REFERENCE = _texts("project_id", "dataset_id", "table_id")

_STORAGE = _columns(
    "project_id table_catalog project_number:integer table_schema table_name creation_time:time total_rows:integer "
    "total_partitions:integer total_logical_bytes:integer active_logical_bytes:integer long_term_logical_bytes:integer "
    "current_physical_bytes:integer total_physical_bytes:integer active_physical_bytes:integer "
    "long_term_physical_bytes:integer time_travel_physical_bytes:integer storage_last_modified_time:time deleted:bool "
    "table_type managed_table_type fail_safe_physical_bytes:integer last_metadata_index_refresh_time:time "
    "table_deletion_reason table_deletion_time:time"
)
_JOBS = pa.schema(
    [
        ("cache_hit", pa.bool_()),
        *_columns("creation_time:time"),
        ("destination_table", _TABLE_REFERENCE),
        *_columns("end_time:time"),
        ("error_result", _texts("reason", "location", "message")),
        *_columns("job_id job_type"),
        ("labels", pa.list_(_texts("key", "value"))),
        *_columns("parent_job_id priority project_id query"),
        ("referenced_tables", pa.list_(_TABLE_REFERENCE)),
        *_columns(
            "start_time:time state statement_type total_bytes_billed:integer total_bytes_processed:integer "
            "total_slot_ms:integer user_email"
        ),
    ]
)

COLUMNS: dict[str, pa.Schema] = {
    "SCHEMATA": _columns(
        "catalog_name schema_name schema_owner creation_time:time last_modified_time:time location ddl "
        "default_collation_name"
    ),
    "SCHEMATA_OPTIONS": _columns(f"catalog_name schema_name {_OPTION}"),
    "TABLES": _columns(
        f"{_TABLE} table_type managed_table_type is_insertable_into is_fine_grained_mutations_enabled is_typed "
        f"is_change_history_enabled creation_time:time {_BASE_TABLE} snapshot_time_ms:time ddl default_collation_name"
    ),
    "TABLE_OPTIONS": _columns(f"{_TABLE} {_OPTION}"),
    "TABLE_SNAPSHOTS": _columns(f"{_TABLE} {_BASE_TABLE} snapshot_time:time"),
    "TABLE_STORAGE": _STORAGE,
    "TABLE_STORAGE_BY_PROJECT": _STORAGE,
    "VIEWS": _columns(f"{_TABLE} view_definition check_option use_standard_sql"),
    "MATERIALIZED_VIEWS": _columns(f"{_TABLE} last_refresh_time:time refresh_watermark:time"),
    "COLUMNS": _columns(
        f"{_TABLE} column_name ordinal_position:integer is_nullable data_type is_generated generation_expression "
        "is_stored is_hidden is_updatable is_system_defined is_partitioning_column clustering_ordinal_position:integer "
        "collation_name column_default rounding_mode"
    ),
    "COLUMN_FIELD_PATHS": _columns(
        f"{_TABLE} column_name field_path data_type description collation_name rounding_mode"
    ),
    "PARTITIONS": _columns(
        f"{_TABLE} partition_id total_rows:integer total_logical_bytes:integer total_billable_bytes:integer "
        "last_modified_time:time storage_tier"
    ),
    "ROUTINES": _columns(
        f"{_SPECIFIC} routine_catalog routine_schema routine_name routine_type data_type routine_body "
        "routine_definition external_language is_deterministic security_type created:time last_altered:time ddl "
        "connection"
    ),
    "ROUTINE_OPTIONS": _columns(f"{_SPECIFIC} {_OPTION}"),
    "PARAMETERS": _columns(
        f"{_SPECIFIC} ordinal_position:integer parameter_mode is_result parameter_name data_type parameter_default "
        "is_aggregate"
    ),
    "TABLE_CONSTRAINTS": _columns(f"{_CONSTRAINT} {_TABLE} constraint_type is_deferrable initially_deferred enforced"),
    "KEY_COLUMN_USAGE": _columns(
        f"{_CONSTRAINT} {_TABLE} column_name ordinal_position:integer position_in_unique_constraint:integer"
    ),
    "CONSTRAINT_COLUMN_USAGE": _columns(f"{_TABLE} column_name {_CONSTRAINT}"),
    "__TABLES__": _columns(
        "project_id dataset_id table_id creation_time:integer last_modified_time:integer row_count:integer "
        "size_bytes:integer type:integer"
    ),
    **{f"JOBS{scope}": _JOBS for scope in ("", "_BY_PROJECT", "_BY_USER", "_BY_ORGANIZATION")},
}
