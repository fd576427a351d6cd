"""Primary and foreign keys, which BigQuery keeps and does not enforce, as the REST API's tableConstraints.

https://cloud.google.com/bigquery/docs/information-schema-table-constraints
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.context import QueryContext

_NOT_ENFORCED = "NOT ENFORCED"


@dataclass(frozen=True)
class Key:
    """A constraint as INFORMATION_SCHEMA tells it. A foreign key's columns refer to others, place by place."""

    name: str
    columns: list[str]
    referenced_table: TableRef | None = None
    referenced_columns: tuple[str, ...] = ()


def keys_of(body: Resource) -> Iterator[Key]:
    """The keys of a table: its primary key first."""
    table, given = body["tableReference"]["tableId"], body.get("tableConstraints") or {}
    if columns := (given.get("primaryKey") or {}).get("columns"):
        yield Key(f"{table}.pk$", columns)
    for number, foreign in enumerate(given.get("foreignKeys") or [], 1):
        pairs = foreign.get("columnReferences") or []
        yield Key(
            f"{table}.{foreign.get('name') or f'fk${number}'}",
            [pair["referencingColumn"] for pair in pairs],
            TableRef.from_rest(foreign["referencedTable"], body["tableReference"]["projectId"]),
            tuple(pair["referencedColumn"] for pair in pairs),
        )


def declared(create: exp.Create, context: QueryContext) -> Resource:
    """The tableConstraints of a CREATE TABLE, or nothing."""
    schema = create.this
    if not isinstance(schema, exp.Schema):
        return {}
    body: Resource = {"schema": {"fields": [{"name": c.name} for c in schema.find_all(exp.ColumnDef)]}}
    for node in schema.expressions:
        if isinstance(node, exp.ColumnDef):
            for constraint in node.args.get("constraints") or []:
                body = _of_column(body, node.name, constraint.kind, context)
        else:
            body = added(body, node, context)
    return {"tableConstraints": body["tableConstraints"]} if "tableConstraints" in body else {}


def added(body: Resource, node: exp.Expr, context: QueryContext) -> Resource:
    """A table's resource with one more key. Raises ApiError for one that cannot be."""
    name = ""
    if isinstance(node, exp.Constraint):
        name, node = node.name, node.expressions[0]
    if isinstance(node, exp.PrimaryKey):
        return _with_primary_key(body, [column.name for column in node.expressions], node)
    if isinstance(node, exp.ForeignKey):
        return _with_foreign_key(
            body, name, [column.name for column in node.expressions], node.args["reference"], context
        )
    raise invalid_query(f"Syntax error: {node.sql('bigquery')} is not a constraint that a table can have")


def without_primary_key(body: Resource) -> Resource:
    """The table's resource without its primary key. Raises ApiError where it has none."""
    if "primaryKey" not in (body.get("tableConstraints") or {}):
        raise invalid_query("The table has no primary key.")
    return _with(body, "primaryKey", None)


def without_constraint(body: Resource, name: str) -> Resource:
    """The table's resource without the foreign key of that name. Raises ApiError where it has none."""
    known = (body.get("tableConstraints") or {}).get("foreignKeys") or []
    kept = [foreign for foreign in known if foreign.get("name") != name]
    if len(kept) == len(known):
        raise invalid_query(f"The table has no constraint {name}.")
    return _with(body, "foreignKeys", kept or None)


def _of_column(body: Resource, name: str, kind: exp.Expr, context: QueryContext) -> Resource:
    if isinstance(kind, exp.PrimaryKeyColumnConstraint):
        return _with_primary_key(body, [name], kind)
    if isinstance(kind, exp.Reference):
        return _with_foreign_key(body, "", [name], kind, context)
    return body


def _with_primary_key(body: Resource, columns: list[str], node: exp.Expr) -> Resource:
    _check_not_enforced(node)
    if "primaryKey" in (body.get("tableConstraints") or {}):
        raise invalid_query("The table has a primary key already.")
    _check_columns(body, columns)
    return _with(body, "primaryKey", {"columns": columns})


def _with_foreign_key(
    body: Resource, name: str, columns: list[str], reference: exp.Expr, context: QueryContext
) -> Resource:
    _check_not_enforced(reference)
    _check_columns(body, columns)
    schema = reference.this
    others = [column.name for column in schema.expressions] if isinstance(schema, exp.Schema) else []
    if len(others) != len(columns):
        raise invalid_query("A foreign key needs as many columns as the table has that it refers to.")
    target = context.table_ref(schema.this)
    _check_columns(context.catalog.table(target), others)
    known = (body.get("tableConstraints") or {}).get("foreignKeys") or []
    taken = {foreign["name"] for foreign in known}
    if name in taken:
        raise invalid_query(f"The table has a constraint {name} already.")
    number = next(n for n in range(1, len(known) + 2) if f"fk${n}" not in taken)
    pairs = [{"referencingColumn": c, "referencedColumn": o} for c, o in zip(columns, others, strict=True)]
    foreign = {"name": name or f"fk${number}", "referencedTable": target.rest(), "columnReferences": pairs}
    return _with(body, "foreignKeys", [*known, foreign])


def _with(body: Resource, name: str, value: Any) -> Resource:
    constraints = {**(body.get("tableConstraints") or {}), name: value}
    constraints = {key: given for key, given in constraints.items() if given is not None}
    rest = {key: given for key, given in body.items() if key != "tableConstraints"}
    return {**rest, "tableConstraints": constraints} if constraints else rest


def _check_not_enforced(node: exp.Expr) -> None:
    if _NOT_ENFORCED not in (node.args.get("options") or []):
        raise invalid_query("Enforcement of primary and foreign keys is not supported: they must be NOT ENFORCED.")


def _check_columns(body: Resource, columns: list[str]) -> None:
    known = {field["name"].lower() for field in body.get("schema", {}).get("fields", [])}
    for column in columns:
        if column.lower() not in known:
            raise invalid_query(f"Column {column} of the constraint is not in the table's schema.")
