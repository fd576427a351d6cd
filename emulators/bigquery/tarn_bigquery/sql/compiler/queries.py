"""Queries compiled: SELECT with all its clauses, set operations, common table expressions."""

from dataclasses import dataclass, field, replace

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler import recursion, windows
from tarn_bigquery.sql.compiler.by_name import matched_by_name
from tarn_bigquery.sql.compiler.casts import cast
from tarn_bigquery.sql.compiler.clauses import check_clauses, check_columns
from tarn_bigquery.sql.compiler.compiled import Compiled
from tarn_bigquery.sql.compiler.environment import Cte, Environment, not_supported
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.grouping import Grouping, aggregates
from tarn_bigquery.sql.compiler.kinds import INT64, NULL, STRING, Type, named_fields, supertype
from tarn_bigquery.sql.compiler.scope import Column, Relation, Scope, member
from tarn_bigquery.sql.compiler.values import TIME_NAMES, Value, coerce, coerced, settled, struct, text

_SET_OPERATORS = {exp.Union: "UNION", exp.Intersect: "INTERSECT", exp.Except: "EXCEPT"}


@dataclass(frozen=True)
class Item:
    """One column of a SELECT list. `named` is whether the query gives it the name."""

    name: str
    value: Value
    named: bool = True

    @property
    def sql(self) -> str:
        return f"{self.value.sql} AS {quote(self.name)}"


def compile_query(node: exp.Expr, env: Environment, outer: Scope | None = None) -> Compiled:
    """A query compiled. `outer` is the scope that a correlated query sees."""
    ctes, env = _with(node, env, outer)
    if isinstance(node, exp.Subquery):
        compiled = _parenthesized(node, env, outer)
    elif isinstance(node, exp.SetOperation):
        compiled = _set_operation(node, env, outer)
    elif isinstance(node, exp.Select):
        compiled = _Select(node, env, outer).compile()
    else:
        raise not_supported(node)
    return replace(compiled, sql=f"{ctes}{compiled.sql}")


def result(compiled: Compiled) -> Compiled:
    """A query as a job's result: every column has a name of its own and a type that a column can have."""
    if compiled.is_value_table and compiled.columns[0][1].name == "STRUCT":
        compiled = _unpacked(compiled)
    names = _distinct_names([name for name, _ in compiled.columns])
    kinds = [kind for _, kind in compiled.columns]
    arrays = any(kind.name == "ARRAY" for kind in kinds)
    if names == [n for n, _ in compiled.columns] and all(_is_settled(kind) for kind in kinds) and not arrays:
        return compiled
    aliases = [f"c{i}" for i in range(len(names))]
    values = [settled(Value(alias, kind)) for alias, kind in zip(aliases, kinds, strict=True)]
    listed = ", ".join(f"{_complete(v, n)} AS {quote(n)}" for v, n in zip(values, names, strict=True))
    sql = f"SELECT {listed} FROM ({compiled.sql}) AS result({', '.join(aliases)})"  # noqa: S608
    return Compiled(sql, [(name, value.type) for name, value in zip(names, values, strict=True)])


def _complete(value: Value, name: str) -> str:
    """SQL for a column of the result, which must not be an array with a NULL in it."""
    return f"googlesql.without_null({value.sql}, {text(name)})" if value.type.name == "ARRAY" else value.sql


def _is_settled(kind: Type) -> bool:
    return kind != NULL and kind.element != NULL and all(_is_settled(inner) for _, inner in kind.fields)


def _unpacked(compiled: Compiled) -> Compiled:
    fields = named_fields(compiled.columns[0][1])
    listed = ", ".join(f"struct_extract(v, {text(name)}) AS {quote(name)}" for name, _ in fields)
    return Compiled(f"SELECT {listed} FROM ({compiled.sql}) AS result(v)", fields)  # noqa: S608


def _distinct_names(names: list[str]) -> list[str]:
    """The names with `_1`, `_2` behind those that have been before."""
    taken: dict[str, int] = {}
    distinct = []
    for name in names:
        count = taken.get(name.lower(), 0)
        taken[name.lower()] = count + 1
        distinct.append(f"{name}_{count}" if count else name)
    return distinct


