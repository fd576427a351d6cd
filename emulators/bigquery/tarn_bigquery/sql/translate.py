"""A statement, all the way to DuckDB SQL."""

from dataclasses import replace

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql import parameters
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.expressions import ASSIGNMENT, VARIABLE, Expressions
from tarn_bigquery.sql.compiler.kinds import of_field
from tarn_bigquery.sql.compiler.scope import Column, Relation, Scope
from tarn_bigquery.sql.compiler.statements import compile_statement
from tarn_bigquery.sql.context import Prepared, QueryContext
from tarn_bigquery.sql.parse import Statement
from tarn_bigquery.sql.resolve import resolve_tables
from tarn_bigquery.sql.routines import CatalogRoutines
from tarn_bigquery.sql.types import Field
from tarn_bigquery.sql.volatile import is_volatile


def prepare(statement: exp.Expr, context: QueryContext, text: str = "") -> Prepared:
    """The statement made ready to run. `text` is the script that it stands in. The caller closes what comes back."""
    query = Prepared()
    try:
        tree = resolve_tables(bound(statement, context), context, query)
        query.is_repeatable &= not is_volatile(tree)
        compiled = compile_statement(tree, Environment(text, CatalogRoutines(context, query)), Scope())
        query.sql, query.schema, query.names = compiled.sql, compiled.schema, compiled.names
    except BaseException:
        query.pins.close()
        raise
    return query


def bound(tree: exp.Expr, context: QueryContext) -> exp.Expr:
    """A copy of the tree with the values of variables and parameters in the places of their names."""
    own = tree.copy()
    if context.variables:
        own = own.transform(lambda node: _variable(node, context), copy=False)
    return parameters.bind(own, context.parameters)


def assigned(statement: Statement, kind: Field) -> Statement:
    """The SELECT of one expression, with that coerced to the type of a variable."""
    tree = statement.tree.copy()
    expression = tree.expressions[0]
    cast = exp.Cast(this=expression.copy())
    cast.meta[ASSIGNMENT] = kind
    expression.replace(cast)
    return replace(statement, tree=tree)


def condition_sql(condition: exp.Expr, fields: list[Field]) -> str:
    """A condition on a table's columns as DuckDB SQL over columns of the same names."""
    columns = [Column(field["name"], of_field(field), quote(field["name"])) for field in fields]
    return Expressions(Scope([Relation("", columns)]), Environment()).condition(condition, "WHERE")


def _variable(node: exp.Expr, context: QueryContext) -> exp.Expr:
    """A name that is a script's variable, as its value; any other node as it is."""
    if isinstance(node, exp.Column):
        first, *members = (part.name for part in node.parts)
    elif isinstance(node, exp.Parameter):
        first, members = node.sql("bigquery"), []
    elif isinstance(node, exp.Dot) and isinstance(node.this, exp.Parameter):
        whole = context.variables.get(node.sql("bigquery").lower())
        return _value(whole.sql, whole.field) if whole is not None else node
    else:
        return node
    variable = context.variables.get(first.lower())
    if variable is None:
        return node
    value: exp.Expr = _value(variable.sql, variable.field)
    for member in members:
        value = exp.Dot(this=value, expression=exp.to_identifier(member))
    if isinstance(node, exp.Column) and isinstance(node.parent, exp.Select) and node.arg_key == "expressions":
        return exp.alias_(value, node.name, quoted=True)
    return value


def _value(sql: str, field: Field) -> exp.Expr:
    node = exp.Var(this=sql)
    node.meta[VARIABLE] = field
    return node
