"""Expressions compiled: names, literals, operators, conditions, subqueries and calls."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.compiler import casts, conditions, operators
from tarn_bigquery.sql.compiler.calls import compile_call
from tarn_bigquery.sql.compiler.environment import Environment, not_supported
from tarn_bigquery.sql.compiler.functions.dates import extract
from tarn_bigquery.sql.compiler.functions.intervals import interval
from tarn_bigquery.sql.compiler.kinds import BOOL, EMPTY_ARRAY, JSON, STRING, Type, array_of, of_field, of_node
from tarn_bigquery.sql.compiler.scope import Scope, member
from tarn_bigquery.sql.compiler.suggestions import did_you_mean
from tarn_bigquery.sql.compiler.values import (
    NotCoercible,
    Value,
    array,
    blob,
    boolean,
    coerce,
    coerced,
    floating,
    integer,
    null,
    string,
    struct,
)
from tarn_bigquery.sql.types import Field

if TYPE_CHECKING:
    from tarn_bigquery.sql.compiler.compiled import Compiled

# Where a node that stands for a value of its own, a script's variable, carries the REST field of its type.
VARIABLE = "variable"
# Where a cast that is an assignment carries the variable's field: it does what coercion does of its own accord.
ASSIGNMENT = "assignment"


@dataclass
class Expressions:
    """Compiles expressions in one scope."""

    scope: Scope
    env: Environment

    def value(self, node: exp.Expr | None) -> Value:
        """The expression compiled. Raises ApiError with what is wrong and where."""
        if node is None:  # the parser lets some lists end in a gap
            raise invalid_query("Syntax error: Unexpected end of statement")
        handler = _HANDLERS.get(type(node))
        if handler is None:
            raise not_supported(node)
        return handler(self, node)

    def sql(self, node: exp.Expr, kind: Type) -> str:
        """The expression's SQL as a value of the type."""
        value = self.value(node)
        result = coerce(value, kind)
        if result is None:
            raise self.env.wrong(f"Expected an expression of type {kind}, but found {value.type}", node)
        return result.sql

    def condition(self, node: exp.Expr, clause: str) -> str:
        value = coerce(self.value(node), BOOL)
        if value is None:
            found = self.value(node).type
            raise self.env.wrong(f"{clause} clause should return type BOOL, but returns {found}", node)
        return value.sql

    def query(self, node: exp.Expr) -> "Compiled":
        """A subquery compiled, which sees this scope."""
        from tarn_bigquery.sql.compiler.queries import compile_query

        return compile_query(node, self.env, self.scope)


def _literal(compiler: Expressions, node: Any) -> Value:
    if node.is_string:
        return string(node.this)
    written = node.this.lower()
    if written.startswith("0x"):
        return integer(int(written, 16))
    if written.isdigit():
        return integer(int(written))
    try:
        return floating(written)
    except ValueError as error:
        # sqlglot takes `1e3+2` for one number.
        raise compiler.env.wrong(
            f'Syntax error: Invalid number "{written}"; put blanks around the operator', node
        ) from error


def _negated(compiler: Expressions, node: Any) -> Value:
    inner = node.this
    if isinstance(inner, exp.Literal) and not inner.is_string and inner.this.isdigit():
        return integer(-int(inner.this))
    return operators.negate(compiler.env, node, compiler.value(inner))


def _column(compiler: Expressions, node: Any) -> Value:
    parts = [part.name for part in node.parts]
    if (relations := compiler.scope.owners(parts[0])) is not None:
        compiler.env.columns[id(node)] = relations
    return _path(compiler, node, parts)


