"""DDL statements read into resources of the REST API's shape."""

from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.dialect import properties_of
from tarn_bigquery.sql.types import Field, field_of_googlesql

Resource = dict[str, Any]

_DATE_PARTS = {"HOUR", "DAY", "MONTH", "YEAR"}
_RANGE = ("start", "end", "interval")


def table_body(create: exp.Create) -> Resource:
    """What a CREATE TABLE says of the table: schema, partitions, clusters, options. Not its rows."""
    body: Resource = {}
    if isinstance(create.this, exp.Schema):
        body["schema"] = {"fields": columns(create.this)}
    for node in _properties(create):
        if isinstance(node, exp.PartitionedByProperty):
            body |= partitioning(node.this)
        elif isinstance(node, exp.ClusterProperty):
            body["clustering"] = {"fields": [column.name for column in node.expressions]}
    return body | table_options(options(create), body)


# What BigQuery says of a materialized view that has no options: clients read it.
_REFRESHED = {"enableRefresh": True, "refreshIntervalMs": "1800000"}


def view_body(create: exp.Create, text: str) -> Resource:
    """What a CREATE VIEW says of the view. `text` is the view's query as it was written."""
    given = options(create)
    kind = "materializedView" if create.find(exp.MaterializedProperty) else "view"
    body: Resource = {kind: {"query": text} | ({"useLegacySql": False} if kind == "view" else _REFRESHED)}
    descriptions = {}
    if isinstance(create.this, exp.Schema):
        descriptions = {column.name: _column_options(column).get("description") for column in create.this.expressions}
        body["columns"] = [{"name": n} | ({"description": d} if d else {}) for n, d in descriptions.items()]
    return body | table_options(given, body)


def dataset_ref(node: exp.Table, context: QueryContext) -> DatasetRef:
    """The dataset that a CREATE or DROP SCHEMA names."""
    *project, dataset = ".".join(part.name for part in node.parts).split(".")
    return DatasetRef(".".join(project) or context.project, dataset)


def dataset_body(create: exp.Create) -> Resource:
    return dataset_options(options(create))


def dataset_options(given: dict[str, Any]) -> Resource:
    """Options of a dataset, as the members of its resource that they set; None takes one away."""
    body: Resource = {}
    for name, value in given.items():
        if name == "location":
            body["location"] = value
        elif name in DATASET_EXPIRATIONS:
            body[DATASET_EXPIRATIONS[name]] = _milliseconds(value)
        elif name in _DATASET_TEXTS:
            body[_DATASET_TEXTS[name]] = None if value is None else str(value)
        else:
            body |= _common_option(name, value)
    return body


DATASET_EXPIRATIONS = {
    "default_table_expiration_days": "defaultTableExpirationMs",
    "default_partition_expiration_days": "defaultPartitionExpirationMs",
}
"""The options of a dataset in days, and the members of its resource, in milliseconds."""

# Kept for those who ask for them: the emulator bills nothing, and its time travel has limits of its own.
_DATASET_TEXTS = {"max_time_travel_hours": "maxTimeTravelHours", "storage_billing_model": "storageBillingModel"}


def _milliseconds(days: float | None) -> str | None:
    return None if days is None else str(int(float(days) * 86_400_000))


def columns(schema: exp.Schema) -> list[Field]:
    """The declared columns. Table constraints, which BigQuery does not enforce, are left out."""
    return [column_field(node) for node in schema.expressions if isinstance(node, exp.ColumnDef)]


def column_field(node: exp.ColumnDef) -> Field:
    """A column definition as a REST field."""
    kind = node.args.get("kind")
    if kind is None:
        raise invalid_query(f"Column {node.name} has no type")
    field = field_of_googlesql(node.name, kind)
    for collated in node.find_all(exp.CollateColumnConstraint):
        _refuse_collation(collated.this.name)
    for constraint in node.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.NotNullColumnConstraint) and not constraint.kind.args.get("allow_null"):
            field["mode"] = "REQUIRED"
        elif isinstance(constraint.kind, exp.DefaultColumnConstraint):
            field["defaultValueExpression"] = constraint.kind.this.sql("bigquery")
        elif not isinstance(constraint.kind, _KNOWN_CONSTRAINTS):
            raise unsupported(f"{constraint.sql('bigquery')} of the column {node.name}")
    if (description := _column_options(node).get("description")) is not None:
        field["description"] = description
    return field


_KNOWN_CONSTRAINTS = (
    exp.CollateColumnConstraint,
    exp.Properties,
    exp.PrimaryKeyColumnConstraint,
    exp.Reference,
    exp.NotNullColumnConstraint,
    exp.NotForReplicationColumnConstraint,
)


def _refuse_collation(name: str) -> None:
    """Raises ApiError `notImplemented` for a collation: texts are compared as they are."""
    if name:
        raise unsupported(f"the collation {name}")


def partitioning(node: exp.Expr) -> Resource:
    """PARTITION BY, as timePartitioning or rangePartitioning."""
    if isinstance(node, exp.Schema | exp.Tuple):
        node = node.expressions[0]
    name = (node.find(exp.Column) or node).name
    arguments = node.expressions if isinstance(node, exp.Anonymous) else []
    if isinstance(node, exp.Anonymous) and node.name.upper() == "RANGE_BUCKET":
        bounds = arguments[1].expressions
        if len(bounds) != len(_RANGE):
            raise invalid_query("PARTITION BY RANGE_BUCKET needs GENERATE_ARRAY(start, end, interval).")
        given = {key: bound.sql("bigquery") for key, bound in zip(_RANGE, bounds, strict=True)}
        return {"rangePartitioning": {"field": name, "range": given}}
    part = arguments[1].name.upper() if len(arguments) > 1 else "DAY"
    if part not in _DATE_PARTS:
        raise invalid_query(f"PARTITION BY expression with the granularity {part} is not supported.")
    ingestion = name.upper() in {"_PARTITIONDATE", "_PARTITIONTIME"}
    return {"timePartitioning": {"type": part} | ({} if ingestion else {"field": name})}


