"""DDL statements carried out: read by the sql room, done by `definitions`, told as an Outcome."""

import re
from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Resource, dataset_key, table_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.partitions import is_ingestion_time, undecorated
from tarn_bigquery.engine import copies, definitions, routine_ddl
from tarn_bigquery.engine.alterations import alter_table
from tarn_bigquery.engine.database import Transaction
from tarn_bigquery.engine.ddl_call import Call, ddl_outcome, narrowed
from tarn_bigquery.engine.expirations import reckon_expirations
from tarn_bigquery.engine.externals import DeclaredTables
from tarn_bigquery.engine.layout import require_same_layout
from tarn_bigquery.engine.queries import Outcome, Queries, bind, require_distinct_names
from tarn_bigquery.engine.results import NoRows
from tarn_bigquery.engine.writes import Destination, create_filled
from tarn_bigquery.errors import already_exists, invalid_query, not_found, unsupported
from tarn_bigquery.sql import constraints, ddl, external_ddl, translate
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.parse import Statement, parse, query_text, statement_type
from tarn_bigquery.sql.resolve import names_every_column, unnamed_column
from tarn_bigquery.sql.time_travel import moment_of
from tarn_bigquery.sql.words import without_word


def run(call: Call) -> Outcome:
    """Carry out a DDL statement. Raises ApiError `notImplemented` for one that is not known."""
    kind = statement_type(call.tree)
    action = _ACTIONS.get(kind)
    if action is None:
        raise unsupported(f"the statement {kind.replace('_', ' ')}")
    outcome = action(call)
    outcome.statement_type = kind
    return outcome


def _create_schema(call: Call) -> Outcome:
    node = narrowed(exp.Create, call.tree)
    ref = ddl.dataset_ref(node.this, call.context)
    if node.args.get("exists") and call.context.catalog.find(dataset_key(ref)):
        return Outcome("")
    definitions.create_dataset(call.queries.database, ref, ddl.dataset_body(node))
    return Outcome("")


def _drop_schema(call: Call) -> Outcome:
    drop = narrowed(exp.Drop, call.tree)
    for node in drop.args["tables"]:
        ref = ddl.dataset_ref(node, call.context)
        if drop.args.get("exists") and call.context.catalog.find(dataset_key(ref)) is None:
            continue
        definitions.delete_dataset(call.queries.database, ref, contents=bool(drop.args.get("cascade")))
    return Outcome("")


def _alter_schema(call: Call) -> Outcome:
    # sqlglot reads ALTER SCHEMA in no form, and ALTER TABLE in the one that both have.
    tree = parse(_ALTER_SCHEMA.sub("ALTER TABLE", call.statement.text, count=1))[0].tree
    alter = narrowed(exp.Alter, tree)
    ref = DatasetRef(alter.this.db or call.context.project, alter.this.name)
    if alter.args.get("exists") and call.context.catalog.find(dataset_key(ref)) is None:
        return Outcome("")
    changes: Resource = {}
    for action in alter.args["actions"]:
        if not isinstance(action, exp.AlterSet):
            raise unsupported(f"ALTER SCHEMA {action.sql('bigquery')}")
        changes |= ddl.dataset_options(ddl.options_set(action))
    definitions.update_dataset(call.queries.database, ref, lambda body: resources.patched(body, changes))
    return Outcome("")


_ALTER_SCHEMA = re.compile(r"\bALTER\s+SCHEMA\b", re.IGNORECASE)


def _create_table(call: Call) -> Outcome:
    node = narrowed(exp.Create, call.tree)
    ref = _created(call, node)
    current = call.context.catalog.find(table_key(ref))
    if current is not None and node.args.get("exists"):
        return ddl_outcome("SKIP", ref)
    if current is not None and not node.args.get("replace"):
        raise already_exists("Table", ref)
    body = _inherited(call, node) | ddl.table_body(node) | constraints.declared(node, call.context)
    if current is not None and current["type"] == "TABLE" and node.args.get("clone") is None:
        require_same_layout(current, body)
    with (
        call.queries.attached(call.job) as cursor,
        call.queries.writing(call.job, cursor, ref) as transaction,
    ):
        references = _fill(call, node, Destination(ref, body), transaction, replacing=current is not None)
    outcome = ddl_outcome("REPLACE" if current else "CREATE", ref)
    outcome.references = references
    # The answer to a CREATE TABLE has the table's columns and no rows.
    outcome.result = NoRows(definitions.fields_of(call.context.catalog.table(ref)))
    return outcome


def _inherited(call: Call, node: exp.Create) -> Resource:
    """What a table takes over from the one that LIKE names."""
    origin = node.find(exp.LikeProperty)
    if origin is None:
        return {}
    return copies.definition(call.context.catalog.table(call.context.table_ref(origin.this)))


