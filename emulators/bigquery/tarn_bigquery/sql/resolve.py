"""Names of tables, replaced by what DuckDB can read: stored tables, views' queries, scans of external tables."""

import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import TableRef, duck_schema, duck_table
from tarn_bigquery.catalog.partitions import pseudo_columns
from tarn_bigquery.errors import ApiError, invalid_query, unsupported
from tarn_bigquery.sql import information_schema
from tarn_bigquery.sql.compiler.sources import FIELDS, HIDDEN_FIELDS
from tarn_bigquery.sql.context import ExternalRead, Prepared, QueryContext
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.partition_filters import conditions_of_dml, partition_condition, require_filter
from tarn_bigquery.sql.predicates import columns_named, columns_used, partition_predicates
from tarn_bigquery.sql.pushdown import conditions_on, narrow, push_down
from tarn_bigquery.sql.routine_names import mark_aggregates
from tarn_bigquery.sql.time_travel import moment_of
from tarn_bigquery.sql.types import Field, fields_of_arrow
from tarn_bigquery.sql.wildcards import is_wildcard, wildcard_table

_MAX_VIEW_DEPTH = 16
_VIEWS = {"VIEW", "MATERIALIZED_VIEW"}
_FILE_NAME = "_FILE_NAME"


def resolve_tables(tree: exp.Expr, context: QueryContext, query: Prepared, depth: int = 0) -> exp.Expr:
    """The tree with every table in it replaced. What the query reads is noted in `query`.

    Raises ApiError `notFound` for a table that is not there.
    """
    if depth > _MAX_VIEW_DEPTH:
        raise invalid_query(f"Too many nested views: at most {_MAX_VIEW_DEPTH} levels are allowed.")
    target = _target(tree)
    mark_aggregates(tree, context)
    push_down(tree.expression if isinstance(tree, exp.Insert) else tree)
    for node in list(tree.find_all(exp.Table)):
        if not isinstance(node.this, exp.Identifier) or _is_local(node):
            continue
        if node is target:
            _name_stored(tree, node, context, query)
        else:
            replacement = _relation(node, context, query, depth)
            if node is not replacement:
                node.replace(replacement)
    return tree


def target_of(statement: exp.Expr, context: QueryContext) -> TableRef:
    """The table that a DML statement writes."""
    node = _target(statement)
    if node is None:
        raise invalid_query(f"The statement {statement.key.upper()} names no table.")
    return context.table_ref(node)


def _target(tree: exp.Expr) -> exp.Table | None:
    if isinstance(tree, exp.TruncateTable):
        return tree.expressions[0]
    if not isinstance(tree, exp.Insert | exp.Update | exp.Delete | exp.Merge):
        return None
    node = tree.this
    return node.this if isinstance(node, exp.Schema) else node


def _name_stored(tree: exp.Expr, node: exp.Table, context: QueryContext, query: Prepared) -> None:
    ref = context.table_ref(node)
    resource = context.catalog.table(ref)
    if resource["type"] != "TABLE":
        raise invalid_query(f"{ref} is a {resource['type']} and cannot be written to by DML statements.")
    if isinstance(tree, exp.Insert | exp.TruncateTable):
        query.refer(ref, resource, None)
    else:
        conditions = conditions_of_dml(tree, node)
        require_filter(ref, resource, conditions)
        query.refer(ref, resource, None, partition_condition(resource, conditions))
    node.meta[FIELDS] = _fields(resource)
    node.meta[HIDDEN_FIELDS] = pseudo_columns(resource)
    if not node.alias and not isinstance(tree, exp.Insert | exp.TruncateTable):
        node.set("alias", exp.TableAlias(this=exp.to_identifier(node.name, quoted=True)))
    _point_to(node, ref)


