"""Calls of functions: BigQuery's own by the registry, a user's own by putting its body in the place of the call."""

from typing import TYPE_CHECKING

from sqlglot import exp

from tarn_bigquery.errors import invalid_query, unsupported
from tarn_bigquery.sql.compiler.environment import Routine
from tarn_bigquery.sql.compiler.functions import FUNCTIONS, Call
from tarn_bigquery.sql.compiler.functions.aggregates import is_aggregate
from tarn_bigquery.sql.compiler.functions.jsons import to_json_text
from tarn_bigquery.sql.compiler.functions.listed import check
from tarn_bigquery.sql.compiler.functions.registry import Modifiers
from tarn_bigquery.sql.compiler.functions.unsupported import unsupported_function
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.suggestions import did_you_mean
from tarn_bigquery.sql.compiler.values import Value, coerce, text

if TYPE_CHECKING:
    from tarn_bigquery.sql.compiler.expressions import Expressions


def compile_call(
    compiler: "Expressions",
    node: exp.Expr,
    path: list[str],
    *,
    over: str | None = None,
    nulls: str | None = None,
    where: str | None = None,
) -> Value:
    """A call of the function that a path names. Raises ApiError where there is none, or it takes other arguments.

    `over` is the window of an analytic call, `where` a condition on the rows that an aggregate takes.
    """
    prefix, name = [part.upper() for part in path[:-1]], path[-1].upper()
    if prefix == ["SAFE"] or (prefix[:1] == ["SAFE"] and len(prefix) == 2):
        return _safe_call(compiler, node, path[1:])
    full = ".".join([*prefix, name])
    nodes, modifiers = _arguments(node, nulls)
    handler = FUNCTIONS.get(full)
    routine = compiler.env.routines.function(path)
    if routine is not None:
        if routine.of_rows is not None:
            _require_plain(routine, modifiers, [over, where])
        return _routine_call(compiler, node, routine)
    if handler is None:
        if (known := unsupported_function(path)) is not None:
            raise known
        written = f"`{'.'.join(path[:-1])}`.{path[-1]}" if len(path) > 1 else path[-1]
        meant = did_you_mean(path[0].lower(), map(str.lower, FUNCTIONS)) if len(path) == 1 else ""
        raise compiler.env.wrong(f"Function not found: {written}{meant}", node)
    call = Call(full, nodes, node, compiler, modifiers, over, where)
    check(call)
    return handler(call)


def _arguments(node: exp.Expr, nulls: str | None) -> tuple[list[exp.Expr], Modifiers]:
    """The plain arguments, and what is said besides them."""
    distinct, having, limit = False, None, None
    order: tuple[exp.Ordered, ...] = ()
    nodes = []
    for argument in node.expressions:
        inner, others = argument, []
        while isinstance(
            inner, exp.Limit | exp.Order | exp.IgnoreNulls | exp.RespectNulls | exp.Distinct | exp.HavingMax
        ):
            if isinstance(inner, exp.Limit):
                limit, inner = inner.expression, inner.this
            elif isinstance(inner, exp.Order):
                order, inner = tuple(inner.expressions), inner.this
            elif isinstance(inner, exp.HavingMax):
                having, inner = inner, inner.this
            elif isinstance(inner, exp.Distinct):
                if not inner.expressions:
                    raise invalid_query("Syntax error: Unexpected end of the arguments behind DISTINCT")
                distinct, inner, others = True, inner.expressions[0], inner.expressions[1:]
            else:
                nulls, inner = "IGNORE" if isinstance(inner, exp.IgnoreNulls) else "RESPECT", inner.this
        nodes += [inner, *others]
    return nodes, Modifiers(distinct, nulls, having, order, limit)