def _fill(
    call: Call, node: exp.Create, destination: Destination, transaction: Transaction, *, replacing: bool
) -> list[TableRef]:
    """Make the table, with the rows of its query or of the table that it is a clone of. Returns what was read."""
    source = node.args.get("expression")
    clone = node.args.get("clone")
    if isinstance(source, exp.Query):
        if is_ingestion_time(destination.body):
            raise invalid_query("PARTITION BY _PARTITIONDATE or _PARTITIONTIME cannot be used with AS and a query.")
        statement = Statement(source, call.statement.script, call.statement.start, call.statement.end)
        with call.queries.prepared(statement, call.context, transaction.cursor) as query:
            bound = bind(transaction.cursor, query)
            require_distinct_names(query)
            _require_names("CREATE TABLE", source, destination.body)
            create_filled(transaction, destination, bound, replacing=replacing)
            return list(query.references)
    if clone is not None:
        operation = "COPY" if clone.args.get("copy") else "CLONE"
        return _fill_as(operation, call, clone, destination, transaction, replacing=replacing)
    if "schema" not in destination.body:
        raise invalid_query("Table must have at least one column, or a query AS SELECT.")
    table = resources.new_table(destination.table, destination.body, _location(call, destination.table))
    definitions.create_table(transaction, table, replacing=replacing)
    return []


def _require_names(verb: str, query: exp.Expr, body: Resource) -> None:
    """Raises ApiError `invalidQuery` where a query gives a column no name, and the statement none either."""
    place = unnamed_column(query)
    if place is not None and "schema" not in body and not body.get("columns"):
        raise invalid_query(f"{verb} columns must be named, but column {place} has no name")


def _fill_as(
    operation: str, call: Call, clone: exp.Clone, destination: Destination, transaction: Transaction, *, replacing: bool
) -> list[TableRef]:
    """Make a clone, a copy or a snapshot of a table, now or as it was."""
    node = narrowed(exp.Table, translate.bound(clone.this, call.context))
    origin = undecorated(call.context.table_ref(node))
    if node.args.get("version") is not None:
        origin = replace(origin, moment=moment_of(node, origin.table, call.context))
    with copies.sources(call.queries.database, transaction.cursor, [origin]) as found:
        body = copies.definition(found[0].body) | copies.made_of(found[0], operation) | destination.body
        create_filled(
            transaction, replace(destination, body=body), copies.union(found, with_times=True), replacing=replacing
        )
    return [origin.table]


def _create_snapshot(call: Call) -> Outcome:
    call = replace(call, statement=parse(without_word(call.statement.text, "SNAPSHOT"))[0])
    reckon_expirations(call)
    node = narrowed(exp.Create, call.tree)
    if node.args.get("clone") is None:
        raise invalid_query("CREATE SNAPSHOT TABLE needs CLONE and the table to take it of.")
    ref = _created(call, node)
    if call.context.catalog.find(table_key(ref)) is not None:
        if node.args.get("exists"):
            return ddl_outcome("SKIP", ref)
        raise already_exists("Table", ref)
    with (
        call.queries.attached(call.job) as cursor,
        call.queries.writing(call.job, cursor, ref) as transaction,
    ):
        destination = Destination(ref, ddl.table_body(node))
        references = _fill_as("SNAPSHOT", call, node.args["clone"], destination, transaction, replacing=False)
    outcome = ddl_outcome("CREATE", ref)
    outcome.references = references
    return outcome


def _drop_snapshot(call: Call) -> Outcome:
    tree = parse(without_word(call.statement.text, "SNAPSHOT"))[0].tree
    return _drop(call, narrowed(exp.Drop, tree), {"SNAPSHOT"})


def _create_view(call: Call) -> Outcome:
    node = narrowed(exp.Create, call.tree)
    ref = _created(call, node)
    current = call.context.catalog.find(table_key(ref))
    if current is not None and node.args.get("exists"):
        return ddl_outcome("SKIP", ref)
    if current is not None and not node.args.get("replace"):
        raise already_exists("Table", ref)
    text = query_text(call.statement)
    body = with_view_schema(call.queries, call.context, ddl.view_body(node, text), named=True)
    table = resources.new_table(ref, body, _location(call, ref))
    with call.queries.database.transaction() as transaction:
        if current is not None:
            definitions.drop_table(transaction, current)
        definitions.create_table(transaction, table, replacing=current is not None)
    return ddl_outcome("REPLACE" if current else "CREATE", ref)


