"""Statements compiled: queries, and the DML that writes a stored table."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.catalog.partitions import BOUNDARY, COMPUTED
from tarn_bigquery.sql.compiler.compiled import Compiled
from tarn_bigquery.sql.compiler.defaults import default_of, left_out
from tarn_bigquery.sql.compiler.environment import Environment, not_supported
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.kinds import Type, of_field
from tarn_bigquery.sql.compiler.queries import compile_query, result
from tarn_bigquery.sql.compiler.scope import Relation, Scope
from tarn_bigquery.sql.compiler.sources import FIELDS, HIDDEN_FIELDS, Sources
from tarn_bigquery.sql.compiler.values import Value, coerce, null, text
from tarn_bigquery.sql.limits import has_limits, limited
from tarn_bigquery.sql.types import Field


@dataclass(frozen=True)
class CompiledStatement:
    """A statement in DuckDB SQL; `schema` is a query's result, or None for a statement that has none.

    `names` has the names that a query gives to its columns, which need not be distinct.
    """

    sql: str
    schema: list[Field] | None = None
    names: list[str] = field(default_factory=list)


def compile_statement(tree: exp.Expr, env: Environment, names: Scope) -> CompiledStatement:
    """A query or a DML statement compiled. `names` has what the statement sees from outside: variables, parameters.

    Tables must have been resolved: their nodes carry the fields of their schemas.
    """
    if isinstance(tree, exp.Query):
        query = compile_query(tree, env, names)
        compiled = result(query)
        given = (compiled if query.is_value_table else query).columns
        schema = [kind.rest(name) for name, kind in compiled.columns]
        return CompiledStatement(compiled.sql, schema, [name for name, _ in given])
    handler = _HANDLERS.get(type(tree))
    if handler is None:
        raise not_supported(tree)
    return CompiledStatement(handler(tree, env, names))


def compile_value(tree: exp.Expr, env: Environment, names: Scope) -> Value:
    """A single expression compiled, outside of any query."""
    return Expressions(names, env).value(tree)


def _target(node: exp.Table, env: Environment, names: Scope) -> tuple[str, Relation, Scope]:
    scope = Scope(outer=names)
    sql = Sources(scope, env).one(node)
    return sql, scope.relations[0], scope


def _fields(node: exp.Table) -> list[Field]:
    return node.meta_get(FIELDS) or []


def _assigned(env: Environment, node: exp.Expr, value: Value, kind: Type, name: str) -> str:
    """The value as a column's type. Assignments take what coerces, and numbers and texts that fit."""
    found = coerce(value, kind)
    if found is None:
        raise env.wrong(f"Value of type {value.type} cannot be assigned to {name}, which has type {kind}", node)
    return found.sql


def _writable(node: exp.Table) -> list[Field]:
    """The columns that a statement may name to write them: those of the schema, and the time of ingestion."""
    hidden: list[Field] = node.meta_get(HIDDEN_FIELDS) or []
    return [*_fields(node), *(field for field in hidden if COMPUTED not in field)]


def _stored(env: Environment, node: exp.Expr, value: Value, field: Field) -> str:
    """The value as what a column holds."""
    return _checked(_assigned(env, node, value, of_field(field), field["name"]), field)


def _checked(sql: str, field: Field) -> str:
    """A value that a column is given, held to what the column may have."""
    return _at_boundary(sql, field) if BOUNDARY in field else limited(sql, field)


def _at_boundary(sql: str, field: Field) -> str:
    """A time of ingestion, which must be the beginning of a partition."""
    unit = field[BOUNDARY]
    message = f"{field['name']} must be the beginning of a partition: truncate it to {unit}"
    wrong = f"to_timestamp(googlesql.raise_int64({text(message)}))"
    return f"(CASE WHEN {sql} IS NULL OR {sql} = date_trunc({text(unit.lower())}, {sql}) THEN {sql} ELSE {wrong} END)"


def _insert(tree: Any, env: Environment, names: Scope) -> str:
    target = tree.this.this if isinstance(tree.this, exp.Schema) else tree.this
    if not isinstance(target, exp.Table) or tree.expression is None:
        raise env.wrong("Syntax error: INSERT needs a table and rows", tree)
    fields = _fields(target)
    if isinstance(tree.this, exp.Schema):
        fields = _named(env, _writable(target), tree.this.expressions)
    others = left_out(_fields(target), fields)
    columns = ", ".join(quote(field["name"]) for field in [*fields, *others])
    defaults = [default_of(field) for field in others]
    source = tree.expression
    path = _path(target)
    if isinstance(source, exp.Values):
        rows = (", ".join([*_row(env, names, row, fields), *defaults]) for row in source.expressions)
        return f"INSERT INTO {path} ({columns}) VALUES {', '.join(f'({row})' for row in rows)}"  # noqa: S608
    query = _fitted(env, source, compile_query(source, env, names), fields)
    if defaults:
        query = f"SELECT *, {', '.join(defaults)} FROM ({query})"  # noqa: S608
    return f"INSERT INTO {path} ({columns}) {query}"