def _with(node: exp.Expr, env: Environment, outer: Scope | None) -> tuple[str, Environment]:
    clause = node.args.get("with_")
    if clause is None:
        return "", env
    written = []
    seen: set[str] = set()
    for item in clause.expressions:
        name, query = item.alias, item.this
        if name.lower() in seen:
            raise env.wrong(f"Duplicate alias {name} for WITH subquery", item.args["alias"])
        seen.add(name.lower())
        env_inside = env
        hidden: tuple[tuple[str, Type], ...] = ()
        if clause.recursive and isinstance(query, exp.Union):
            anchor = compile_query(query.this, env, outer)
            counting = None if anchor.is_value_table else recursion.counted(query, name)
            hidden = recursion.HIDDEN if counting is not None else ()
            query = counting or query
            columns = [(n, settled(Value("x", k)).type) for n, k in anchor.columns]
            env_inside = env.with_cte(Cte(name, columns, hidden))
        compiled = compile_query(query, env_inside, outer)
        names = [column.name for column in item.args["alias"].columns] or [n for n, _ in compiled.columns]
        kinds = [kind for _, kind in compiled.columns]
        if hidden:
            names, kinds = names[: len(kinds) - 1], kinds[:-1]
        if compiled.is_value_table and kinds[0].name == "STRUCT":
            compiled = _unpacked(compiled)
            names, kinds = [n for n, _ in compiled.columns], [k for _, k in compiled.columns]
        env = env.with_cte(Cte(name, list(zip(names, kinds, strict=True))))
        listed = ", ".join(quote(column) for column in _distinct_names([*names, *(n for n, _ in hidden)]))
        written.append(f"{quote(name)}({listed}) AS ({compiled.sql})")
    return f"WITH {'RECURSIVE ' if clause.recursive else ''}{', '.join(written)} ", env


def _parenthesized(node: exp.Subquery, env: Environment, outer: Scope | None) -> Compiled:
    inner = compile_query(node.this, env, outer)
    tail = _tail(node, inner, env, outer)
    return replace(inner, sql=f"SELECT * FROM ({inner.sql}) AS q{tail}") if tail else inner  # noqa: S608


def _operator(node: exp.SetOperation) -> tuple[type[exp.Expr], bool]:
    """Which operator it is, and whether it is DISTINCT."""
    return type(node), bool(node.args.get("distinct"))


def _set_operation(node: exp.SetOperation, env: Environment, outer: Scope | None) -> Compiled:
    before = node.this
    if isinstance(before, exp.SetOperation) and _operator(before) != _operator(node):
        raise env.wrong(
            "Syntax error: Different set operations cannot be used in the same query without using parentheses for "
            "grouping",
            node.expression,
        )
    operands = [compile_query(operand, env, outer) for operand in (node.left, node.right)]
    if node.args.get("by_name"):
        operands = matched_by_name(node, operands[0], operands[1], env)
    widths = [len(operand.columns) for operand in operands]
    name = _SET_OPERATORS[type(node)]
    if name != "UNION" and not node.args.get("distinct"):
        raise env.wrong(f"{name} ALL is not supported", node.right)
    word = f"{name} {'DISTINCT' if node.args.get('distinct') else 'ALL'}"
    if widths[0] != widths[1]:
        raise env.wrong(f"Queries in {word} have mismatched column count; query 1 has {_counted(widths[0])}, "
                        f"query 2 has {_counted(widths[1])}", node.right)  # fmt: skip
    columns = []
    for i, ((column, left), (_, right)) in enumerate(zip(*(o.columns for o in operands), strict=True)):
        kind = _united([left, right], [i in operand.texts for operand in operands])
        if kind is None:
            raise env.wrong(f"Column {i + 1} in {word} has incompatible types: {left}, {right}", node.right)
        columns.append((column, kind))
    sides = [_as_types(operand, [kind for _, kind in columns]) for operand in operands]
    operator = name if node.args.get("distinct") else f"{name} ALL"
    texts = operands[0].texts & operands[1].texts
    compiled = Compiled(f"({sides[0]}) {operator} ({sides[1]})", columns, operands[0].is_value_table, texts)
    tail = _tail(node, compiled, env, outer)
    return replace(compiled, sql=f"SELECT * FROM ({compiled.sql}) AS q{tail}") if tail else compiled  # noqa: S608


def _counted(columns: int) -> str:
    return f"{columns} column{'' if columns == 1 else 's'}"


def _united(kinds: list[Type], are_texts: list[bool]) -> Type | None:
    """The type of a column of a set operation: where literal texts meet dates or times, they become such."""
    times = [kind for kind, is_text in zip(kinds, are_texts, strict=True) if not is_text and kind.name in TIME_NAMES]
    return times[0] if any(are_texts) and times else supertype(kinds)