def _path(compiler: Expressions, node: exp.Expr, parts: list[str]) -> Value:
    """A dotted name: the first part is a relation, a column or a value; what follows are fields."""
    first, *others = node.parts if isinstance(node, exp.Column) else [node]
    try:
        value, rest = _head(compiler, parts)
    except ApiError as error:
        raise compiler.env.wrong(error.message, node) from error
    if value is None and others and compiler.scope.find_relation(parts[0]) is not None:
        raise compiler.env.wrong(f"Name {parts[1]} not found inside {parts[0]}", others[0])
    if value is None:
        meant = did_you_mean(parts[0], compiler.scope.names())
        raise compiler.env.wrong(f"Unrecognized name: {parts[0]}{meant}", first)
    for name in rest:
        inner = member(value, name)
        if inner is None and value.type.name == "STRUCT":
            meant = did_you_mean(name, [field for field, _ in value.type.fields])
            raise compiler.env.wrong(f"Field name {name} does not exist in {value.type}{meant}", node)
        if inner is None:
            raise compiler.env.wrong(f"Cannot access field {name} on a value with type {value.type}", node)
        value = inner
    return value


def _head(compiler: Expressions, parts: list[str]) -> tuple[Value | None, list[str]]:
    if len(parts) > 1:
        relation = compiler.scope.find_relation(parts[0])
        if relation is not None and (column := relation.column(parts[1])) is not None:
            return column, parts[2:]
        if relation is not None and relation.value is None:
            return None, []
    return compiler.scope.find(parts[0]), parts[1:]


def _dot(compiler: Expressions, node: Any) -> Value:
    called = node.expression
    if isinstance(called, exp.Anonymous):
        return compile_call(compiler, called, [*_names(node.this), called.name])
    value = compiler.value(node.this)
    if isinstance(called, exp.Star):
        raise not_supported(node)
    inner = member(value, called.name)
    if inner is None:
        raise compiler.env.wrong(f"Field name {called.name} does not exist in {value.type}", called)
    return inner


def _names(node: exp.Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_names(node.this), *_names(node.expression)]
    if isinstance(node, exp.Column):
        return [part.name for part in node.parts]
    return node.name.split(".")


def _anonymous(compiler: Expressions, node: Any) -> Value:
    return compile_call(compiler, node, node.name.split("."))


def _namespaced(prefix: str) -> Callable[[Expressions, Any], Value]:
    def handler(compiler: Expressions, node: Any) -> Value:
        return compile_call(compiler, node.this, [prefix, node.this.name])

    return handler


def _window(compiler: Expressions, node: Any) -> Value:
    from tarn_bigquery.sql.compiler.windows import check_window, over

    called, nulls = node.this, None
    while isinstance(called, exp.IgnoreNulls | exp.RespectNulls):
        nulls = "IGNORE" if isinstance(called, exp.IgnoreNulls) else "RESPECT"
        called = called.this
    check_window(compiler, node, called)
    path = [called.this.name] if isinstance(called, exp.SafeFunc) else called.name.split(".")
    return compile_call(compiler, called, path, over=over(compiler, node), nulls=nulls)


def _cast(compiler: Expressions, node: Any) -> Value:
    if (variable := node.meta_get(ASSIGNMENT)) is not None:
        return _assigned(compiler, node.this, variable)
    target = of_node(node.args["to"])
    inner = node.this
    if isinstance(inner, exp.Struct | exp.Array) and target.name in {"STRUCT", "ARRAY"}:
        value = compiler.value(inner) if inner.expressions else Value("[]", EMPTY_ARRAY, parts=())
        result = coerce(value, target) or casts.cast(value, target)
    else:
        result = _converted(compiler, node, compiler.value(inner), target)
    if result is None:
        found = compiler.value(inner).type
        raise compiler.env.wrong(f"Invalid cast from {found} to {target}", node)
    # What has been cast is no literal any more.
    result = Value(result.sql, result.type, parts=result.parts)
    return casts.safe(result) if isinstance(node, exp.TryCast) else _limited(_limits(node.args["to"]), result)