def _path(target: exp.Table) -> str:
    return exp.Table(this=target.this.copy(), db=target.args.get("db")).sql("duckdb")


def _named(env: Environment, fields: list[Field], columns: list[exp.Expr]) -> list[Field]:
    known = {field["name"].lower(): field for field in fields}
    found = []
    for column in columns:
        field = known.get(column.name.lower())
        if field is None:
            raise env.wrong(f"Column {column.name} is not present in table", column)
        found.append(field)
    return found


def _row(env: Environment, names: Scope, row: exp.Expr, fields: list[Field]) -> list[str]:
    items = row.expressions if isinstance(row, exp.Tuple) else [row.this if isinstance(row, exp.Paren) else row]
    if len(items) != len(fields):
        raise env.wrong(f"Inserted row has wrong column count; Has {len(items)}, expected {len(fields)}", row)
    return [_cell(env, names, item, field) for item, field in zip(items, fields, strict=True)]


def _cell(env: Environment, names: Scope, item: exp.Expr, field: Field) -> str:
    if _is_default(item):
        return default_of(field)
    value = Expressions(names, env).value(item)
    return _stored(env, item, value, field)


def _fitted(env: Environment, node: exp.Expr, query: Compiled, fields: list[Field]) -> str:
    """A query's rows as those of the columns."""
    if len(query.columns) != len(fields):
        raise env.wrong(f"Inserted row has wrong column count; Has {len(query.columns)}, expected {len(fields)}", node)
    kinds = [of_field(field) for field in fields]
    is_checked = any(BOUNDARY in field or has_limits(field) for field in fields)
    if kinds == [kind for _, kind in query.columns] and not is_checked:
        return query.sql
    aliases = [f"c{i}" for i in range(len(fields))]
    listed = ", ".join(
        _stored(env, node, Value(alias, kind), field)
        for alias, (_, kind), field in zip(aliases, query.columns, fields, strict=True)
    )
    return f"SELECT {listed} FROM ({query.sql}) AS q({', '.join(aliases)})"  # noqa: S608


def _update(tree: Any, env: Environment, names: Scope) -> str:
    target, relation, scope = _target(tree.this, env, names)
    source = ""
    if (clause := tree.args.get("from_")) is not None:
        inner = Scope(outer=names)
        source = f" FROM {Sources(inner, env).all_of(clause.this, [])}"
        scope.relations += inner.relations
    compiler = Expressions(scope, env)
    sets = _assignments(compiler, tree.expressions, relation, _writable(tree.this))
    where = tree.args.get("where")
    if where is None:
        raise env.wrong("UPDATE must have a WHERE clause", tree)
    return f"UPDATE {target} SET {sets}{source} WHERE {compiler.condition(where.this, 'WHERE')}"  # noqa: S608


def _assignments(compiler: Expressions, nodes: list[exp.Expr], relation: Relation, fields: list[Field]) -> str:
    """`column = value` of UPDATE. Assignments to fields of a struct become one new value of its column."""
    known = {field["name"].lower(): field for field in fields}
    changed: dict[str, Value] = {}
    for node in nodes:
        path = _assigned_path(node.this, relation.alias, known)
        field = known.get(path[0].lower())
        if field is None:
            raise compiler.env.wrong(f"Unrecognized name: {path[0]}", node)
        before = changed.get(path[0].lower()) or relation.column(path[0]) or null()
        if len(path) == 1 and _is_default(node.args["expression"]):
            changed[path[0].lower()] = Value(default_of(field), of_field(field))
        else:
            changed[path[0].lower()] = _with_member(compiler, node, before, path[1:], of_field(field))
    written = ((known[name], value.sql) for name, value in changed.items())
    return ", ".join(f"{quote(field['name'])} = {_checked(sql, field)}" for field, sql in written)


def _is_default(node: exp.Expr) -> bool:
    """Whether a value is the word DEFAULT."""
    return isinstance(node, exp.Var | exp.Column) and node.name.upper() == "DEFAULT"


def _assigned_path(node: exp.Expr, alias: str, known: dict[str, Field]) -> list[str]:
    parts = [part.name for part in node.parts] if isinstance(node, exp.Column) else []
    if isinstance(node, exp.Dot):
        parts = [*_assigned_path(node.this, alias, known), node.expression.name]
    return parts[1:] if len(parts) > 1 and parts[0].lower() == alias.lower() else parts


def _with_member(compiler: Expressions, node: exp.Expr, before: Value, path: list[str], kind: Type) -> Value:
    """The value with the member at the path replaced by the right side of the assignment."""
    if not path:
        right = compiler.value(node.args["expression"])
        return Value(_assigned(compiler.env, node, right, kind, node.this.name), kind)
    members = []
    for name, inner in kind.fields:
        member = Value(f"struct_extract({before.sql}, '{name}')", inner)
        if name.lower() == path[0].lower():
            member = _with_member(compiler, node, member, path[1:], inner)
        members.append(f"{quote(name)} := {member.sql}")
    return Value(f"struct_pack({', '.join(members)})", kind)


