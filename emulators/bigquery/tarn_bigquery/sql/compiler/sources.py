"""What stands in FROM: tables, subqueries, arrays, table functions, and their joins."""

from dataclasses import replace

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.catalog.partitions import COMPUTED
from tarn_bigquery.sql.compiler import operators, pivots
from tarn_bigquery.sql.compiler.calls import bind_arguments
from tarn_bigquery.sql.compiler.compiled import Compiled
from tarn_bigquery.sql.compiler.environment import Environment, not_supported
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.functions import ranges
from tarn_bigquery.sql.compiler.functions.unsupported import unsupported_function
from tarn_bigquery.sql.compiler.kinds import INT64, NULL, Type, named_fields, of_field
from tarn_bigquery.sql.compiler.queries import compile_query
from tarn_bigquery.sql.compiler.scope import Column, Relation, Scope
from tarn_bigquery.sql.compiler.values import Value, text
from tarn_bigquery.sql.types import Field

# Where a table's node carries the fields of its schema, and those that `*` leaves out.
FIELDS = "fields"
HIDDEN_FIELDS = "hidden_fields"


def compile_from(node: exp.Expr, scope: Scope, env: Environment) -> str:
    """The FROM clause of a query, ` FROM ...` or nothing. Its relations go into the scope."""
    clause = node.args.get("from_")
    if clause is None:
        return ""
    return f" FROM {Sources(scope, env).all_of(clause.this, node.args.get('joins') or [])}"


