"""Conditions compiled: comparisons, memberships, patterns, and what depends on them."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tarn_bigquery.sql.compiler import mismatches, operators
from tarn_bigquery.sql.compiler.environment import not_supported
from tarn_bigquery.sql.compiler.functions.listed import check
from tarn_bigquery.sql.compiler.functions.registry import Call
from tarn_bigquery.sql.compiler.kinds import BOOL, NULL, array_of
from tarn_bigquery.sql.compiler.values import Value, coerce, coerced, common_type, null

if TYPE_CHECKING:
    from tarn_bigquery.sql.compiler.expressions import Expressions


def is_test(compiler: "Expressions", node: Any) -> Value:
    right = node.expression
    value = compiler.value(node.this)
    if isinstance(right, exp.Null):
        return Value(f"({value.sql} IS NULL)", BOOL)
    if isinstance(right, exp.Boolean):
        return Value(f"({coerced(value, BOOL).sql} IS {'TRUE' if right.this else 'FALSE'})", BOOL)
    raise not_supported(node)


def negation(compiler: "Expressions", node: Any) -> Value:
    return Value(f"(NOT {_boolean_operands(compiler, node, 'NOT', [node.this])[0]})", BOOL)


def connector(word: str) -> Callable[["Expressions", Any], Value]:
    def handler(compiler: "Expressions", node: Any) -> Value:
        operands = _boolean_operands(compiler, node, word, list(node.flatten()))
        return Value(f"({f' {word} '.join(operands)})", BOOL)

    return handler


def _boolean_operands(compiler: "Expressions", node: Any, word: str, operands: list[exp.Expr]) -> list[str]:
    """SQL of the operands of NOT, AND or OR."""
    values = [compiler.value(operand) for operand in operands]
    fitted = [coerce(value, BOOL) for value in values]
    if None in fitted:
        raise compiler.env.wrong(mismatches.no_boolean_operator(word, [value.type for value in values]), node)
    return [value.sql for value in fitted if value is not None]


def between(compiler: "Expressions", node: Any) -> Value:
    values = [compiler.value(node.args[name]) for name in ("this", "low", "high")]
    kind = common_type(values)
    if kind is None:
        raise compiler.env.wrong(mismatches.no_between(values), node)
    value, low, high = (coerced(v, kind).sql for v in values)
    return Value(f"({value} BETWEEN {low} AND {high})", BOOL)


def membership(compiler: "Expressions", node: Any) -> Value:
    value = compiler.value(node.this)
    if (query := node.args.get("query")) is not None:
        found = compiler.query(query.this if isinstance(query, exp.Subquery) else query)
        if len(found.columns) != 1:
            raise compiler.env.wrong("Subquery of type IN must have only one output column", query)
        item = Value(found.aliased("x"), found.columns[0][1])
        kind = common_type([value, item])
        if kind is None:
            raise compiler.env.wrong(
                f"Cannot execute IN subquery with uncomparable types {value.type} and {item.type}", node
            )
        converted = f"SELECT {coerced(item, kind).sql} FROM ({found.sql}) AS x"  # noqa: S608
        source = found.sql if item.type == kind else converted
        return Value(f"({coerced(value, kind).sql} IN ({source}))", BOOL)
    if (unnest := node.args.get("unnest")) is not None:
        items = compiler.value(unnest.expressions[0])
        return operators.in_array(compiler.env, node, value, items)
    items_given = [compiler.value(item) for item in node.expressions]
    kind = common_type([value, *items_given])
    if kind is None:
        raise compiler.env.wrong(mismatches.no_in_operator(value, items_given), node)
    listed = ", ".join(coerced(item, kind).sql for item in items_given)
    return Value(f"({coerced(value, kind).sql} IN ({listed}))", BOOL)


def like(compiler: "Expressions", node: Any) -> Value:
    value, pattern = compiler.value(node.this), node.expression
    negate = "NOT " if node.args.get("negate") else ""
    if isinstance(pattern, exp.Any | exp.All):
        return _like_quantified(compiler, node, value, negate)
    return Value(f"({negate}{operators.like(compiler.env, node, value, compiler.value(pattern)).sql})", BOOL)


def _like_quantified(compiler: "Expressions", node: Any, value: Value, negate: str) -> Value:
    """LIKE ANY and LIKE ALL; NOT is about each of the patterns."""
    patterns, is_any = node.expression.this, isinstance(node.expression, exp.Any)
    if isinstance(patterns, exp.Tuple):
        word = " OR " if is_any else " AND "
        each = [operators.like(compiler.env, node, value, compiler.value(item)).sql for item in patterns.expressions]
        return Value(f"({word.join(f'({negate}{test})' for test in each)})", BOOL)
    if isinstance(patterns, exp.Subquery):
        found = compiler.query(patterns.this)
        items = Value(f"(ARRAY({found.sql}))", array_of(found.columns[0][1]))
    else:
        items = compiler.value(patterns.expressions[0])
    if items.type.name != "ARRAY" or items.type.element is None:
        raise compiler.env.wrong(f"Second argument of LIKE UNNEST must be an array but was {items.type}", node)
    test = operators.like(compiler.env, node, value, Value("x", items.type.element)).sql
    return Value(
        f"googlesql.{'any' if is_any else 'all'}_of(list_transform({items.sql}, lambda x: {negate}{test}))", BOOL
    )


def case(compiler: "Expressions", node: Any) -> Value:
    subject = node.args.get("this")
    branches = [(branch.this, branch.args["true"]) for branch in node.args["ifs"]]
    default = node.args.get("default")
    results = [compiler.value(result) for _, result in branches]
    results.append(compiler.value(default) if default is not None else null())
    kind = common_type(results)
    if kind is None:
        raise compiler.env.wrong(mismatches.no_case(_case_types(compiler, node)), node)
    if subject is None:
        tests = [compiler.sql(test, BOOL) for test, _ in branches]
    else:
        value = compiler.value(subject)
        tests = [operators.compare(compiler.env, test, "=", value, compiler.value(test)).sql for test, _ in branches]
    arms = " ".join(f"WHEN {test} THEN {coerced(r, kind).sql}" for test, r in zip(tests, results, strict=False))
    return Value(f"(CASE {arms} ELSE {coerced(results[-1], kind).sql} END)", kind)


def _case_types(compiler: "Expressions", node: Any) -> mismatches.CaseTypes:
    subject, default = node.args.get("this"), node.args.get("default")
    return mismatches.CaseTypes(
        compiler.value(subject).type if subject is not None else None,
        [(compiler.value(branch.this).type, compiler.value(branch.args["true"]).type) for branch in node.args["ifs"]],
        compiler.value(default).type if default is not None else NULL,
    )


def if_else(compiler: "Expressions", node: Any) -> Value:
    given = [node.args.get(name) for name in ("this", "true", "false")]
    call = Call("IF", [argument for argument in given if argument is not None], node, compiler)
    check(call)
    condition, *results = call.args
    kind = common_type(results) or NULL
    test = coerced(condition, BOOL).sql
    yes, no = (coerced(result, kind).sql for result in results)
    return Value(f"(CASE WHEN {test} THEN {yes} ELSE {no} END)", kind)


def comparison(symbol: str) -> Callable[["Expressions", Any], Value]:
    def handler(compiler: "Expressions", node: Any) -> Value:
        left, right = compiler.value(node.this), compiler.value(node.expression)
        return operators.compare(compiler.env, node, symbol, left, right)

    return handler