def _assigned(compiler: Expressions, node: exp.Expr, variable: Field) -> Value:
    target = of_field(variable)
    result = coerce(compiler.value(node), target)
    if result is None:
        message = f"Cannot coerce expression {node.sql('bigquery')} to type {target}{compiler.env.at(node)}"
        raise NotCoercible("invalidQuery", message, location="query")
    limits = [int(variable[name]) for name in ("maxLength", "precision", "scale") if name in variable]
    return _limited(limits, Value(result.sql, result.type))


def _converted(compiler: Expressions, node: Any, value: Value, target: Type) -> Value | None:
    form, zone = node.args.get("format"), None
    if isinstance(form, exp.AtTimeZone):
        form, zone = form.this, compiler.value(form.args["zone"])
    if form is not None:
        return casts.formatted(value, target, compiler.value(form), zone)
    if isinstance(node.this, exp.AtTimeZone):
        zone = compiler.value(node.this.args["zone"])
    return casts.zoned(value, target, zone) if zone is not None else casts.cast(value, target)


def _limits(node: exp.DataType) -> list[int]:
    return [int(item.name) for item in node.expressions if item.name.isdigit()]


def _limited(limits: list[int], value: Value) -> Value:
    """The value held to the type's parameters: NUMERIC(5, 2) rounds, STRING(3) refuses what is longer."""
    if not limits or value.type.name in {"STRUCT", "ARRAY", "RANGE"}:
        return value
    if value.type.name in {"NUMERIC", "BIGNUMERIC"}:
        precision, scale = limits[0], limits[1] if len(limits) > 1 else 0
        return Value(f"googlesql.numeric_limited({value.sql}, {precision}, {scale})", value.type)
    name = value.type.name.lower()
    return Value(f"googlesql.{name}_limited({value.sql}, {limits[0]})", value.type)


def _at_time_zone(compiler: Expressions, node: Any) -> Value:
    return compiler.value(node.this)


def _extract(compiler: Expressions, node: Any) -> Value:
    source, zone = node.expression, None
    if isinstance(source, exp.AtTimeZone):
        zone, source = compiler.value(source.args["zone"]), source.this
    part = node.this.sql("bigquery").upper()
    return extract(compiler.env, node, part, compiler.value(source), zone)


def _subquery(compiler: Expressions, node: Any) -> Value:
    query = compiler.query(node.this if isinstance(node, exp.Subquery) else node)
    if query.is_value_table:
        return Value(f"({query.sql})", query.columns[0][1])
    if len(query.columns) != 1:
        raise compiler.env.wrong(f"Scalar subquery {_ONE_COLUMN}", node)
    return Value(f"({query.sql})", query.columns[0][1])


def _exists(compiler: Expressions, node: Any) -> Value:
    inner = node.this
    query = compiler.query(inner.this if isinstance(inner, exp.Subquery) else inner)
    return Value(f"(EXISTS ({query.sql}))", BOOL)


_ONE_COLUMN = "cannot have more than one column unless using SELECT AS STRUCT to build STRUCT values"


def _array(compiler: Expressions, node: Any) -> Value:
    items = node.expressions
    if len(items) == 1 and isinstance(items[0], exp.Query) and not isinstance(items[0], exp.Subquery):
        query = compiler.query(items[0])
        if len(query.columns) != 1:
            raise compiler.env.wrong(f"ARRAY subquery {_ONE_COLUMN}", node)
        kind = query.columns[0][1]
        if kind.name == "ARRAY":
            raise compiler.env.wrong(
                f"Cannot use array subquery with column of type {kind} because nested arrays are not supported", node
            )
        return Value(f"(ARRAY({query.sql}))", array_of(kind))
    values = [compiler.value(item) for item in items]
    try:
        return array(values)
    except ApiError as error:
        raise compiler.env.wrong(error.message, node) from error


def _struct(compiler: Expressions, node: Any) -> Value:
    return struct([(_field_name(item), compiler.value(_unaliased(item))) for item in node.expressions])