def _as_types(query: Compiled, kinds: list[Type]) -> str:
    if [kind for _, kind in query.columns] == kinds:
        return query.sql
    aliases = [f"c{i}" for i in range(len(kinds))]
    values = (_as_type(Value(a, k), to).sql for a, (_, k), to in zip(aliases, query.columns, kinds, strict=True))
    listed = ", ".join(f"{v} AS {quote(n)}" for v, (n, _) in zip(values, query.columns, strict=True))
    return f"SELECT {listed} FROM ({query.sql}) AS q({', '.join(aliases)})"  # noqa: S608


def _as_type(value: Value, kind: Type) -> Value:
    from_text = cast(value, kind) if value.type == STRING and kind.name in TIME_NAMES else None
    return from_text or coerced(value, kind)


def _tail(node: exp.Expr, query: Compiled, env: Environment, outer: Scope | None) -> str:
    """ORDER BY, LIMIT and OFFSET behind a query whose columns are already there."""
    columns = [Column(name, kind, quote(name)) for name, kind in query.columns]
    scope = Scope([Relation("q", columns)], outer)
    compiler = Expressions(scope, env)
    parts = ""
    if (order := node.args.get("order")) is not None:
        parts += f" ORDER BY {', '.join(_order_key(compiler, key, []) for key in order.expressions)}"
    return parts + _limit(compiler, node)


def _order_key(compiler: Expressions, key: exp.Ordered, items: list[Item]) -> str:
    inner = key.this
    if isinstance(inner, exp.Literal) and not inner.is_string:
        if items and not 1 <= int(inner.this) <= len(items):
            raise compiler.env.wrong(f"ORDER BY is out of SELECT column number range: {inner.this}", inner)
        return f"{inner.this}{windows.direction(key)}"
    if isinstance(inner, exp.Column) and not inner.table:
        meant = {item.value.sql for item in items if item.name.lower() == inner.name.lower()}
        if len(meant) > 1:
            raise compiler.env.wrong(f"Column name {inner.name} is ambiguous", inner)
    value = compiler.value(inner)
    windows.check_order(compiler, value, inner)
    written = value.sql
    position = next((i for i, item in enumerate(items, 1) if item.value.sql == written), None)
    return f"{position or written}{windows.direction(key)}"


def _limit(compiler: Expressions, node: exp.Expr) -> str:
    parts = ""
    for name, word in (("limit", "LIMIT"), ("offset", "OFFSET")):
        clause = node.args.get(name)
        if clause is None:
            continue
        # A limit is about no row: it sees no column.
        value = Expressions(Scope(), compiler.env).value(clause.expression)
        count = coerce(value, INT64)
        if count is None:
            raise compiler.env.wrong(f"LIMIT ... OFFSET ... expects INT64, got {value.type}", clause.expression)
        parts += f" {word} {count.sql}"
    return parts