class Sources:
    """Compiles the items of one FROM clause, from left to right, into one scope."""

    def __init__(self, scope: Scope, env: Environment) -> None:
        self.scope = scope
        self.env = env

    def all_of(self, first: exp.Expr, joins: list[exp.Join]) -> str:
        sql = self.one(first)
        for join in [*(first.args.get("joins") or []), *joins]:
            sql += self._join(join)
        return sql

    def one(self, node: exp.Expr) -> str:
        """One item without its joins. Its relations are added to the scope."""
        if isinstance(node, exp.Subquery) and isinstance(node.this, exp.Table | exp.Unnest):
            return f"({self.all_of(node.this, [])})"
        offset: Column | None = None
        if isinstance(node, exp.Unnest):
            sql, relation, offset = self._unnest(node)
        elif isinstance(node, exp.Subquery):
            sql, relation = self._subquery(compile_query(node.this, self.env, self.scope.outer), node.alias)
        elif isinstance(node, exp.Table):
            sql, relation = self._table(node)
        else:
            raise not_supported(node)
        for pivot in node.args.get("pivots") or []:
            sql, relation = pivots.compile_pivot(pivot, sql, relation, self.env)
        if relation.alias and self.scope.relation(relation.alias) is not None:
            raise self.env.wrong(f"Duplicate table alias {relation.alias} in the same FROM clause", node)
        self.scope.relations.append(relation)
        if offset is not None:
            self.scope.relations.append(Relation("", [offset]))
        return sql

    def _anonymous(self) -> str:
        return f"_from{len(self.scope.relations)}"

    def _subquery(self, query: Compiled, alias: str) -> tuple[str, Relation]:
        name = alias or self._anonymous()
        sql = f"({query.sql}) AS {quote(name)}"
        if query.is_value_table:
            value = Value(f"{quote(name)}.{quote(query.columns[0][0])}", query.columns[0][1])
            return sql, _value_relation(alias, value)
        return sql, Relation(alias, [Column(n, kind, f"{quote(name)}.{quote(n)}") for n, kind in query.columns])

    def _table(self, node: exp.Table) -> tuple[str, Relation]:
        if isinstance(node.this, exp.Anonymous):
            return self._table_function(node)
        sample = _sample(node)
        fields: list[Field] | None = node.meta_get(FIELDS)
        if fields is not None:
            alias = node.alias
            bare = _bare(node)
            hidden: list[Field] = node.meta_get(HIDDEN_FIELDS) or []
            columns = [table_column(alias, f, hidden=False) for f in fields] + [
                table_column(alias, f, hidden=True) for f in hidden
            ]
            return f"{bare.sql('duckdb')} AS {quote(alias)}{sample}", Relation(alias, columns)
        cte = self.env.ctes.get(node.name.lower())
        if cte is None or node.db:
            raise self.env.wrong(f"Table not found: {node.name}", node)
        alias = node.alias or node.name
        columns = [
            Column(name, kind, f"{quote(alias)}.{quote(name)}", hidden=(name, kind) in cte.hidden)
            for name, kind in (*cte.columns, *cte.hidden)
        ]
        return f"{quote(cte.name)} AS {quote(alias)}{sample}", Relation(alias, columns)

    def _table_function(self, node: exp.Table) -> tuple[str, Relation]:
        call = node.this
        path = [part.name for part in node.parts[:-1]] + [call.name]
        if call.name.upper() == "RANGE_SESSIONIZE":
            return self._subquery(self._range_sessionize(call), node.alias)
        path = [piece for part in path for piece in part.split(".")]
        routine = self.env.routines.table_function(path)
        if routine is None:
            if (known := unsupported_function(path)) is not None:
                raise known
            raise self.env.wrong(f"Table-valued function not found: {'.'.join(path)}", node)
        compiler = Expressions(Scope(outer=self.scope.outer), self.env)
        given = [compiler.value(argument) for argument in call.expressions]
        arguments = bind_arguments(compiler, node, routine, given)
        query = compile_query(routine.body, self.env.inside(routine), Scope(values=arguments))
        return self._subquery(query, node.alias or call.name)

    def _range_sessionize(self, call: exp.Anonymous) -> Compiled:
        source, column, keys, *mode = call.expressions
        inner = Sources(Scope(), self.env)
        sql = inner.one(source if isinstance(source, exp.Table) else exp.Subquery(this=source))
        relation = inner.scope.relations[0]
        names = [key.name for key in keys.expressions]
        return ranges.sessionize(sql, relation, column.name, names, mode[0].name.upper() if mode else "MEETS")

    def _unnest(self, node: exp.Unnest) -> tuple[str, Relation, Column | None]:
        if len(node.expressions) != 1:
            raise not_supported(node)
        value = Expressions(self.scope, self.env).value(node.expressions[0])
        if value.type == NULL:
            value = Value("CAST([] AS BIGINT[])", Type("ARRAY", INT64))
        element = value.type.element
        if value.type.name != "ARRAY" or element is None:
            raise self.env.wrong(f"Values referenced in UNNEST must be arrays. UNNEST contains expression of type "
                                 f"{value.type}", node)  # fmt: skip
        element = INT64 if element == NULL else element
        given = node.args.get("alias")
        alias = (given.columns[0].name if given.columns else given.name) if given is not None else ""
        name = alias or self._anonymous()
        offset = node.args.get("offset")
        relation = _value_relation(alias, Value(f"{quote(name)}.{quote('value')}", element))
        if not offset:
            return f"unnest({value.sql}) AS {quote(name)}({quote('value')})", relation, None
        offset_name = offset.name if isinstance(offset, exp.Identifier) else "offset"
        position = Column(offset_name, INT64, f"({quote(name)}.{quote('position')} - 1)")
        sql = f"unnest({value.sql}) WITH ORDINALITY AS {quote(name)}({quote('value')}, {quote('position')})"
        return sql, relation, position

    def _join(self, node: exp.Join) -> str:
        before = len(self.scope.relations)
        side = (node.side or "").upper()
        left = Scope(self.scope.relations[:before], self.scope.outer, dict(self.scope.merged))
        right = self._joined(node)
        if (columns := node.args.get("using")) is not None:
            conditions = [self._using(node, column, left, side, before) for column in columns]
            return f" {_join_word(side)} JOIN {right} ON {' AND '.join(conditions)}"
        if node.method:
            raise self.env.wrong(f"Syntax error: Unexpected keyword {node.method}", node)
        on = node.args.get("on")
        if on is not None:
            condition = Expressions(self.scope, self.env).condition(on, "JOIN ON")
            return f" {_join_word(side)} JOIN {right} ON {condition}"
        if side:
            if not isinstance(node.this, exp.Unnest):
                raise self.env.wrong(f"{side} JOIN must have an immediately following ON or USING clause", node)
            return f" {side} JOIN {right} ON TRUE"
        return f" CROSS JOIN {right}"

    def _joined(self, node: exp.Join) -> str:
        joins = node.this.args.get("joins")
        return f"({self.all_of(node.this, [])})" if joins else self.one(node.this)

    def _using(self, node: exp.Join, column: exp.Expr, left: Scope, side: str, before: int) -> str:
        name = column.name
        one = left.own(name)
        other = Scope(self.scope.relations[before:]).own(name)
        if one is None or other is None:
            missing = "left" if one is None else "right"
            raise self.env.wrong(f"Column {name} in USING clause not found on {missing} side of join", column)
        condition = operators.compare(self.env, column, "=", one, other)
        if side == "FULL":
            merged = Value(f"coalesce({one.sql}, {other.sql})", one.type)
        else:
            merged = other if side == "RIGHT" else one
        self.scope.merged[name.lower()] = replace(merged, literal=None)
        return condition.sql


def _join_word(side: str) -> str:
    return side or "INNER"


def _value_relation(alias: str, value: Value) -> Relation:
    """A relation of values: a struct's fields are its columns, any other value is its one column."""
    if value.type.name == "STRUCT":
        fields = named_fields(value.type)
        columns = [Column(name, kind, f"struct_extract({value.sql}, {text(name)})") for name, kind in fields]
        return Relation(alias, columns, value)
    return Relation(alias, [Column(alias, value.type, value.sql)], value)


def table_column(alias: str, field: Field, *, hidden: bool) -> Column:
    """The column of a stored table that stands under an alias. No array of it is NULL, whatever was written."""
    sql = f"{quote(alias)}.{quote(field['name'])}"
    if field.get("mode") == "REPEATED":
        sql = f"coalesce({sql}, [])"
    if COMPUTED in field:
        sql = field[COMPUTED].format(relation=quote(alias))
    return Column(field["name"], of_field(field), sql, hidden)


def _bare(node: exp.Table) -> exp.Table:
    """The table's name alone, without what hangs on it."""
    return exp.Table(this=node.this.copy(), db=node.args.get("db"), catalog=node.args.get("catalog"))


def _sample(node: exp.Table) -> str:
    sample = node.args.get("sample")
    return f" TABLESAMPLE {sample.args['percent'].name} PERCENT" if sample is not None else ""