def _field_name(item: exp.Expr) -> str:
    if isinstance(item, exp.PropertyEQ | exp.Alias | exp.Column | exp.Dot):
        return item.alias or item.name if not isinstance(item, exp.Dot) else item.expression.name
    return ""


def _unaliased(item: exp.Expr) -> exp.Expr:
    if isinstance(item, exp.PropertyEQ):
        return item.expression
    return item.this if isinstance(item, exp.Alias) else item


def _tuple(compiler: Expressions, node: Any) -> Value:
    return struct([("", compiler.value(item)) for item in node.expressions])


def _bracket(compiler: Expressions, node: Any) -> Value:
    value, index = compiler.value(node.this), compiler.value(node.expressions[0])
    if value.type == JSON:
        if index.type == STRING:
            return Value(f"googlesql.json_member({value.sql}, {index.sql})", JSON)
        return Value(f"googlesql.json_element({value.sql}, {index.sql})", JSON)
    if value.type.name == "STRUCT":
        position = int(index.literal or 0) - (node.args.get("offset") or 0)
        names = [name or f"_field_{i}" for i, (name, _) in enumerate(value.type.fields, 1)]
        return member(value, names[position]) or null()
    if value.type.name != "ARRAY" or value.type.element is None:
        raise compiler.env.wrong(f"Element access using [] is not supported on values of type {value.type}", node)
    position_sql = coerced(index, Type("INT64")).sql
    first = node.args.get("offset") or 0
    name = "array_safe_at" if node.args.get("safe") else "array_at"
    return Value(f"googlesql.{name}({value.sql}, {position_sql}, {first})", value.type.element)


def _binary(operator: Callable[[Environment, exp.Expr, Value, Value], Value]) -> Callable[[Expressions, Any], Value]:
    def handler(compiler: Expressions, node: Any) -> Value:
        return operator(compiler.env, node, compiler.value(node.this), compiler.value(node.expression))

    return handler


def _bitwise(symbol: str) -> Callable[[Expressions, Any], Value]:
    def handler(compiler: Expressions, node: Any) -> Value:
        left, right = compiler.value(node.this), compiler.value(node.expression)
        return operators.bitwise(compiler.env, node, symbol, left, right)

    return handler


def _collate(compiler: Expressions, node: Any) -> Value:
    return compile_call(compiler, exp.Anonymous(this="COLLATE", expressions=[node.this, node.expression]), ["COLLATE"])


def _interval(compiler: Expressions, node: Any) -> Value:
    unit = node.args.get("unit")
    amount = node.this
    value = compiler.value(amount)
    return interval(compiler.env, node, value, unit.sql("bigquery").upper() if unit is not None else "")


def _json_literal(compiler: Expressions, node: Any) -> Value:
    return Value(f"googlesql_parse_json({compiler.sql(node.this, STRING)}, 'exact')", JSON)


def _paren(compiler: Expressions, node: Any) -> Value:
    return compiler.value(node.this)


def _current(name: str) -> Callable[[Expressions, Any], Value]:
    def handler(compiler: Expressions, node: Any) -> Value:
        zone = [node.this] if node.args.get("this") is not None else []
        return compile_call(compiler, exp.Anonymous(this=name, expressions=zone), [name])

    return handler


def _byte_string(compiler: Expressions, node: Any) -> Value:
    return blob(_bytes_of(node.this))


def _bytes_of(written: str) -> bytes:
    """The bytes of a bytes literal, in which sqlglot has replaced the escapes: a character is a byte or UTF-8."""
    return b"".join(bytes([ord(c)]) if ord(c) < 256 else c.encode() for c in written)


def _parameter(compiler: Expressions, node: Any) -> Value:
    system = isinstance(node.this, exp.Parameter)
    name = f"@@{node.this.name}" if system else f"@{node.name}"
    value = compiler.scope.find(name)
    if value is None and system:
        raise compiler.env.wrong(f"Unknown system variable {name}", node)
    if value is None:
        raise compiler.env.wrong(f"Query parameter '{node.name}' not found", node)
    return value


