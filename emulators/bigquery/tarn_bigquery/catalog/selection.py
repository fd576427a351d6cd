"""The columns, and the parts of records, that a reader wants of a table: `a` or `a.b`."""

from typing import Any

Field = dict[str, Any]


def select_fields(schema: list[Field], names: list[str]) -> list[Field]:
    """The fields that are named, in the order of the schema; all of them where none is."""
    return _kept(schema, {name.lower() for name in names}, "") if names else schema


def unknown_fields(schema: list[Field], names: list[str]) -> list[str]:
    """Those of the names that the schema does not have."""
    known = set(_paths(schema))
    return [name for name in names if name.lower() not in known]


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
