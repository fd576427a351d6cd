"""Conditions moved inwards, from a query to the derived tables, common tables and views that it reads.

DuckDB does this by itself when it runs a query. It is done here before, because which files of an external
table are fetched is settled earlier still, by the conditions that stand beside the table.
"""

from collections.abc import Sequence

from sqlglot import exp

from tarn_bigquery.sql.compiler.functions.aggregates import is_aggregate
from tarn_bigquery.sql.predicates import partition_predicates
from tarn_bigquery.sql.volatile import is_random

_NOT_MOVED_THROUGH = ("limit", "offset", "qualify", "group", "having", "windows", "pivots", "kind")
_NOT_REPEATED = (exp.Window, exp.Query, exp.Unnest)


def push_down(query: exp.Expr) -> None:
    """Give every derived table and common table of a query the conditions that its reader has on it."""
    if isinstance(query, exp.SetOperation):
        push_down(query.left)
        push_down(query.right)
    elif isinstance(query, exp.Subquery):
        push_down(query.this)
    elif isinstance(query, exp.Select):
        for source in _sources(query):
            if isinstance(source, exp.Subquery):
                narrow(source.this, conditions_on(source))
                push_down(source.this)
    clause = query.args.get("with_")
    for table in reversed(clause.expressions) if clause and not clause.recursive else []:
        readers = [node for node in query.find_all(exp.Table) if _names(node, table.alias)]
        if len(readers) == 1:
            narrow(table.this, conditions_on(readers[0]))
        push_down(table.this)


def narrow(query: exp.Expr, conditions: Sequence[exp.Expr]) -> None:
    """Have a query leave out rows that do not meet conditions on its columns, where that is sure to be the same.

    A condition may name columns as `alias.column` or bare. What cannot be moved is left out.
    """
    if isinstance(query, exp.Subquery):
        narrow(query.this, conditions)
    elif isinstance(query, exp.Union):
        _narrow_union(query, conditions)
    elif isinstance(query, exp.Select) and _is_row_by_row(query):
        for condition in conditions:
            moved = _in_terms_of_sources(condition, query)
            if moved is not None:
                query.where(moved, copy=False)


def _is_row_by_row(query: exp.Select) -> bool:
    """Whether each row of a query comes of one row that it reads, whatever the others are."""
    if query.args.get("from_") is None or any(query.args.get(name) for name in _NOT_MOVED_THROUGH):
        return False
    called = (node for projection in query.expressions for node in projection.find_all(exp.Window, exp.Anonymous))
    return not any(isinstance(node, exp.Window) or is_aggregate(node) for node in called)


def _is_not_repeated(origin: exp.Expr) -> bool:
    """Whether an expression must not stand in a second place, or must not stand in a WHERE clause."""
    if next(origin.find_all(*_NOT_REPEATED), None) is not None:
        return True
    calls = origin.find_all(exp.Anonymous)
    return is_random(origin) or any(call.name.upper() == "ERROR" or is_aggregate(call) for call in calls)


def conditions_on(source: exp.Expr) -> list[exp.Expr]:
    """The conjuncts of the WHERE clause around a source that are sure to be about its columns alone."""
    select = source.find_ancestor(exp.Select)
    if select is None:
        return []
    is_alone = len(_sources(select)) == 1 and not select.args.get("laterals")
    return [
        condition
        for condition in partition_predicates(source)
        if is_alone or all(column.table for column in condition.find_all(exp.Column))
    ]


def _narrow_union(union: exp.Union, conditions: Sequence[exp.Expr]) -> None:
    """A union takes the names of its first query's columns, and the others' by position."""
    names, others = _output_names(union.left), _output_names(union.right)
    if names is None or others is None or len(names) != len(others):
        return
    positions = {name: position for position, name in enumerate(names)}
    narrow(union.left, conditions)
    for condition in conditions:
        renamed = condition.copy()
        for column in list(renamed.find_all(exp.Column)):
            position = positions.get(column.name.lower())
            if position is None:
                break
            column.replace(exp.column(exp.to_identifier(others[position], quoted=True)))
        else:
            narrow(union.right, [renamed])


def _output_names(query: exp.Expr) -> list[str] | None:
    """The names of a query's columns in lower case, None where `*` hides them."""
    while isinstance(query, exp.SetOperation | exp.Subquery):
        query = query.this
    if not isinstance(query, exp.Select) or any(projection.is_star for projection in query.expressions):
        return None
    return [projection.alias_or_name.lower() for projection in query.expressions]


def _in_terms_of_sources(condition: exp.Expr, select: exp.Select) -> exp.Expr | None:
    """The condition over a query's columns as one over what the query reads, None where there is no such."""
    moved = exp.paren(condition)
    for column in list(moved.find_all(exp.Column)):
        origin = _origin(column.name.lower(), select)
        if origin is None or _is_not_repeated(origin):
            return None
        column.replace(origin)
    return moved


def _origin(name: str, select: exp.Select) -> exp.Expr | None:
    """What a query computes its column of this name from."""
    for projection in select.expressions:
        if not projection.is_star and projection.alias_or_name.lower() == name:
            return exp.paren(projection.unalias())
    stars = [projection for projection in select.expressions if projection.is_star]
    if len(stars) != 1 or len(_sources(select)) != 1 or _is_changed_by(stars[0], name):
        return None
    return exp.column(exp.to_identifier(name, quoted=True))


def _is_changed_by(star: exp.Expr, name: str) -> bool:
    """Whether a `*` with EXCEPT or REPLACE gives another column of this name, or none."""
    body = star.this if isinstance(star, exp.Column) else star
    changed = [*(body.args.get("except_") or []), *(body.args.get("replace") or []), *(body.args.get("rename") or [])]
    return any(part.alias_or_name.lower() == name for part in changed)


def _sources(select: exp.Select) -> list[exp.Expr]:
    clause = select.args.get("from_")
    first = [clause.this] if clause else []
    return first + [join.this for join in select.args.get("joins") or []]


def _names(node: exp.Table, alias: str) -> bool:
    return not node.db and node.name.lower() == alias.lower()
