"""What a query with groups may say of its columns: only what is the same for all the rows of a group."""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlglot import exp

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.functions.aggregates import is_aggregate


def aggregates(select: exp.Select) -> bool:
    """Whether a SELECT makes one row of many without a GROUP BY: a call in a subquery or over a window does not."""
    clauses = [*select.expressions, *(select.args.get(name) for name in ("having", "qualify", "order"))]
    return any(aggregations(*clauses))


def aggregations(*clauses: exp.Expr | None) -> Iterator[exp.Expr]:
    """The calls of aggregate functions in clauses, but not in their subqueries or in one another."""
    for clause in clauses:
        if clause is not None:
            nodes = clause.walk(bfs=False, prune=lambda node: isinstance(node, exp.Query) or _is_aggregation(node))
            yield from (node for node in nodes if _is_aggregation(node))


def _is_aggregation(node: exp.Expr) -> bool:
    """Whether a node is the call of an aggregate function on the rows of a group."""
    if not isinstance(node, exp.Anonymous) or not is_aggregate(node):
        return False
    called: exp.Expr = node
    while isinstance(called.parent, exp.IgnoreNulls | exp.RespectNulls):
        called = called.parent
    return not (isinstance(called.parent, exp.Window) and called.parent.this is called)


@dataclass(frozen=True)
class Grouping:
    """The keys of a GROUP BY, as compiled SQL."""

    keys: frozenset[str]

    def require(self, compiler: Expressions, clause: exp.Expr, name: str) -> None:
        """Raises ApiError `invalidQuery` for a column of the query's tables that is neither grouped nor aggregated."""
        for node in clause.walk(bfs=False, prune=_is_aggregation):
            if isinstance(node, exp.Column) and self._is_loose(compiler, node, clause):
                parts = [part.name for part in node.parts]
                named = f"column {parts[0]}" if len(parts) == 1 else ".".join(parts)
                raise compiler.env.wrong(
                    f"{name} expression references {named} which is neither grouped nor aggregated", node.parts[0]
                )

    def require_star(self, env: Environment, star: exp.Expr, columns: list[tuple[str, str]]) -> None:
        """Raises ApiError `invalidQuery` for one of a star's columns, given with their SQL, that is not grouped."""
        replaced = {node.alias.lower() for found in star.find_all(exp.Star) for node in found.args.get("replace") or []}
        for name, sql in columns:
            if sql not in self.keys and name.lower() not in replaced:
                raise env.wrong(
                    f"Star expansion expression references column {name} which is neither grouped nor aggregated", star
                )

    def _is_loose(self, compiler: Expressions, column: exp.Column, clause: exp.Expr) -> bool:
        if compiler.env.columns.get(id(column)) is not compiler.scope.relations:
            return False
        paths = (_path(column.parts[:n]) for n in range(1, len(column.parts) + 1))
        return not any(self._is_key(compiler, node) for node in (*paths, *_between(column, clause)))

    def _is_key(self, compiler: Expressions, node: exp.Expr) -> bool:
        try:
            return compiler.value(node).sql in self.keys
        except ApiError:
            # A part of an expression need not be one by itself.
            return False


def _path(parts: list[exp.Expr]) -> exp.Column:
    """The column that a dotted name is up to one of its parts."""
    names = zip(("this", "table", "db", "catalog"), reversed(parts), strict=False)
    return exp.Column(**{name: part.copy() for name, part in names})


def _between(node: exp.Expr, clause: exp.Expr) -> Iterator[exp.Expr]:
    """What a node of a clause stands in, up to all of the clause."""
    while node is not clause and node.parent is not None:
        node = node.parent
        yield node
