"""Pipe syntax, `FROM t |> WHERE x |> SELECT y`, as plain queries: one SELECT around another.

https://cloud.google.com/bigquery/docs/reference/standard-sql/pipe-syntax
"""

from collections.abc import Callable
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import TokenType

# What a SELECT may have and still take a WHERE or a JOIN behind a pipe: nothing that comes after those.
_OPEN = {"expressions", "from_", "joins", "where", "with_"}


def _is_open(query: exp.Expr) -> bool:
    return (
        isinstance(query, exp.Select)
        and all(query.args.get(name) in (None, []) for name in set(query.args) - _OPEN)
        and [type(item) for item in query.expressions] == [exp.Star]
        and not any(query.expressions[0].args.values())
        and query.args.get("from_") is not None
    )


def _around(query: exp.Query, alias: str = "") -> exp.Select:
    """`SELECT * FROM (query)`. The one alias that the query has stays in reach; its WITH clause moves outside."""
    ctes = query.args.get("with_")
    if ctes is not None:
        ctes.pop()
    name = alias or _only_alias(query)
    outer = exp.select("*").from_(query.subquery(name or None, copy=False), copy=False)
    if ctes is not None:
        outer.set("with_", ctes)
    return outer


def _only_alias(query: exp.Expr) -> str:
    source = query.args.get("from_")
    if source is None or query.args.get("joins") or query.args.get("group"):
        return ""
    return str(source.this.alias_or_name) if isinstance(source.this, exp.Table | exp.Subquery) else ""


