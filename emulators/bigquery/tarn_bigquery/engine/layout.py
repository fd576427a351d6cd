"""The columns that part and cluster a table's rows, and what BigQuery asks of them.

Sources: https://cloud.google.com/bigquery/docs/partitioned-tables, https://cloud.google.com/bigquery/docs/clustered-tables
"""

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.partitions import INGESTION_TIME, partition_column
from tarn_bigquery.errors import invalid, invalid_query
from tarn_bigquery.sql.types import legacy_name

MOST_CLUSTERING_FIELDS = 4
NOT_PARTITIONED = "none"
_NEVER_CLUSTERED = {"BYTES", "FLOAT", "INTERVAL", "JSON", "RECORD", "TIME"}


def role_of(body: Resource, column: str) -> str | None:
    """`partitioning` or `clustering` where a column of the table does that, whatever the case of its name."""
    if column.lower() == (partition_column(body) or "").lower():
        return "partitioning"
    return "clustering" if column.lower() in [name.lower() for name in _clustering(body)] else None


def require_same_layout(current: Resource, replacement: Resource) -> None:
    """Raises ApiError `invalidQuery` where a table is to be replaced by one of other partitions or clusters."""
    before, after = partitioning_of(current), partitioning_of(replacement)
    if before != after:
        raise invalid_query(
            "Cannot replace a table with a different partitioning spec. Instead, DROP the table, and then recreate it. "
            f"New partitioning spec is {after} and existing spec is {before}"
        )
    if [name.lower() for name in _clustering(current)] != [name.lower() for name in _clustering(replacement)]:
        raise invalid_query(
            "Cannot replace a table with a different clustering spec. Instead, DROP the table, and then recreate it."
        )


def partitioning_of(body: Resource) -> str:
    """How a table is parted, as BigQuery's errors say it: `interval(type:day,field:d)`."""
    if time := body.get("timePartitioning"):
        field = f",field:{time['field'].lower()}" if time.get("field") else ""
        return f"interval(type:{str(time.get('type')).lower()}{field})"
    if by_range := body.get("rangePartitioning"):
        limits = by_range.get("range") or {}
        inside = ",".join(f"{name}:{limits.get(name)}" for name in ("start", "end", "interval"))
        return f"range(field:{by_range['field'].lower()},{inside})"
    return NOT_PARTITIONED


def check_layout(body: Resource) -> None:
    """Raises ApiError `invalid` where a table is parted or clustered by a column that it lacks, or that cannot be."""
    fields = {field["name"].lower(): field for field in (body.get("schema") or {}).get("fields", [])}
    column = partition_column(body)
    if column is not None and column != INGESTION_TIME:
        _check_partitioning(body, _found(fields, column, "partitioning"))
    clustering = _clustering(body)
    if len(clustering) > MOST_CLUSTERING_FIELDS:
        raise invalid(
            f"At most {MOST_CLUSTERING_FIELDS} fields can be specified for clustering, not {len(clustering)}."
        )
    for name in clustering:
        field = _found(fields, name, "clustering")
        if legacy_name(field["type"]) in _NEVER_CLUSTERED or field.get("mode") == "REPEATED":
            raise invalid(f"The field specified for clustering cannot be of type {_kind(field)}: {name}.")


def _check_partitioning(body: Resource, field: Resource) -> None:
    by_time = body.get("timePartitioning")
    how, allowed = ("time", ["TIMESTAMP", "DATE", "DATETIME"]) if by_time else ("range", ["INTEGER"])
    if legacy_name(field["type"]) not in allowed or field.get("mode") == "REPEATED":
        kinds = " or ".join(", ".join(allowed).rsplit(", ", 1))
        raise invalid(
            f"The field specified for {how} partitioning can only be of type {kinds}. "
            f"The type found is: {_kind(field)}."
        )
    if by_time and by_time.get("type") == "HOUR" and field["type"] == "DATE":
        raise invalid(f"A table cannot be partitioned by hour on the field {field['name']} of type DATE.")


def _found(fields: dict[str, Resource], name: str, use: str) -> Resource:
    if name.lower() not in fields:
        raise invalid(f"The field specified for {use} cannot be found in the schema. Invalid field: {name}.")
    return fields[name.lower()]


def _clustering(body: Resource) -> list[str]:
    return list((body.get("clustering") or {}).get("fields", []))


def _kind(field: Resource) -> str:
    kind = legacy_name(field["type"])
    return f"ARRAY<{kind}>" if field.get("mode") == "REPEATED" else kind