def _relation(node: exp.Table, context: QueryContext, query: Prepared, depth: int) -> exp.Expr:
    alias = _alias(node)
    if node.args.get("version") is not None:
        return _past(node, context, query, depth)
    if information_schema.is_view(node):
        rows = information_schema.rows(node, context)
        return _carry(node, _registered(rows, fields_of_arrow(rows.schema), alias, query))
    if not node.db and node.name in context.definitions:
        resource: Resource = {
            "type": "EXTERNAL",
            "externalDataConfiguration": context.definitions[node.name],
            "schema": context.definitions[node.name].get("schema", {}),
        }
        return _external(node, node.name, context.externals.with_schema(resource), context, query)
    ref = context.table_ref(node)
    if is_wildcard(ref):
        tables = wildcard_table(ref, columns_used(node), context, query)
        tables.set("alias", alias)
        return _carry(node, tables)
    if result := context.introspection.result(ref):
        return _carry(node, _registered(result.rows, result.fields, alias, query))
    resource = _readable(ref, context)
    conditions = partition_predicates(node)
    if resource["type"] == "TABLE" and not context.is_definition:
        require_filter(ref, resource, conditions)
    query.refer(ref, resource, columns_used(node), partition_condition(resource, conditions))
    if resource["type"] in _VIEWS:
        return _view(node, ref, resource, context, query, depth)
    if resource["type"] == "EXTERNAL":
        return _external(node, f"{ref.project}.{ref.dataset}.{ref.table}", resource, context, query)
    node.set("alias", alias)
    node.meta[FIELDS] = _fields(resource)
    node.meta[HIDDEN_FIELDS] = pseudo_columns(resource)
    _point_to(node, ref)
    return node


def _view(
    node: exp.Table, ref: TableRef, resource: Resource, context: QueryContext, query: Prepared, depth: int
) -> exp.Expr:
    # A view is a tree of its own until it is resolved: its names do not see the query's.
    view_context = QueryContext(
        context.catalog,
        context.externals,
        context.introspection,
        ref.project,
        is_definition=context.is_definition,
    )
    tree = mark_aggregates(_view_query(resource), view_context)
    narrow(tree, conditions_on(node))
    inner = resolve_tables(tree, view_context, query, depth + 1)
    return _carry(node, exp.Subquery(this=inner, alias=_alias(node)))


def _past(node: exp.Table, context: QueryContext, query: Prepared, depth: int) -> exp.Expr:
    """A table as it was: with the columns, the partitions and the rows of then."""
    ref = context.table_ref(node)
    if information_schema.is_view(node) or is_wildcard(ref):
        raise unsupported(f"FOR SYSTEM_TIME AS OF on {node.name}")
    moment = moment_of(node, ref, context)
    _readable(ref, context)
    past = context.introspection.past(ref, moment)
    if past.body["type"] == "EXTERNAL":
        raise invalid_query(f"FOR SYSTEM_TIME AS OF cannot be used on the external table {ref}.")
    conditions = partition_predicates(node)
    require_filter(ref, past.body, conditions)
    query.refer(ref, past.body, columns_used(node), partition_condition(past.body, conditions))
    query.is_repeatable = False
    if past.body["type"] in _VIEWS:
        return _view(node, ref, past.body, context, query, depth)
    named: exp.Expr = exp.Var(this=past.relation)
    if past.rows is not None:
        named = exp.to_identifier(query.relation(past.rows))
    relation = exp.Table(this=named, alias=_alias(node))
    relation.meta[FIELDS] = _fields(past.body)
    relation.meta[HIDDEN_FIELDS] = pseudo_columns(past.body)
    return _carry(node, relation)


def _registered(rows: pa.Table, fields: list[Field], alias: exp.TableAlias, query: Prepared) -> exp.Table:
    """A relation of rows that are not in the database."""
    relation = exp.Table(this=exp.to_identifier(query.relation(rows)), alias=alias)
    relation.meta[FIELDS] = fields
    return relation


def _fields(resource: Resource) -> list[Field]:
    return resource.get("schema", {}).get("fields", [])


def _readable(ref: TableRef, context: QueryContext) -> Resource:
    """The table's resource. A project that nobody has is one that the caller may not see, as in BigQuery."""
    if ref.project != context.project and not context.catalog.datasets(ref.project):
        what = f"User does not have permission to query table {ref}, or perhaps it does not exist."
        raise ApiError("accessDenied", f"Access Denied: Table {ref}: {what}")
    return context.catalog.get(table_key(ref))


def _view_query(resource: Resource) -> exp.Expr:
    definition = resource.get("view") or resource["materializedView"]
    tree = name_columns(parse(definition["query"])[0].tree)
    return _renamed(tree, [field["name"] for field in _fields(resource)])