@dataclass
class _Select:
    node: exp.Select
    env: Environment
    outer: Scope | None
    scope: Scope = field(init=False)

    def __post_init__(self) -> None:
        self.scope = Scope(outer=self.outer)

    def compile(self) -> Compiled:
        from tarn_bigquery.sql.compiler.sources import compile_from

        check_clauses(self.node, self.env)
        source = compile_from(self.node, self.scope, self.env)
        compiler = Expressions(self.scope, self.env)
        where = self._condition("where", compiler, "WHERE")
        items = self._items(compiler)
        check_columns(self.node, self.env)
        after = Expressions(self._scope_of_aliases(items), self.env)
        distinct = "DISTINCT " if self.node.args.get("distinct") else ""
        kind = (self.node.args.get("kind") or "").upper()
        columns = [(item.name, item.value.type) for item in items]
        if kind == "STRUCT":
            row = struct([(item.name if item.named else "", item.value) for item in items])
            columns, listed = [("_value", row.type)], f"{row.sql} AS {quote('_value')}"
        else:
            listed = ", ".join(item.sql for item in items)
        order = self._order(after, items)
        having = self._condition("having", after, "HAVING")
        self._require_grouped(compiler, after, items)
        sql = (
            f"SELECT {distinct}{listed}{source}{where}{self._group(after, items)}"
            f"{having}{self._windows(compiler)}"
            f"{self._condition('qualify', after, 'QUALIFY')}{order}{_limit(compiler, self.node)}"
        )
        texts = {i for i, item in enumerate(items) if item.value.type == STRING and item.value.literal is not None}
        return Compiled(sql, columns, bool(kind), frozenset() if kind else frozenset(texts))

    def _condition(self, name: str, compiler: Expressions, word: str) -> str:
        clause = self.node.args.get(name)
        return f" {word} {compiler.condition(clause.this, word)}" if clause is not None else ""

    def _items(self, compiler: Expressions) -> list[Item]:
        items: list[Item] = []
        for node in self.node.expressions:
            found = self._expanded(compiler, node)
            if found is None:
                name = _name_of(node)
                value = compiler.value(node.this if isinstance(node, exp.Alias) else node)
                found = [Item(name, value, named=bool(name))]
            items += found
        unnamed = 0
        for i, item in enumerate(items):
            if not item.name:
                items[i] = replace(item, name=f"f{unnamed}_", named=False)
                unnamed += 1
        return items

    def _expanded(self, compiler: Expressions, node: exp.Expr) -> list[Item] | None:
        """The columns of `*`, `relation.*` or `struct.*`; None for anything else."""
        if isinstance(node, exp.Star):
            if not self.scope.relations:
                raise self.env.wrong("SELECT * must have a FROM clause", node)
            return self._adjusted(compiler, node, self._all_columns())
        star = node.this if isinstance(node, exp.Column) else node.args.get("expression")
        if not isinstance(star, exp.Star) or not isinstance(node, exp.Column | exp.Dot):
            return None
        owner = node.args.get("table") if isinstance(node, exp.Column) else None
        relation = self.scope.find_relation(owner.name) if owner is not None and not node.args.get("db") else None
        if relation is not None:
            return self._adjusted(compiler, star, [Item(c.name, Value(c.sql, c.type)) for c in relation.visible])
        path = node.this if isinstance(node, exp.Dot) else _path_of(node)
        return self._adjusted(compiler, star, self._fields(compiler, path))

    def _fields(self, compiler: Expressions, node: exp.Expr) -> list[Item]:
        value = compiler.value(node)
        if value.type.name != "STRUCT":
            raise self.env.wrong(f"Dot-star is not supported for type {value.type}", node)
        found = ((name, member(value, name)) for name, _ in named_fields(value.type))
        return [Item(name, inner) for name, inner in found if inner is not None]

    def _all_columns(self) -> list[Item]:
        merged = [Item(name, value) for name, value in self.scope.merged.items()]
        seen = {name.lower() for name in self.scope.merged}
        rest = [
            Item(column.name, Value(column.sql, column.type))
            for relation in self.scope.relations
            for column in relation.visible
            if column.name.lower() not in seen
        ]
        return merged + rest

    def _adjusted(self, compiler: Expressions, star: exp.Expr, items: list[Item]) -> list[Item]:
        """A star's columns after EXCEPT and REPLACE."""
        left_out = {column.name.lower() for column in star.args.get("except_") or []}
        known = {item.name.lower() for item in items}
        for name in left_out - known:
            raise self.env.wrong(f"Column {name} in SELECT * EXCEPT list does not exist", star)
        renamed = {node.this.name.lower(): node.alias for node in _renamings(star)}
        for name in set(renamed) - known:
            raise self.env.wrong(f"Column {name} in RENAME does not exist", star)
        replaced = {node.alias.lower(): compiler.value(node.this) for node in star.args.get("replace") or []}
        for name in set(replaced) - known:
            raise self.env.wrong(f"Column {name} in SELECT * REPLACE list does not exist", star)
        kept = (item for item in items if item.name.lower() not in left_out)
        adjusted = [
            replace(item, name=renamed.get(key, item.name), value=replaced.get(key, item.value))
            for item in kept
            for key in [item.name.lower()]
        ]
        if not adjusted:
            raise self.env.wrong("SELECT * expands to zero columns after applying EXCEPT", star)
        return adjusted

    def _scope_of_aliases(self, items: list[Item]) -> Scope:
        """The scope of GROUP BY, HAVING, QUALIFY and ORDER BY, which see the SELECT list's names first."""
        aliases = {item.name.lower(): Value(item.value.sql, item.value.type) for item in items if item.named}
        return Scope(self.scope.relations, self.outer, self.scope.merged, aliases, self.scope.values)

    def _group(self, compiler: Expressions, items: list[Item]) -> str:
        clause = self.node.args.get("group")
        if clause is None:
            return ""
        if clause.args.get("all"):
            return " GROUP BY ALL"
        keys = [*clause.expressions]
        for name in ("rollup", "cube", "grouping_sets"):
            keys += clause.args.get(name) or []
        return f" GROUP BY {', '.join(self._group_key(compiler, key, items) for key in keys)}"

    def _group_key(self, compiler: Expressions, key: exp.Expr, items: list[Item]) -> str:
        words: dict[type[exp.Expr], str] = {exp.Rollup: "ROLLUP", exp.Cube: "CUBE", exp.GroupingSets: "GROUPING SETS"}
        if type(key) in words:
            inner = ", ".join(self._group_key(compiler, item, items) for item in key.expressions)
            return f"{words[type(key)]} ({inner})"
        if isinstance(key, exp.Tuple):
            return f"({', '.join(self._group_key(compiler, item, items) for item in key.expressions)})"
        if isinstance(key, exp.Paren):
            return self._group_key(compiler, key.this, items)
        if isinstance(key, exp.Literal) and not key.is_string:
            position = int(key.this)
            if not 1 <= position <= len(items):
                raise self.env.wrong(f"GROUP BY is out of SELECT column number range: {position}", key)
            return items[position - 1].value.sql
        return compiler.value(key).sql

    def _require_grouped(self, compiler: Expressions, after: Expressions, items: list[Item]) -> None:
        """Raises ApiError `invalidQuery` for a column that differs among the rows of a group."""
        clause = self.node.args.get("group")
        if clause is None and not aggregates(self.node):
            return
        if clause is not None and clause.args.get("all"):
            return
        keys = self._key_nodes(clause) if clause is not None else []
        grouping = Grouping(frozenset(self._group_key(after, key, items) for key in keys))
        for node in self.node.expressions:
            if (columns := self._expanded(compiler, node)) is not None:
                grouping.require_star(self.env, node, [(item.name, item.value.sql) for item in columns])
            else:
                grouping.require(compiler, node.unalias(), "SELECT list")
        for name, word in (("having", "HAVING clause"), ("order", "ORDER BY clause")):
            for node in _expressions_of(self.node.args.get(name)):
                grouping.require(after, node, word)

    def _key_nodes(self, node: exp.Expr) -> list[exp.Expr]:
        """The single keys in a GROUP BY, those in ROLLUP, CUBE and GROUPING SETS among them."""
        if not isinstance(node, exp.Group | exp.Rollup | exp.Cube | exp.GroupingSets | exp.Tuple | exp.Paren):
            return [node]
        inner = [node.this] if isinstance(node, exp.Paren) else [*node.expressions]
        for name in ("rollup", "cube", "grouping_sets"):
            inner += node.args.get(name) or []
        return [key for item in inner for key in self._key_nodes(item)]

    def _windows(self, compiler: Expressions) -> str:
        named = self.node.args.get("windows")
        return f" WINDOW {', '.join(windows.definition(compiler, w) for w in named)}" if named else ""

    def _order(self, compiler: Expressions, items: list[Item]) -> str:
        clause = self.node.args.get("order")
        if clause is None:
            return ""
        is_struct = (self.node.args.get("kind") or "").upper() == "STRUCT"
        if self.node.args.get("distinct"):
            self._require_visible(compiler, clause, items)
        keys = [_order_key(compiler, key, [] if is_struct else items) for key in clause.expressions]
        return f" ORDER BY {', '.join(keys)}"

    def _require_visible(self, compiler: Expressions, order: exp.Order, items: list[Item]) -> None:
        """Raises ApiError `invalidQuery` for a key whose column SELECT DISTINCT does not give."""
        given = {item.value.sql for item in items}
        for column in order.find_all(exp.Column):
            if compiler.value(column).sql not in given and column.find_ancestor(exp.Query) is self.node:
                raise self.env.wrong(
                    f"ORDER BY clause expression references column {column.name} which is not visible after SELECT "
                    "DISTINCT",
                    column,
                )


def _expressions_of(clause: exp.Expr | None) -> list[exp.Expr]:
    """What stands in a HAVING or an ORDER BY."""
    if clause is None:
        return []
    return [clause.this] if isinstance(clause, exp.Having) else [key.this for key in clause.expressions]


def _renamings(star: exp.Expr) -> list[exp.Alias]:
    """What the pipe operator RENAME says of the columns of a star."""
    return star.args.get("rename") or []


def _name_of(node: exp.Expr) -> str:
    """The name that a SELECT list's expression has by itself, or '' where it has none."""
    if isinstance(node, exp.Alias | exp.Column):
        return node.alias or node.name
    if isinstance(node, exp.Dot) and isinstance(node.expression, exp.Identifier):
        return node.expression.name
    return ""


def _path_of(star: exp.Column) -> exp.Expr:
    """The expression in front of `.*`."""
    parts = [part.copy() for part in star.parts[:-1]]
    names = dict(zip(("this", "table", "db", "catalog"), reversed(parts), strict=False))
    return exp.Column(**names)