def with_view_schema(queries: Queries, context: QueryContext, body: Resource, *, named: bool = False) -> Resource:
    """A view's resource with the schema of its query. Raises ApiError where the query is wrong.

    Where all columns have to be `named`, by the query or in a list, one that is not is wrong as well.
    """
    kind = "view" if body.get("view") else "materializedView"
    statement = parse(resources.require(body[kind], "query"))[0]
    context = replace(context, externals=DeclaredTables(), is_definition=True)
    with queries.database.cursor() as cursor, queries.prepared(statement, context, cursor) as query:
        schema = bind(cursor, query).schema
        if not body.get("columns") or not names_every_column(statement.tree):
            require_distinct_names(query)
        if named:
            _require_names("CREATE VIEW", statement.tree, body)
    columns = body.get("columns") or []
    if columns and len(columns) != len(schema):
        raise invalid_query(
            f"The number of columns in the column definition list does not match the number of columns "
            f"produced by the query: {len(columns)} and {len(schema)}"
        )
    if columns and not names_every_column(statement.tree):
        named_query = _with_names(body[kind]["query"], [f["name"] for f in schema], [c["name"] for c in columns])
        body = body | {kind: body[kind] | {"query": named_query}}
    fields = [field | column for field, column in zip(schema, columns or [{}] * len(schema), strict=True)]
    return {name: value for name, value in body.items() if name != "columns"} | {"schema": {"fields": fields}}


def _with_names(query: str, columns: list[str], names: list[str]) -> str:
    """A view's query whose columns get the names that a list gives them, where the query writes `*` for them."""
    listed = ", ".join(f"`{column}` AS `{name}`" for column, name in zip(columns, names, strict=True))
    return f"SELECT {listed} FROM (\n{query}\n)"  # noqa: S608


def _create_external_table(call: Call) -> Outcome:
    wanted = external_ddl.read_create(call.statement.text)
    ref = _created(call, wanted.create)
    current = call.context.catalog.find(table_key(ref))
    if current is not None and wanted.create.args.get("exists"):
        return ddl_outcome("SKIP", ref)
    if current is not None and (not wanted.create.args.get("replace") or current["type"] != "EXTERNAL"):
        raise already_exists("Table", ref)
    table = resources.new_table(ref, call.context.externals.with_schema(wanted.body), _location(call, ref))
    with call.queries.locks.writing(ref, call.job.session), call.queries.database.transaction() as transaction:
        definitions.create_table(transaction, table, replacing=current is not None)
    return ddl_outcome("REPLACE" if current else "CREATE", ref)


def _drop_external_table(call: Call) -> Outcome:
    return _drop(call, narrowed(exp.Drop, external_ddl.read_drop(call.statement.text)), {"EXTERNAL"})


def _drop_table(call: Call) -> Outcome:
    drop = narrowed(exp.Drop, call.tree)
    kind = "MATERIALIZED VIEW" if drop.args.get("materialized") else drop.args["kind"]
    return _drop(call, drop, {kind.replace(" ", "_")})


def _drop(call: Call, drop: exp.Drop, wanted: set[str]) -> Outcome:
    """Drop the tables of a statement, which must be of the wanted types."""
    outcome = Outcome("")
    for node in drop.args["tables"]:
        ref = call.context.table_ref(node)
        current = call.context.catalog.find(table_key(ref))
        if current is None:
            if not drop.args.get("exists"):
                raise not_found("Table", ref)
            outcome = ddl_outcome("SKIP", ref)
            continue
        if current["type"] not in wanted:
            raise invalid_query(f"{ref} is not allowed for this operation because it is currently a {current['type']}.")
        with call.queries.locks.writing(ref, call.job.session), call.queries.database.transaction() as transaction:
            definitions.drop_table(transaction, current)
        outcome = ddl_outcome("DROP", ref)
    return outcome


def _created(call: Call, node: exp.Create) -> TableRef:
    ref = call.context.table_ref(node.this.this if isinstance(node.this, exp.Schema) else node.this)
    call.context.catalog.dataset(ref.parent)
    return ref


def _location(call: Call, ref: TableRef) -> str:
    return call.context.catalog.dataset(ref.parent)["location"]


_ACTIONS: dict[str, Callable[[Call], Outcome]] = {
    "CREATE_SCHEMA": _create_schema,
    "DROP_SCHEMA": _drop_schema,
    "ALTER_SCHEMA": _alter_schema,
    "CREATE_TABLE": _create_table,
    "CREATE_TABLE_AS_SELECT": _create_table,
    "CREATE_VIEW": _create_view,
    "CREATE_MATERIALIZED_VIEW": _create_view,
    "CREATE_EXTERNAL_TABLE": _create_external_table,
    "DROP_EXTERNAL_TABLE": _drop_external_table,
    "CREATE_SNAPSHOT_TABLE": _create_snapshot,
    "DROP_SNAPSHOT_TABLE": _drop_snapshot,
    "CREATE_FUNCTION": routine_ddl.create_function,
    "CREATE_TABLE_FUNCTION": routine_ddl.create_function,
    "DROP_FUNCTION": routine_ddl.drop_function,
    "DROP_TABLE_FUNCTION": routine_ddl.drop_function,
    "DROP_PROCEDURE": routine_ddl.drop_function,
    "DROP_TABLE": _drop_table,
    "DROP_VIEW": _drop_table,
    "DROP_MATERIALIZED_VIEW": _drop_table,
    "ALTER_TABLE": alter_table,
    "ALTER_VIEW": alter_table,
    "ALTER_MATERIALIZED_VIEW": alter_table,
}