def _external(node: exp.Table, name: str, resource: Resource, context: QueryContext, query: Prepared) -> exp.Expr:
    with_file_name = _asks_file_name(node)
    read = ExternalRead(
        name, resource, partition_predicates(node), columns_used(node), columns_named(node), with_file_name
    )
    scan = context.externals.scan(read, query)
    relation = exp.Table(this=exp.Var(this=scan), alias=_alias(node))
    relation.meta[FIELDS] = _fields(resource)
    if with_file_name:
        relation.meta[HIDDEN_FIELDS] = [{"name": _FILE_NAME, "type": "STRING", "mode": "NULLABLE"}]
    return _carry(node, relation)


def _asks_file_name(node: exp.Table) -> bool:
    """Whether the query asks for the pseudo-column _FILE_NAME."""
    select = node.find_ancestor(exp.Select)
    return select is not None and any(c.name.upper() == _FILE_NAME for c in select.find_all(exp.Column))


def _carry(node: exp.Table, replacement: exp.Expr) -> exp.Expr:
    """What hangs on a table besides its name goes with it: joins, pivots and samples."""
    for name in ("joins", "pivots", "sample", "laterals"):
        if node.args.get(name):
            replacement.set(name, node.args[name])
    return replacement


def _alias(node: exp.Table) -> exp.TableAlias:
    given = node.args.get("alias")
    if given is not None:
        return given.copy()
    return exp.TableAlias(this=exp.to_identifier(node.name.rsplit(".", 1)[-1], quoted=True))


def _point_to(node: exp.Table, ref: TableRef) -> None:
    node.set("this", exp.to_identifier(duck_table(ref), quoted=True))
    node.set("db", exp.to_identifier(duck_schema(ref.parent), quoted=True))
    node.set("catalog", None)


def _is_local(node: exp.Table) -> bool:
    """Whether a bare name is that of a common table expression which it can see."""
    if node.db:
        return False
    name = node.name.lower()
    below: exp.Expr = node
    above = node.parent
    while above is not None:
        if isinstance(above, exp.With):
            names = [cte.alias.lower() for cte in above.expressions]
            seen = names if above.recursive else names[: [id(c) for c in above.expressions].index(id(below))]
            if name in seen:
                return True
        else:
            clause = above.args.get("with_")
            if clause is not None and clause is not below and name in {c.alias.lower() for c in clause.expressions}:
                return True
        below, above = above, above.parent
    return False


def name_columns(tree: exp.Expr) -> exp.Expr:
    """The query with a name on every column that has none: f0_, f1_, as BigQuery gives them."""
    unnamed = [projection for projection in _projections(tree) if not _is_named(projection)]
    for number, projection in enumerate(unnamed):
        projection.replace(exp.alias_(projection.copy(), f"f{number}_"))
    return tree


def names_every_column(tree: exp.Expr) -> bool:
    """Whether each column of a query stands in its SELECT list by itself."""
    projections = _projections(tree)
    return bool(projections) and not any(projection.is_star for projection in projections)


def _renamed(tree: exp.Expr, names: list[str]) -> exp.Expr:
    """A view's query with the names that the view gives its columns."""
    projections = _projections(tree)
    if names_every_column(tree) and len(projections) == len(names):
        for projection, name in zip(projections, names, strict=True):
            if projection.alias_or_name != name:
                projection.replace(exp.alias_(projection.unalias().copy(), name, quoted=True))
    return tree


def unnamed_column(tree: exp.Expr) -> int | None:
    """The place in the SELECT list, from 1, of the first column that a query gives no name; None for no such."""
    places = (place for place, projection in enumerate(_projections(tree), 1) if not _is_named(projection))
    return next(places, None)


def _projections(tree: exp.Expr) -> list[exp.Expr]:
    """The columns that name those of a query; none where it gives rows of another kind."""
    while isinstance(tree, exp.SetOperation | exp.Subquery):
        tree = tree.this
    return list(tree.expressions) if isinstance(tree, exp.Select) and not tree.args.get("kind") else []


def _is_named(projection: exp.Expr) -> bool:
    """Whether a projection names its columns: an alias, a column, a field, or all columns of something."""
    if isinstance(projection, exp.Alias | exp.Column | exp.Dot | exp.Star):
        return True
    return isinstance(projection, exp.Subquery) and bool(projection.alias)
