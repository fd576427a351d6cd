"""OVER clauses."""

from typing import TYPE_CHECKING, Any

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.kinds import FLOAT64
from tarn_bigquery.sql.compiler.values import Value

if TYPE_CHECKING:
    from tarn_bigquery.sql.compiler.expressions import Expressions


def over(compiler: "Expressions", node: exp.Window) -> str:
    """What follows OVER: a window's name, or its specification in parentheses."""
    named = node.args.get("alias")
    if named is not None and not _specification(compiler, node):
        return quote(named.name)
    base = [quote(named.name)] if named is not None else []
    return f"({' '.join([*base, *_specification(compiler, node)])})"


_WITH_FRAMES = {"FIRST_VALUE", "LAST_VALUE", "NTH_VALUE"}


def check_window(compiler: "Expressions", node: exp.Window, called: exp.Expr) -> None:
    """Raises ApiError for an OVER clause that the function does not have, or has in another form."""
    from tarn_bigquery.sql.compiler.functions.listed import function_of

    wrong = compiler.env.wrong
    function = function_of(called.name.upper())
    if function is not None and function.kind == "function":
        raise wrong(f"Function {function.name} does not support an OVER clause", called)
    is_analytic = function is not None and function.kind == "analytic function"
    if is_analytic and node.args.get("spec") is not None and called.name.upper() not in _WITH_FRAMES:
        raise wrong(f"Window framing clause is not allowed for analytic function {called.name.lower()}", node)
    if node.args.get("order") is not None and any(isinstance(a, exp.Distinct) for a in called.expressions):
        raise wrong("Window ORDER BY is not allowed if DISTINCT is specified", node.args["order"])
    named, select = node.args.get("alias"), node.find_ancestor(exp.Select)
    known = {window.name.lower() for window in (select.args.get("windows") or [] if select is not None else [])}
    if named is not None and named.name.lower() not in known:
        raise wrong(f"Unrecognized window alias {named.name}", named)


def definition(compiler: "Expressions", node: exp.Window) -> str:
    """One entry of a WINDOW clause."""
    named = node.args.get("alias")
    base = [quote(named.name)] if named is not None else []
    return f"{quote(node.name)} AS ({' '.join([*base, *_specification(compiler, node)])})"


def _specification(compiler: "Expressions", node: exp.Window) -> list[str]:
    parts = []
    if node.args.get("partition_by"):
        keys = ", ".join(_partition_key(compiler, key) for key in node.args["partition_by"])
        parts.append(f"PARTITION BY {keys}")
    if node.args.get("order") is not None:
        keys = ", ".join(ordered(compiler, key) for key in node.args["order"].expressions)
        parts.append(f"ORDER BY {keys}")
    frame = node.args.get("spec")
    if frame is not None:
        parts.append(_frame(compiler, frame))
    return parts


def _partition_key(compiler: "Expressions", node: exp.Expr) -> str:
    value = compiler.value(node)
    if value.type == FLOAT64:
        raise compiler.env.wrong("Partitioning by expressions of type FLOAT64 is not allowed", node)
    return value.sql


def ordered(compiler: "Expressions", node: exp.Ordered) -> str:
    """One key of an ORDER BY. Raises ApiError for a type that has no order."""
    value = compiler.value(node.this)
    check_order(compiler, value, node)
    return f"{value.sql}{direction(node)}"


def check_order(compiler: "Expressions", value: Value, node: exp.Expr) -> None:
    """Raises ApiError for a key of an ORDER BY whose type has no order."""
    if value.type.fields:
        raise compiler.env.wrong(f"ORDER BY does not support expressions of type {value.type}", node)


def direction(node: exp.Ordered) -> str:
    nulls = "FIRST" if node.args.get("nulls_first") else "LAST"
    return f" {'DESC' if node.args.get('desc') else 'ASC'} NULLS {nulls}"


def _frame(compiler: "Expressions", frame: exp.WindowSpec) -> str:
    kind = frame.args["kind"].upper()
    start = _bound(compiler, frame.args.get("start"), frame.args.get("start_side"))
    if frame.args.get("end") is None:
        return f"{kind} {start}"
    return f"{kind} BETWEEN {start} AND {_bound(compiler, frame.args['end'], frame.args.get('end_side'))}"


def _bound(compiler: "Expressions", bound: Any, side: str | None) -> str:
    written = bound if isinstance(bound, str) else compiler.value(bound).sql
    return f"{written} {side or ''}".strip()
