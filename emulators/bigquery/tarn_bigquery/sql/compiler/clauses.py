"""What the clauses of a SELECT may not have in them, told before anything is compiled."""

from collections.abc import Iterator

from sqlglot import exp

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.functions.listed import function_of
from tarn_bigquery.sql.compiler.grouping import aggregations

_NEED_FROM = {
    "where": "a WHERE clause",
    "group": "a GROUP BY clause",
    "having": "a HAVING clause",
    "qualify": "a QUALIFY clause",
    "order": "an ORDER BY clause",
}


def check_clauses(select: exp.Select, env: Environment) -> None:
    """Raises ApiError `invalidQuery` for an aggregate or analytic function in the wrong place, or a clause too many."""
    if select.args.get("from_") is None:
        _check_without_from(select, env)
    _check_rows(select, "where", "WHERE clause", env)
    _check_rows(select, "group", "GROUP BY", env)
    having, qualify = select.args.get("having"), select.args.get("qualify")
    for node in _windows(having):
        raise env.wrong("Analytic function not allowed in HAVING clause", node)
    aggregated = aggregations(*select.expressions, having, select.args.get("order"))
    if having is not None and select.args.get("group") is None and not any(aggregated):
        raise env.wrong("The HAVING clause requires GROUP BY or aggregation to be present", having)
    if qualify is not None and not any(_windows(*select.expressions, qualify)):
        raise env.wrong("The QUALIFY clause requires analytic function to be present", qualify)


def check_columns(select: exp.Select, env: Environment) -> None:
    """Raises ApiError `invalidQuery` for an aggregate function over no rows; Google looks at its arguments first."""
    if select.args.get("from_") is None:
        for node in aggregations(*select.expressions):
            raise _misplaced(node, "SELECT without FROM clause", env)


def _check_without_from(select: exp.Select, env: Environment) -> None:
    if select.args.get("distinct"):
        raise env.wrong("Query without FROM clause cannot use SELECT DISTINCT", select)
    for name, clause in _NEED_FROM.items():
        if (given := select.args.get(name)) is not None:
            raise env.wrong(f"Query without FROM clause cannot have {clause}", given)
    for node in _windows(*select.expressions):
        raise env.wrong("Analytic function not allowed in SELECT without FROM clause", node)


def _check_rows(select: exp.Select, name: str, clause: str, env: Environment) -> None:
    """Hold a clause to be about single rows."""
    given = select.args.get(name)
    for node in _windows(given):
        raise env.wrong(f"Analytic function not allowed in {clause}", node)
    for node in aggregations(given):
        raise _misplaced(node, clause, env)


def _windows(*clauses: exp.Expr | None) -> Iterator[exp.Expr]:
    """The calls over windows in clauses, but not in their subqueries."""
    for clause in clauses:
        if clause is not None:
            nodes = clause.walk(bfs=False, prune=lambda node: isinstance(node, exp.Query))
            yield from (node for node in nodes if isinstance(node, exp.Window) and not _is_definition(node))


def _is_definition(node: exp.Window) -> bool:
    """Whether this is an entry of a WINDOW clause, and no call."""
    return node.arg_key == "windows"


def _misplaced(call: exp.Expr, clause: str, env: Environment) -> ApiError:
    known = function_of(call.name.upper())
    name = known.name if known is not None else call.name
    star = "(*)" if any(isinstance(argument, exp.Star) for argument in call.expressions) else ""
    return env.wrong(f"Aggregate function {name}{star} not allowed in {clause}", call)
