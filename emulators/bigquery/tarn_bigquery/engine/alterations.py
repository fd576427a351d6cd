"""ALTER TABLE: columns added, dropped, renamed and changed, tables renamed, options set."""

import re
from collections.abc import Callable

from sqlglot import exp

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Resource, create, remove, table_key, update
from tarn_bigquery.catalog.names import TableRef, duck_path, quote
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.ddl_call import Call, ddl_outcome, narrowed
from tarn_bigquery.engine.layout import role_of
from tarn_bigquery.engine.queries import Outcome
from tarn_bigquery.errors import already_exists, invalid_query, not_found, unsupported
from tarn_bigquery.sql import alterations, constraints, ddl
from tarn_bigquery.sql.compiler.defaults import default_of
from tarn_bigquery.sql.compiler.kinds import of_field, supertype
from tarn_bigquery.sql.types import duck_type, googlesql_type


def alter_table(call: Call) -> Outcome:
    """ALTER TABLE and ALTER VIEW, action by action."""
    alter = alterations.read(call.statement.text) if isinstance(call.tree, exp.Command) else call.tree
    alter = narrowed(exp.Alter, alter)
    ref = call.context.table_ref(alter.this)
    current = call.context.catalog.find(table_key(ref))
    if current is None:
        if alter.args.get("exists"):
            return ddl_outcome("SKIP", ref)
        raise not_found("Table", ref)
    with call.queries.locks.writing(ref, call.job.session):
        for action in alter.args["actions"]:
            handler = _ALTERATIONS.get(type(action))
            if handler is None:
                raise unsupported(f"ALTER TABLE {action.sql('bigquery')}")
            handler(call, ref, action)
    return ddl_outcome("ALTER", ref)


def _add_column(call: Call, ref: TableRef, action: exp.Expr) -> None:
    current = call.context.catalog.table(ref)
    fields = definitions.fields_of(current)
    added = ddl.column_field(narrowed(exp.ColumnDef, action))
    if added["name"].lower() in {field["name"].lower() for field in fields}:
        if action.args.get("exists"):
            return
        raise invalid_query(f"Column already exists: {added['name']}")
    if "defaultValueExpression" in added:
        raise invalid_query(
            f"Column {added['name']} cannot be added with a default value: add it, then ALTER COLUMN ... SET DEFAULT"
        )
    _set_fields(call, ref, [*fields, added])


def _set_fields(call: Call, ref: TableRef, fields: list[Resource]) -> None:
    current = call.context.catalog.table(ref)
    with call.queries.database.transaction() as transaction:
        definitions.update_table(
            transaction, ref, current, lambda body: resources.stamped({**body, "schema": {"fields": fields}})
        )


def _add_constraint(call: Call, ref: TableRef, action: exp.Expr) -> None:
    def change(body: Resource) -> Resource:
        for node in action.expressions:
            body = constraints.added(body, node, call.context)
        return body

    _change(call, ref, change)


def _drop_constraint(call: Call, ref: TableRef, action: exp.Expr) -> None:
    name = action.args["tables"][0].name
    foreign = (call.context.catalog.table(ref).get("tableConstraints") or {}).get("foreignKeys") or []
    if action.args.get("exists") and name not in {key.get("name") for key in foreign}:
        return
    _change(call, ref, lambda body: constraints.without_constraint(body, name))


def _other(call: Call, ref: TableRef, action: exp.Expr) -> None:
    """DROP PRIMARY KEY, which sqlglot leaves unread, as it does what is not known."""
    text = f"{action.this} {action.args.get('expression') or ''}"
    found = re.fullmatch(r"\s*DROP\s+PRIMARY\s+KEY(\s+IF\s+EXISTS)?\s*", text, re.IGNORECASE)
    if found is None:
        raise unsupported(f"ALTER TABLE {text}")
    if found[1] and "primaryKey" not in (call.context.catalog.table(ref).get("tableConstraints") or {}):
        return
    _change(call, ref, constraints.without_primary_key)