def _variable(compiler: Expressions, node: Any) -> Value:
    field = node.meta_get(VARIABLE)
    if field is None:
        raise compiler.env.wrong(f"Unrecognized name: {node.name}", node)
    return Value(f"({node.name})", of_field(field))


def _unexpected_star(compiler: Expressions, node: Any) -> Value:
    raise compiler.env.wrong("Argument * can only be used in COUNT(*)", node)


_HANDLERS: dict[type[exp.Expr], Callable[[Expressions, Any], Value]] = {
    exp.Add: _binary(operators.add),
    exp.And: conditions.connector("AND"),
    exp.Anonymous: _anonymous,
    exp.Array: _array,
    exp.AtTimeZone: _at_time_zone,
    exp.Between: conditions.between,
    exp.BitwiseAnd: _bitwise("&"),
    exp.BitwiseLeftShift: _bitwise("<<"),
    exp.BitwiseNot: lambda c, node: operators.bitwise_not(c.env, node, c.value(node.this)),
    exp.BitwiseOr: _bitwise("|"),
    exp.BitwiseRightShift: _bitwise(">>"),
    exp.BitwiseXor: _bitwise("^"),
    exp.Boolean: lambda c, node: boolean(bool(node.this)),
    exp.Bracket: _bracket,
    exp.ByteString: _byte_string,
    exp.Case: conditions.case,
    exp.Collate: _collate,
    exp.Cast: _cast,
    exp.Column: _column,
    exp.CurrentDate: _current("CURRENT_DATE"),
    exp.CurrentDatetime: _current("CURRENT_DATETIME"),
    exp.CurrentTime: _current("CURRENT_TIME"),
    exp.CurrentTimestamp: _current("CURRENT_TIMESTAMP"),
    exp.CurrentUser: _current("SESSION_USER"),
    exp.DPipe: _binary(operators.concat),
    exp.Div: _binary(operators.divide),
    exp.Dot: _dot,
    exp.EQ: conditions.comparison("="),
    exp.Exists: _exists,
    exp.Extract: _extract,
    exp.GT: conditions.comparison(">"),
    exp.GTE: conditions.comparison(">="),
    exp.HexString: lambda c, node: integer(int(node.this, 16)),
    exp.Identifier: lambda c, node: _path(c, node, [node.name]),
    exp.If: conditions.if_else,
    exp.In: conditions.membership,
    exp.Interval: _interval,
    exp.Is: conditions.is_test,
    exp.LT: conditions.comparison("<"),
    exp.LTE: conditions.comparison("<="),
    exp.Like: conditions.like,
    exp.Literal: _literal,
    exp.Mul: _binary(operators.multiply),
    exp.NEQ: conditions.comparison("<>"),
    exp.Neg: _negated,
    exp.NetFunc: _namespaced("NET"),
    exp.Not: conditions.negation,
    exp.Null: lambda c, node: null(),
    exp.NullSafeEQ: conditions.comparison("IS NOT DISTINCT FROM"),
    exp.NullSafeNEQ: conditions.comparison("IS DISTINCT FROM"),
    exp.Or: conditions.connector("OR"),
    exp.Parameter: _parameter,
    exp.Paren: _paren,
    exp.ParseJSON: _json_literal,
    exp.RawString: lambda c, node: string(node.this),
    exp.SafeFunc: _namespaced("SAFE"),
    exp.Select: _subquery,
    exp.Star: _unexpected_star,
    exp.Struct: _struct,
    exp.Sub: _binary(operators.subtract),
    exp.Subquery: _subquery,
    exp.TryCast: _cast,
    exp.Tuple: _tuple,
    exp.Union: _subquery,
    exp.Var: _variable,
    exp.Window: _window,
}
