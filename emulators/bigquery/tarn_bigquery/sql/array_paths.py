"""Arrays in FROM that are written as paths: `FROM t, t.tags AS tag` is `FROM t, UNNEST(t.tags) AS tag`.

https://cloud.google.com/bigquery/docs/reference/standard-sql/query-syntax#implicit_unnesting
"""

from collections.abc import Iterator

from sqlglot import exp


def unnest_array_paths(tree: exp.Expr) -> None:
    """Put UNNEST in the place of every path in FROM that begins with what stands in a FROM around it, or before it."""
    for node in list(tree.find_all(exp.Table)):
        if len(node.parts) > 1 and node.parts[0].name.lower() in set(_names_seen_by(node)):
            node.replace(unnest_of(node))


def unnest_of(path: exp.Table) -> exp.Unnest:
    """UNNEST of the array that a path names. Its alias is the one that is written, else the last part."""
    names = ("this", "table", "db", "catalog")
    column = exp.Column(**dict(zip(names, (part.copy() for part in reversed(path.parts)), strict=False)))
    alias = exp.TableAlias(columns=[exp.to_identifier(path.alias_or_name, quoted=True)])
    unnest = exp.Unnest(expressions=[column], alias=alias, offset=False)
    if path.args.get("joins"):
        unnest.set("joins", path.args["joins"])
    return unnest


def _names_seen_by(node: exp.Table) -> Iterator[str]:
    below: exp.Expr = node
    above = node.parent
    while above is not None:
        if isinstance(above, exp.Select | exp.Update):
            for source in _sources(above):
                if below in (source, source.parent) or source.find_ancestor(exp.Join) is below:
                    break
                yield _name(source)
        elif isinstance(above, exp.Delete) and isinstance(above.this, exp.Table):
            yield _name(above.this)
        below, above = above, above.parent


def _sources(query: exp.Expr) -> Iterator[exp.Expr]:
    """What stands in the FROM of a query, or is the target of an UPDATE, from left to right."""
    if isinstance(query, exp.Update):
        yield query.this
    clause = query.args.get("from_")
    if clause is not None:
        yield clause.this
        yield from (join.this for join in clause.this.args.get("joins") or [])
    yield from (join.this for join in query.args.get("joins") or [])


def _name(source: exp.Expr) -> str:
    alias = source.args.get("alias")
    if isinstance(source, exp.Unnest):
        return alias.columns[0].name.lower() if alias is not None and alias.columns else ""
    return source.alias_or_name.lower()