def _change(call: Call, ref: TableRef, change: Callable[[Resource], Resource]) -> None:
    with call.queries.database.transaction() as transaction:
        transaction.change(update(table_key(ref), lambda body: resources.stamped(change(body))))


def _drop(call: Call, ref: TableRef, action: exp.Expr) -> None:
    (_drop_constraint if action.args.get("kind") == "CONSTRAINT" else _drop_column)(call, ref, action)


def _drop_column(call: Call, ref: TableRef, action: exp.Expr) -> None:
    current = call.context.catalog.table(ref)
    name = action.args["tables"][0].name
    _refuse_layout(current, name, "drop")
    fields = definitions.fields_of(current)
    kept = [field for field in fields if field["name"].lower() != name.lower()]
    if len(kept) == len(fields):
        if action.args.get("exists"):
            return
        raise invalid_query(f"Column not found: {name}")
    with call.queries.database.transaction() as transaction:
        transaction.rewrites(ref, current)
        transaction.cursor.execute(f"ALTER TABLE {duck_path(ref)} DROP COLUMN {quote(name)}")
        transaction.change(update(table_key(ref), lambda body: resources.stamped({**body, "schema": {"fields": kept}})))


def _refuse_layout(table: Resource, column: str, change: str) -> None:
    """Raises ApiError `invalidQuery` for a change of a column that the table's rows lie by."""
    if role := role_of(table, column):
        raise invalid_query(f"ALTER TABLE cannot {change} the {role} column {column}")


def _rename_column(call: Call, ref: TableRef, action: exp.Expr) -> None:
    old, new = action.this.name, action.args["to"].name
    current = call.context.catalog.table(ref)
    _refuse_layout(current, old, "rename")
    fields = definitions.fields_of(current)
    renamed = [{**f, "name": new} if f["name"].lower() == old.lower() else f for f in fields]
    if renamed == fields:
        raise invalid_query(f"Column not found: {old}")
    with call.queries.database.transaction() as transaction:
        transaction.rewrites(ref, current)
        transaction.cursor.execute(f"ALTER TABLE {duck_path(ref)} RENAME COLUMN {quote(old)} TO {quote(new)}")
        transaction.change(
            update(table_key(ref), lambda body: resources.stamped({**body, "schema": {"fields": renamed}}))
        )


_PARAMETERS = ("maxLength", "precision", "scale")


def _retyped(field: Resource, wanted: Resource) -> Resource:
    """The column with another type, which must hold all that the column may hold now."""
    before, after = of_field(field), of_field(wanted)
    if supertype([before, after]) != after or (before == after and not _is_wider(field, wanted)):
        raise invalid_query(
            "ALTER TABLE ALTER COLUMN SET DATA TYPE requires that the existing column type "
            f"({googlesql_type(field)}) is assignable to the new type ({googlesql_type(wanted)})"
        )
    kept = {name: value for name, value in field.items() if name not in _PARAMETERS}
    return kept | {name: wanted[name] for name in ("type", *_PARAMETERS) if name in wanted}


def _is_wider(field: Resource, wanted: Resource) -> bool:
    """Whether the parameters of a type, where it has any, leave room for all that those of the same type did."""
    if "maxLength" in wanted:
        return "maxLength" in field and int(wanted["maxLength"]) >= int(field["maxLength"])
    if "precision" not in wanted:
        return True
    if "precision" not in field:
        return False
    scales = [int(one.get("scale", 0)) for one in (field, wanted)]
    wholes = [int(one["precision"]) - scale for one, scale in zip((field, wanted), scales, strict=True)]
    return scales[1] >= scales[0] and wholes[1] >= wholes[0]