class PipeParser(BigQueryParser):
    """Reads the operators behind `|>`."""

    def _parse_pipe_syntax_query(self, query: exp.Query) -> exp.Query | None:
        current: exp.Query = query if isinstance(query, exp.Select) else _around(query)
        while self._match(TokenType.PIPE_GT):
            current = self._pipe(current)
        return current

    def _pipe(self, query: exp.Query) -> exp.Query:
        reader = self._PIPES.get(" ".join(self._curr.text.upper().split()))
        if reader is not None:
            self._advance()
            return reader(self, query)
        joined = self._pipe_set_operation(query) or self._pipe_join(query)
        if joined is None:
            self.raise_error(f"Unsupported pipe operator {self._curr.text}")
            return query
        return joined

    def _pipe_where(self, query: exp.Query) -> exp.Query:
        return _opened(query).where(self._parse_disjunction(), copy=False)

    def _pipe_select(self, query: exp.Query) -> exp.Query:
        self._retreat(self._index - 1)
        written = self._parse_select(consume_pipe=False, parse_set_operation=False)
        if not isinstance(written, exp.Select) or written.args.get("from_") is not None:
            self.raise_error("Unexpected FROM behind SELECT")
            return query
        outer = _opened(query)
        for name in ("expressions", "distinct", "kind", "windows"):
            outer.set(name, written.args.get(name))
        return outer

    def _pipe_extend(self, query: exp.Query) -> exp.Query:
        outer = _opened(query)
        outer.set("expressions", [exp.Star(), *self._parse_expressions()])
        return outer

    def _pipe_star(self, query: exp.Query, **changes: list[exp.Expr]) -> exp.Query:
        outer = _around(query)
        outer.set("expressions", [exp.Star(**changes)])
        return outer

    def _pipe_set(self, query: exp.Query) -> exp.Query:
        return self._pipe_star(query, replace=self._parse_csv(self._assignment))

    def _assignment(self) -> exp.Expr | None:
        name = self._parse_id_var()
        if not self._match(TokenType.EQ):
            self.raise_error("Expected =")
        return exp.Alias(this=self._parse_disjunction(), alias=name)

    def _pipe_drop(self, query: exp.Query) -> exp.Query:
        return self._pipe_star(query, except_=self._parse_csv(self._parse_id_var))

    def _pipe_rename(self, query: exp.Query) -> exp.Query:
        return self._pipe_star(query, rename=self._parse_csv(self._renaming))

    def _renaming(self) -> exp.Expr | None:
        column = self._parse_column()
        self._match(TokenType.ALIAS)
        return exp.Alias(this=column, alias=self._parse_id_var())

    def _pipe_as(self, query: exp.Query) -> exp.Query:
        name = self._parse_id_var()
        return _around(query, name.name if name is not None else "")

    def _pipe_aggregate(self, query: exp.Query) -> exp.Query:
        outer = _opened(query)
        orders: list[exp.Expr] = []
        aggregates = [] if self._at_grouping() else self._parse_csv(lambda: self._aggregate_item(orders))
        keys: list[exp.Expr] = []
        ordered = self._match_text_seq("GROUP", "AND") and self._match(TokenType.ORDER_BY)
        if ordered or self._match(TokenType.GROUP_BY):
            key_orders: list[exp.Expr] = []
            keys = self._parse_csv(lambda: self._aggregate_item(key_orders, always=bool(ordered)))
            orders = key_orders + orders
        outer.set("expressions", [*keys, *aggregates])
        if keys:
            outer.group_by(*[exp.Literal.number(i) for i in range(1, len(keys) + 1)], copy=False)
        return outer if not orders else _around(outer).order_by(*orders, copy=False)

    def _at_grouping(self) -> bool:
        return self._curr.token_type == TokenType.GROUP_BY or self._curr.text.upper() == "GROUP"

    def _aggregate_item(self, orders: list[exp.Expr], *, always: bool = False) -> exp.Expr | None:
        """An expression with its alias. A direction behind it, or `always`, makes it a key of the order."""
        item = self._parse_disjunction()
        if not (self._curr.text.upper() == "GROUP" and self._next and self._next.text.upper() == "AND"):
            item = self._parse_alias(item)
        if item is not None and (always or self._curr.token_type in {TokenType.ASC, TokenType.DESC}):
            name = item.alias_or_name
            key = self._parse_ordered(lambda: exp.column(exp.to_identifier(name)))
            if key is not None:
                orders.append(key)
        return item

    def _pipe_distinct(self, query: exp.Query) -> exp.Query:
        outer = _around(query)
        outer.set("distinct", exp.Distinct())
        return outer

    def _pipe_order(self, query: exp.Query) -> exp.Query:
        outer = _opened(query)
        outer.set("order", exp.Order(expressions=self._parse_csv(self._parse_ordered)))
        return outer

    def _pipe_limit(self, query: exp.Query) -> exp.Query:
        taken = query.args.get("limit") is not None or query.args.get("offset") is not None
        outer = _around(query) if taken else query
        outer.set("limit", exp.Limit(expression=self._parse_disjunction()))
        if self._match(TokenType.OFFSET):
            outer.set("offset", exp.Offset(expression=self._parse_disjunction()))
        return outer

    def _pipe_pivot(self, query: exp.Query) -> exp.Query:
        self._retreat(self._index - 1)
        outer = _around(query)
        outer.args["from_"].this.set("pivots", self._parse_pivots())
        return outer

    def _pipe_sample(self, query: exp.Query) -> exp.Query:
        self._retreat(self._index - 1)
        outer = _opened(query)
        outer.args["from_"].this.set("sample", self._parse_table_sample())
        return outer

    def _pipe_with(self, query: exp.Query) -> exp.Query:
        outer = _around(query)
        recursive = bool(self._match(TokenType.RECURSIVE))
        known = outer.args.get("with_")
        ctes = [*(known.expressions if known is not None else []), *self._parse_csv(self._parse_cte)]
        outer.set("with_", exp.With(expressions=ctes, recursive=recursive))
        return outer

    def _pipe_set_operation(self, query: exp.Query) -> exp.Query | None:
        start = self._index
        first = self.parse_set_operation(exp.select("*"))
        if first is None:
            self._retreat(start)
            return None
        ctes = query.args.get("with_")
        if ctes is not None:
            ctes.pop()
        result: exp.Query = query.subquery(copy=False)
        operands = [first.expression, *(self._parse_csv(self._parse_paren) if self._match(TokenType.COMMA) else [])]
        for operand in operands:
            arguments = {**first.args, "this": result, "expression": operand}
            result = type(first)(**arguments)
        outer = _around(result)
        if ctes is not None:
            outer.set("with_", ctes)
        return outer

    def _pipe_join(self, query: exp.Query) -> exp.Query | None:
        join = self._parse_join()
        if join is None:
            return None
        outer = _opened(query) if query.args.get("where") is None else _around(query)
        outer.append("joins", join)
        return outer

    _PIPES: ClassVar[dict[str, Callable[[Any, exp.Query], exp.Query]]] = {
        "WHERE": _pipe_where,
        "SELECT": _pipe_select,
        "EXTEND": _pipe_extend,
        "WINDOW": _pipe_extend,
        "SET": _pipe_set,
        "DROP": _pipe_drop,
        "RENAME": _pipe_rename,
        "AS": _pipe_as,
        "AGGREGATE": _pipe_aggregate,
        "DISTINCT": _pipe_distinct,
        "ORDER BY": _pipe_order,
        "LIMIT": _pipe_limit,
        "PIVOT": _pipe_pivot,
        "UNPIVOT": _pipe_pivot,
        "TABLESAMPLE": _pipe_sample,
        "WITH": _pipe_with,
    }


def _opened(query: exp.Query) -> exp.Select:
    """The query itself where it can still take more clauses, else one around it."""
    return query if isinstance(query, exp.Select) and _is_open(query) else _around(query)
