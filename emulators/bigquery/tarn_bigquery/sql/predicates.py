"""What a query needs of a table: the conditions that leave files out, and the columns that it uses."""

from sqlglot import exp


def partition_predicates(node: exp.Expr) -> list[exp.Expr]:
    """The conjuncts of the WHERE clause around a table that may touch it.

    They name columns as `alias.column` or bare. The scan uses those that are about its partition keys alone;
    the query itself applies all of them again, so a conjunct that is missed here costs time and never rows.
    """
    select = node.find_ancestor(exp.Select)
    if select is None or not _is_filtered(node, select):
        return []
    where = select.args.get("where")
    if where is None:
        return []
    return conjuncts_about(where.this, node.alias_or_name)


def conjuncts_about(condition: exp.Expr, alias: str) -> list[exp.Expr]:
    """Copies of the conjuncts of a condition whose columns are a table's, or may be: those that are bare."""
    condition = condition.unnest()
    conjuncts = list(condition.flatten()) if isinstance(condition, exp.And) else [condition]
    return [c.copy() for c in conjuncts if _is_about(c, alias.lower())]


def _is_filtered(node: exp.Expr, select: exp.Select) -> bool:
    """Whether the WHERE clause applies to the table's own rows: it stands in FROM, or in an inner join."""
    parent = node.parent
    if isinstance(parent, exp.From):
        joins = select.args.get("joins") or []
        return parent.parent is select and not any(join.side in {"RIGHT", "FULL"} for join in joins)
    return isinstance(parent, exp.Join) and parent.parent is select and not parent.side


def _is_about(condition: exp.Expr, alias: str) -> bool:
    if condition.find(exp.Subquery, exp.Select):
        return False
    columns = list(condition.find_all(exp.Column))
    return bool(columns) and all(not c.table or c.table.lower() == alias for c in columns)


def columns_used(node: exp.Table) -> frozenset[str] | None:
    """The names of columns, in lower case, that the query around a table may use; None where it may use all.

    Names of other tables' columns are among them: only those that the table has count.
    """
    select = node.find_ancestor(exp.Select)
    if select is None or any(_is_star(star) for star in select.find_all(exp.Star)):
        return None
    columns = list(select.find_all(exp.Column))
    alias = node.alias_or_name.lower()
    if any(not column.table and column.name.lower() == alias for column in columns):
        # The whole row, used as a value.
        return None
    # A column may be written `field.inner`, where its name stands in the place of a table's.
    return frozenset(part.name.lower() for column in columns for part in column.parts)


def columns_named(node: exp.Table) -> frozenset[str] | None:
    """Every name, in lower case, that the query around a table mentions; None where it uses columns unnamed.

    A column that is not among them cannot be asked of the table: the columns of USING and an array that stands in FROM
    are, which `columns_used` does not count. A table that is a function's argument gives all of its columns.
    """
    select = node.find_ancestor(exp.Select)
    if select is None or not isinstance(node.parent, exp.From | exp.Join):
        return None
    if columns_used(node) is None or select.find(exp.Pivot):
        return None
    return frozenset(identifier.name.lower() for identifier in select.find_all(exp.Identifier))


def _is_star(star: exp.Expr) -> bool:
    # The star of COUNT(*) asks for no column.
    return not isinstance(star.parent, exp.Anonymous)