def _alter_column(call: Call, ref: TableRef, action: exp.Expr) -> None:
    current = call.context.catalog.table(ref)
    name = action.this.name
    fields = definitions.fields_of(current)
    field = next((f for f in fields if f["name"].lower() == name.lower()), None)
    if field is None:
        raise invalid_query(f"Column not found: {name}")
    path = f"ALTER TABLE {duck_path(ref)} ALTER COLUMN {quote(name)}"
    changed, statements = dict(field), []
    if action.args.get("dtype") is not None:
        declared = exp.ColumnDef(this=action.this, kind=action.args["dtype"])
        changed = _retyped(field, ddl.column_field(declared))
        statements.append(f"{path} TYPE {duck_type(changed)}")
    elif action.args.get("drop") and action.args.get("allow_null"):
        changed["mode"] = "NULLABLE"
        statements.append(f"{path} DROP NOT NULL")
    elif action.args.get("drop"):
        changed.pop("defaultValueExpression", None)
    elif action.args.get("default") is not None:
        changed["defaultValueExpression"] = action.args["default"].sql("bigquery")
        default_of(changed)
    else:
        raise unsupported(f"ALTER COLUMN {action.sql('bigquery')}")
    after = [changed if f is field else f for f in fields]
    with call.queries.database.transaction() as transaction:
        if duck_type(changed) != duck_type(field):
            transaction.rewrites(ref, current)
        for statement in statements:
            transaction.cursor.execute(statement)
        transaction.change(
            update(table_key(ref), lambda body: resources.stamped({**body, "schema": {"fields": after}}))
        )


def _rename_table(call: Call, ref: TableRef, action: exp.Expr) -> None:
    new = ref.parent.table(action.this.name)
    current = call.context.catalog.table(ref)
    if call.context.catalog.find(table_key(new)):
        raise already_exists("Table", new)
    body = resources.stamped({**current, "tableReference": new.rest(), "id": str(new)})
    with call.queries.database.transaction() as transaction:
        if definitions.is_stored(current):
            transaction.rewrites(ref, current)
            new_name = duck_path(new).split(".")[-1]
            transaction.cursor.execute(f"ALTER TABLE {duck_path(ref)} RENAME TO {new_name}")
        transaction.change(remove(table_key(ref)), create(table_key(new), body))


def _set_column_options(call: Call, ref: TableRef, action: exp.Expr) -> None:
    fields = definitions.fields_of(call.context.catalog.table(ref))
    if action.name.lower() not in {field["name"].lower() for field in fields}:
        if action.args.get("exists"):
            return
        raise invalid_query(f"Column not found: {action.name}")
    given = ddl.options_set(action.args["set"])
    if unknown := given.keys() - {"description", "rounding_mode", "data_policies"}:
        raise invalid_query(f"Unknown option: {min(unknown)}")

    def changed(field: Resource) -> Resource:
        if field["name"].lower() != action.name.lower() or "description" not in given:
            return field
        rest = {name: value for name, value in field.items() if name != "description"}
        return rest | ({"description": given["description"]} if given["description"] is not None else {})

    _change(call, ref, lambda body: {**body, "schema": {"fields": [changed(f) for f in definitions.fields_of(body)]}})


def _set_options(call: Call, ref: TableRef, action: exp.Expr) -> None:
    given = ddl.options_set(action)

    def change(body: resources.Resource) -> resources.Resource:
        changed = body | ddl.table_options(given, body)
        return resources.stamped({name: value for name, value in changed.items() if value is not None})

    with call.queries.database.transaction() as transaction:
        transaction.change(update(table_key(ref), change))


_ALTERATIONS: dict[type[exp.Expr], Callable[[Call, TableRef, exp.Expr], None]] = {
    exp.ColumnDef: _add_column,
    exp.Drop: _drop,
    exp.AddConstraint: _add_constraint,
    exp.Command: _other,
    exp.RenameColumn: _rename_column,
    exp.AlterColumn: _alter_column,
    exp.AlterRename: _rename_table,
    exp.AlterSet: _set_options,
    alterations.ColumnOptions: _set_column_options,
}
