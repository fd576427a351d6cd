"""Wildcard tables: every stored table whose name begins with a prefix, read as one.

https://cloud.google.com/bigquery/docs/reference/standard-sql/wildcard-table-reference
"""

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.catalog.partitions import COMPUTED, pseudo_columns
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.sources import FIELDS, HIDDEN_FIELDS
from tarn_bigquery.sql.compiler.values import text
from tarn_bigquery.sql.context import Prepared, QueryContext
from tarn_bigquery.sql.types import Field, duck_type

SUFFIX = "_TABLE_SUFFIX"


def is_wildcard(ref: TableRef) -> bool:
    return ref.table.endswith("*")


def wildcard_table(ref: TableRef, columns: frozenset[str] | None, context: QueryContext, query: Prepared) -> exp.Table:
    """The tables that a name such as `events_*` stands for, with the columns of the one that was made last.

    Raises ApiError where no table matches.
    """
    prefix = ref.table.removesuffix("*")
    context.catalog.dataset(ref.parent)
    found = [
        (ref.parent.table(key.name), body)
        for key, body in context.catalog.children("Table", ref.parent)
        if key.name.startswith(prefix) and body["type"] == "TABLE"
    ]
    if not found:
        raise invalid_query(f"{ref} does not match any table.")
    latest = max(found, key=lambda item: int(item[1]["creationTime"]))[1]
    fields: list[Field] = latest["schema"]["fields"]
    hidden = pseudo_columns(latest)
    for table, body in found:
        query.refer(table, body, columns)
    query.is_repeatable = False
    rows = " UNION ALL ".join(_rows(table, body, [*fields, *_stored(hidden)], prefix) for table, body in found)
    relation = exp.Table(this=exp.Var(this=f"({rows})"))
    relation.meta[FIELDS] = fields
    relation.meta[HIDDEN_FIELDS] = [{"name": SUFFIX, "type": "STRING", "mode": "NULLABLE"}, *hidden]
    return relation


def _stored(hidden: list[Field]) -> list[Field]:
    """The pseudo-columns that are kept with the rows; the others are computed of them."""
    return [field for field in hidden if COMPUTED not in field]


def _rows(table: TableRef, body: Resource, fields: list[Field], prefix: str) -> str:
    known = {field["name"].lower() for field in [*body["schema"]["fields"], *_stored(pseudo_columns(body))]}
    columns = [
        quote(field["name"]) if field["name"].lower() in known else f"CAST(NULL AS {duck_type(field)})"
        for field in fields
    ]
    suffix = text(table.table.removeprefix(prefix))
    named = [f"{column} AS {quote(field['name'])}" for column, field in zip(columns, fields, strict=True)]
    return f"SELECT {', '.join([*named, f'{suffix} AS {quote(SUFFIX)}'])} FROM {duck_path(table)}"  # noqa: S608