def _delete(tree: Any, env: Environment, names: Scope) -> str:
    target, _, scope = _target(tree.this, env, names)
    where = tree.args.get("where")
    if where is None:
        raise env.wrong("DELETE must have a WHERE clause", tree)
    return f"DELETE FROM {target} WHERE {Expressions(scope, env).condition(where.this, 'WHERE')}"  # noqa: S608


def _truncate(tree: Any, env: Environment, names: Scope) -> str:
    return f"DELETE FROM {_path(tree.expressions[0])}"  # noqa: S608


def _merge(tree: Any, env: Environment, names: Scope) -> str:
    target, relation, scope = _target(tree.this, env, names)
    inner = Scope(outer=names)
    source = Sources(inner, env).one(tree.args["using"])
    both = Expressions(Scope([*scope.relations, *inner.relations], names), env)
    reach = _Reach(both, Expressions(scope, env), Expressions(inner, env))
    whens = "".join(_when(node, reach, relation, tree.this) for node in tree.args["whens"].expressions)
    on = _never(relation, inner) if _is_false(tree.args["on"]) else both.condition(tree.args["on"], "ON")
    return f"MERGE INTO {target} USING {source} ON {on}{whens}"


def _is_false(condition: exp.Expr) -> bool:
    return isinstance(condition.unnest(), exp.Boolean) and not condition.unnest().this


def _never(target: Relation, source: Scope) -> str:
    """An equality that no pair of rows satisfies: DuckDB hashes it, where for FALSE it would compare all pairs."""
    column = source.relations[0].visible[0].sql
    return f"{quote(target.alias)}.rowid = -1 - CAST(hash({column}) >> 2 AS BIGINT)"


@dataclass(frozen=True)
class _Reach:
    """What the clauses of a MERGE see: both tables where rows match, else the one that has the row."""

    both: Expressions
    target: Expressions
    source: Expressions


def _when(node: exp.When, reach: _Reach, relation: Relation, target: exp.Table) -> str:
    if node.args.get("matched"):
        word, compiler = "MATCHED", reach.both
    elif node.args.get("source"):
        word, compiler = "NOT MATCHED BY SOURCE", reach.target
    else:
        word, compiler = "NOT MATCHED", reach.source
    extra = node.args.get("condition")
    condition = f" AND {compiler.condition(extra, 'WHEN')}" if extra is not None else ""
    action = node.args["then"]
    if isinstance(action, exp.Var):
        return f" WHEN {word}{condition} THEN DELETE"
    if isinstance(action, exp.Update):
        sets = _assignments(compiler, action.expressions, relation, _writable(target))
        return f" WHEN {word}{condition} THEN UPDATE SET {sets}"
    return f" WHEN {word}{condition} THEN {_merge_insert(action, reach.source, target)}"


def _merge_insert(action: exp.Insert, source: Expressions, target: exp.Table) -> str:
    fields = _fields(target)
    values = action.args.get("expression")
    if (alone := _values_alone(action)) is not None:
        values = alone
    elif isinstance(action.this, exp.Tuple):
        fields = _named(source.env, _writable(target), action.this.expressions)
    others = left_out(_fields(target), fields)
    columns = ", ".join(quote(field["name"]) for field in [*fields, *others])
    if isinstance(values, exp.Tuple):
        if len(values.expressions) != len(fields):
            raise source.env.wrong("Inserted row has wrong column count", values)
        pairs = zip(values.expressions, fields, strict=True)
        cells = [_cell(source.env, source.scope, item, field) for item, field in pairs]
    else:
        visible = [column for relation in source.scope.relations for column in relation.visible]
        cells = [_checked(column.sql, field) for column, field in zip(visible, fields, strict=False)]
    cells += [default_of(field) for field in others]
    return f"INSERT ({columns}) VALUES ({', '.join(cells)})"  # noqa: S608


def _values_alone(action: exp.Insert) -> exp.Tuple | None:
    """The values of `INSERT VALUES (...)`, which sqlglot takes for a list of columns with a call in it."""
    listed = action.this.expressions if isinstance(action.this, exp.Tuple) else []
    if len(listed) == 1 and isinstance(listed[0], exp.Anonymous) and listed[0].name.upper() == "VALUES":
        return exp.Tuple(expressions=listed[0].expressions)
    return None


_HANDLERS: dict[type[exp.Expr], Callable[[Any, Environment, Scope], str]] = {
    exp.Insert: _insert,
    exp.Update: _update,
    exp.Delete: _delete,
    exp.TruncateTable: _truncate,
    exp.Merge: _merge,
}
