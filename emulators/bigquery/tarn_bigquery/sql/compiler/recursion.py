"""Recursive queries counted: BigQuery ends one that does not end by itself, where DuckDB goes on for ever.

https://cloud.google.com/bigquery/docs/recursive-ctes
"""

from sqlglot import exp

from tarn_bigquery.sql.compiler.kinds import INT64

MOST_ITERATIONS = 500
COUNTER = "_iteration"
HIDDEN = ((COUNTER, INT64),)
_REACHED = "A recursive CTE has reached the maximum number of iterations: "
_NOT_COUNTED = ("distinct", "group", "having", "kind", "qualify", "limit", "windows")


def counted(query: exp.Union, name: str) -> exp.Union | None:
    """The query with a last column that counts how often it has come by way of itself, and fails beyond the limit.

    None for a query that cannot be counted so: one whose recursive term does not read `name` in its own FROM, or
    makes fewer rows of those that it reads. A UNION DISTINCT ends where it finds nothing new.
    """
    term = query.expression
    if query.args.get("distinct") or not isinstance(term, exp.Select) or any(map(term.args.get, _NOT_COUNTED)):
        return None
    source = next((node for node in _sources(term) if _is_named(node, name)), None)
    if source is None:
        return None
    made = query.copy()
    before = exp.column(COUNTER, table=source.alias_or_name)
    # A column that nothing but itself depends on would be left out: the condition has it reckoned. The message depends
    # on it too, or DuckDB would raise the error before there is a row.
    reached = exp.Anonymous(this="CONCAT", expressions=[exp.Literal.string(_REACHED), exp.cast(before, "STRING")])
    failed = exp.Anonymous(this="ERROR", expressions=[reached])
    within = exp.LT(this=before.copy(), expression=exp.Literal.number(MOST_ITERATIONS))
    goes_on = exp.Anonymous(this="IF", expressions=[within, exp.true(), failed])
    made.expression.where(goes_on, copy=False)
    after = exp.Add(this=before.copy(), expression=exp.Literal.number(1))
    made.expression.append("expressions", exp.alias_(after, COUNTER))
    anchor = exp.Subquery(this=made.this, alias=exp.TableAlias(this=exp.to_identifier("_anchor")))
    made.set("this", exp.select(exp.Star(), exp.alias_(exp.Literal.number(0), COUNTER)).from_(anchor))
    return made


def _sources(select: exp.Select) -> list[exp.Expr]:
    clause = select.args.get("from_")
    first = [clause.this] if clause is not None else []
    return first + [join.this for join in select.args.get("joins") or []]


def _is_named(node: exp.Expr, name: str) -> bool:
    return isinstance(node, exp.Table) and not node.db and node.name.lower() == name.lower()