def _safe_call(compiler: "Expressions", node: exp.Expr, path: list[str]) -> Value:
    """`SAFE.f(...)`: NULL where the function fails, and an error where an argument does."""
    if all(isinstance(argument, exp.Column | exp.Literal | exp.Null) for argument in node.expressions):
        result = compile_call(compiler, node, path)
        return Value(f"TRY({result.sql})", result.type)
    handler = FUNCTIONS.get(".".join(path).upper())
    if handler is None:
        raise unsupported(f"SAFE.{'.'.join(path)}")
    nodes, modifiers = _arguments(node, None)
    outside = [compiler.value(argument) for argument in nodes]
    inside = [Value(f"safe.a{i}", value.type, value.literal) for i, value in enumerate(outside)]
    call = Call(".".join(path).upper(), nodes, node, compiler, modifiers, given=inside)
    check(call)
    result = handler(call)
    packed = ", ".join(f"a{i} := {value.sql}" for i, value in enumerate(outside))
    return Value(f"list_transform([struct_pack({packed})], lambda safe: TRY({result.sql}))[1]", result.type)


def _require_plain(routine: Routine, modifiers: Modifiers, clauses: list[str | None]) -> None:
    """Raises ApiError for a call of a user's aggregate function with more than arguments, or one of a wrong body."""
    if modifiers != Modifiers(False, None, None, (), None) or any(clauses):
        raise unsupported(f"DISTINCT, ORDER BY, LIMIT, HAVING or OVER at the aggregate function {routine.name}")
    for name in routine.body.find_all(exp.Column):
        above = name.find_ancestor(exp.Anonymous)
        while above is not None and not is_aggregate(above):
            above = above.find_ancestor(exp.Anonymous)
        if above is None and name.parts[0].name.lower() in (routine.of_rows or ()):
            raise invalid_query(
                f"Argument {name.parts[0].name} of the aggregate function {routine.name} can only stand in the "
                "arguments of aggregate functions"
            )


def _routine_call(compiler: "Expressions", node: exp.Expr, routine: Routine) -> Value:
    from tarn_bigquery.sql.compiler.expressions import Expressions

    given = [compiler.value(argument) for argument in node.expressions]
    arguments = bind_arguments(compiler, node, routine, given)
    if routine.script is not None:
        return _script_call(routine, arguments)
    inside = Expressions(Scope(values=arguments), compiler.env.inside(routine))
    result = inside.value(routine.body)
    if routine.returns is None or result.type == routine.returns:
        return result
    converted = coerce(result, routine.returns)
    if converted is None:
        raise compiler.env.wrong(
            f"Function {routine.name} declared to return {routine.returns} but its body produces {result.type}", node
        )
    return converted


def _script_call(routine: Routine, arguments: dict[str, Value]) -> Value:
    """A call of a JavaScript function: its arguments go as JSON, and what it returns comes as JSON."""
    if routine.returns is None:
        raise unsupported(f"the JavaScript function {routine.name} without a RETURNS clause")
    names = ", ".join(text(name) for name, _ in routine.arguments)
    types = ", ".join(str(kind) for _, kind in routine.arguments)
    given = ", ".join(f"coalesce({to_json_text(value)}, 'null')" for value in arguments.values())
    called = f"{text(f'{routine.name}({types})')}, {text(routine.script or '')}"
    result = f"googlesql_javascript({called}, CAST([{names}] AS VARCHAR[]), CAST([{given}] AS VARCHAR[]))"
    if routine.returns.name in {"STRING", "TIMESTAMP", "DATE", "NUMERIC"}:
        return Value(f"CAST(json_extract_string({result}, '$') AS {routine.returns.duck})", routine.returns)
    return Value(f"CAST(CAST({result} AS JSON) AS {routine.returns.duck})", routine.returns)


def bind_arguments(compiler: "Expressions", node: exp.Expr, routine: Routine, given: list[Value]) -> dict[str, Value]:
    """The routine's arguments by name, each of its declared type."""
    types = ", ".join(str(value.type) for value in given)
    wanted = ", ".join(str(kind) if kind is not None else "ANY TYPE" for _, kind in routine.arguments)
    problem = compiler.env.wrong(
        f"No matching signature for function {routine.name} for argument types: {types}. "
        f"Supported signature: {routine.name}({wanted})",
        node,
    )
    if len(given) != len(routine.arguments):
        raise problem
    bound = {}
    for (name, kind), value in zip(routine.arguments, given, strict=True):
        converted = value if kind is None else coerce(value, kind)
        if converted is None:
            raise problem
        bound[name.lower()] = Value(converted.sql, converted.type)
    return bound