def options(node: exp.Expr) -> dict[str, Any]:
    """OPTIONS(...) of a statement, as Python values."""
    found: dict[str, Any] = {}
    for item in _properties(node):
        if isinstance(item, exp.LocationProperty):
            found["location"] = value_of(item.this)
        elif isinstance(item, exp.CollateProperty):
            _refuse_collation(item.name)
        elif type(item) is exp.Property:
            found[item.name.lower()] = value_of(item.args["value"])
    return found


def options_set(action: exp.Expr) -> dict[str, Any]:
    """The options of SET OPTIONS, as Python values. Raises ApiError for a collation other than none."""
    found: dict[str, Any] = {}
    # OPTIONS() without any, which dbt sends, has no properties.
    for item in (item for group in action.expressions if group is not None for item in group.expressions):
        if isinstance(item, exp.CollateProperty):
            _refuse_collation(item.name)
        else:
            found[item.name.lower()] = value_of(item.args["value"])
    return found


_EXPORT_OPTIONS = {"compression", "field_delimiter", "format", "header", "overwrite", "uri", "use_avro_logical_types"}


def export_options(node: exp.Expr) -> dict[str, Any]:
    """The options of EXPORT DATA, as Python values. Raises ApiError for one that it does not have."""
    items = node.args["options"].expressions if node.args.get("options") else []
    found = {}
    for item in items:
        is_format = isinstance(item, exp.FileFormatProperty)
        name = "format" if is_format else item.name.lower()
        if name not in _EXPORT_OPTIONS:
            raise invalid_query(f"Unknown option: {item.name}")
        found[name] = value_of(item.this if is_format else item.args["value"])
    return found


def value_of(node: exp.Expr) -> Any:
    """A constant expression as a Python value. Intervals and calls come back as their text."""
    if isinstance(node, exp.Array):
        return [value_of(item) for item in node.expressions]
    if isinstance(node, exp.Tuple) or (isinstance(node, exp.Anonymous) and node.name.upper() == "STRUCT"):
        return tuple(value_of(item) for item in node.expressions)
    if isinstance(node, exp.Boolean):
        return node.this
    if isinstance(node, exp.Null):
        return None
    if isinstance(node, exp.Literal):
        return node.this if node.is_string else float(node.this) if "." in node.this else int(node.this)
    if isinstance(node, exp.Neg):
        return -value_of(node.this)
    return node.sql("bigquery")


def table_options(given: dict[str, Any], body: Resource) -> Resource:
    """Options of a table, as the members of its resource that they set; None takes one away."""
    result: Resource = {}
    for name, value in given.items():
        if name in {"require_partition_filter", "partition_expiration_days"}:
            key = "timePartitioning" if "timePartitioning" in body else "rangePartitioning"
            if name == "require_partition_filter":
                result["requirePartitionFilter"] = bool(value)
            else:
                layout = {k: v for k, v in body.get(key, {}).items() if k != "expirationMs"}
                result[key] = layout | ({} if value is None else {"expirationMs": _milliseconds(value)})
        else:
            result |= _common_option(name, value)
    return result


# Options that change how the service keeps a table and nothing that a client of the emulator can see.
_WITHOUT_EFFECT = {
    "allow_non_incremental_definition", "enable_change_history", "enable_refresh", "kms_key_name", "max_staleness",
    "max_time_travel_hours", "privacy_policy", "refresh_interval_minutes", "storage_billing_model", "tags",
}  # fmt: skip


# Options that are taken with the values that they have anyway.
_ONLY_WITHOUT: dict[str, set[Any]] = {
    "default_collation": {None, ""},
    "default_rounding_mode": {None, "ROUNDING_MODE_UNSPECIFIED", "ROUND_HALF_AWAY_FROM_ZERO"},
    "is_case_insensitive": {None, False},
}


def _common_option(name: str, value: Any) -> Resource:
    if name == "labels":
        return {"labels": _labels(value or [])}
    if name == "description":
        return {"description": value}
    if name == "friendly_name":
        return {"friendlyName": value}
    if name == "expiration_timestamp":
        return {"expirationTime": value}
    if name in _WITHOUT_EFFECT or (name in _ONLY_WITHOUT and value in _ONLY_WITHOUT[name]):
        return {}
    raise unsupported(f"the option {name}")


def _labels(pairs: Any) -> dict[str, str]:
    if not isinstance(pairs, list) or any(not isinstance(pair, tuple) or len(pair) != 2 for pair in pairs):
        raise invalid_query("The option labels needs an array of pairs of strings: [('key', 'value')]")
    return dict(pairs)


def _properties(node: exp.Expr) -> list[exp.Expr]:
    clone = node.args.get("clone")
    holders = [node] if clone is None else [node, clone.this]
    return [item for holder in holders for item in properties_of(holder)]


def _column_options(node: exp.ColumnDef) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for constraint in node.args.get("constraints") or []:
        if isinstance(constraint.kind, exp.Properties):
            found |= {p.name.lower(): value_of(p.args["value"]) for p in constraint.kind.expressions}
    for name, value in found.items():
        if name in {"data_policies", "policy_tags"} or (name == "rounding_mode" and value == "ROUND_HALF_EVEN"):
            raise unsupported(f"the option {name} = {value!r} of the column {node.name}")
        if name not in {"description", "rounding_mode"}:
            raise invalid_query(f"Unknown option: {name}")
    return found
