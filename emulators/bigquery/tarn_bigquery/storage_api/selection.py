"""`selected_fields`: the columns, and the parts of records, that a session reads."""

from tarn_bigquery.errors import invalid
from tarn_bigquery.sql.types import Field


def select_fields(schema: list[Field], names: list[str]) -> list[Field]:
    """The fields that are named, `a` or `a.b`, in the order of the schema; all of them where none is named.

    Raises ApiError `invalid`, as BigQuery words it, for names that the schema does not have.
    """
    if not names:
        return schema
    known = set(_paths(schema))
    if unknown := [name for name in names if name.lower() not in known]:
        raise invalid(
            "request failed: The following selected fields do not exist in the table schema: " + ", ".join(unknown)
        )
    return _kept(schema, {name.lower() for name in names}, "")


def _kept(schema: list[Field], wanted: set[str], prefix: str) -> list[Field]:
    kept = []
    for field in schema:
        path = prefix + field["name"].lower()
        if path in wanted:
            kept.append(field)
        elif any(name.startswith(path + ".") for name in wanted):
            kept.append({**field, "fields": _kept(field["fields"], wanted, path + ".")})
    return kept


def _paths(schema: list[Field], prefix: str = "") -> list[str]:
    paths = []
    for field in schema:
        path = prefix + field["name"].lower()
        paths += [path, *_paths(field.get("fields", []), path + ".")]
    return paths
