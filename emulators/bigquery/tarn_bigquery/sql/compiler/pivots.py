"""PIVOT and UNPIVOT, written as plain aggregation and as a join with a list of values."""

from itertools import product

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.calls import compile_call
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.kinds import STRING, Type
from tarn_bigquery.sql.compiler.operators import compare
from tarn_bigquery.sql.compiler.scope import Column, Relation, Scope
from tarn_bigquery.sql.compiler.values import Value, coerced, common_type


def compile_pivot(pivot: exp.Pivot, source: str, relation: Relation, env: Environment) -> tuple[str, Relation]:
    """The item of FROM after its PIVOT or UNPIVOT, and what it is as a relation."""
    compiler = Expressions(Scope([relation]), env)
    columns = _unpivoted if pivot.args.get("unpivot") else _pivoted
    sql, found = columns(pivot, source, relation, compiler)
    alias = pivot.alias or "_pivot"
    written = [Column(name, kind, f"{quote(alias)}.{quote(name)}") for name, kind in found]
    return f"({sql}) AS {quote(alias)}", Relation(pivot.alias, written)


def _pivoted(
    pivot: exp.Pivot, source: str, relation: Relation, compiler: Expressions
) -> tuple[str, list[tuple[str, Type]]]:
    used = {c.name.lower() for part in (*pivot.expressions, *pivot.fields) for c in part.find_all(exp.Column)}
    kept = [column for column in relation.visible if column.name.lower() not in used]
    listed = [f"{column.sql} AS {quote(column.name)}" for column in kept]
    columns = [(column.name, column.type) for column in kept]
    for choice, aggregate in product(pivot.fields[0].expressions, pivot.expressions):
        constant = choice.this if isinstance(choice, exp.PivotAlias | exp.Alias) else choice
        key = compiler.value(pivot.fields[0].this)
        matches = compare(compiler.env, constant, "IS NOT DISTINCT FROM", key, compiler.value(constant)).sql
        called = aggregate.this if isinstance(aggregate, exp.Alias) else aggregate
        value = compile_call(compiler, called, [called.name], where=matches)
        prefix = f"{aggregate.alias}_" if aggregate.alias else ""
        name = prefix + (choice.alias or _constant_name(constant))
        listed.append(f"{value.sql} AS {quote(name)}")
        columns.append((name, value.type))
    group = f" GROUP BY {', '.join(column.sql for column in kept)}" if kept else ""
    return f"SELECT {', '.join(listed)} FROM {source}{group}", columns  # noqa: S608


def _constant_name(node: exp.Expr) -> str:
    """The name of the column for a constant of FOR ... IN: text as it is, a number behind an underscore."""
    if isinstance(node, exp.Cast):
        node = node.this
    if isinstance(node, exp.Literal) and node.is_string:
        return node.this.replace("-", "_").replace(" ", "_")
    written = node.sql("bigquery")
    if isinstance(node, exp.Literal | exp.Neg):
        return "_" + written.replace("-", "minus_").replace(".", "_point_")
    return written


def _unpivoted(
    pivot: exp.Pivot, source: str, relation: Relation, compiler: Expressions
) -> tuple[str, list[tuple[str, Type]]]:
    target = pivot.expressions[0]
    names = [item.name for item in (target.expressions if isinstance(target, exp.Tuple) else [target])]
    groups, labels = [], []
    for choice in pivot.fields[0].expressions:
        inner = choice.this if isinstance(choice, exp.PivotAlias | exp.Alias) else choice
        members = inner.expressions if isinstance(inner, exp.Tuple) else [inner]
        groups.append([(member.name, compiler.value(member)) for member in members])
        given = choice.args.get("alias")
        label = compiler.value(given) if isinstance(given, exp.Literal) else None
        labels.append(label or Value(_quoted("_".join(member.name for member in members)), STRING))
    kinds = [common_type([group[i][1] for group in groups]) or STRING for i in range(len(names))]
    label_kind = common_type(labels) or STRING
    rows = []
    for label, group in zip(labels, groups, strict=True):
        values = (coerced(value, kind).sql for (_, value), kind in zip(group, kinds, strict=True))
        rows.append(f"({', '.join([coerced(label, label_kind).sql, *values])})")
    used = {name.lower() for group in groups for name, _ in group}
    kept = [column for column in relation.visible if column.name.lower() not in used]
    label_name = pivot.fields[0].this.name
    outputs = [f"u.{quote(name)}" for name in [*names, label_name]]
    listed = ", ".join([*(f"{c.sql} AS {quote(c.name)}" for c in kept), *outputs])
    inner_names = ", ".join(quote(name) for name in [label_name, *names])
    where = " OR ".join(f"u.{quote(name)} IS NOT NULL" for name in names)
    condition = "" if pivot.args.get("include_nulls") else f" WHERE {where}"
    sql = f"SELECT {listed} FROM {source} CROSS JOIN LATERAL (VALUES {', '.join(rows)}) AS u({inner_names}){condition}"  # noqa: S608
    columns = [*((c.name, c.type) for c in kept), *zip(names, kinds, strict=True), (label_name, label_kind)]
    return sql, columns


def _quoted(label: str) -> str:
    return "'" + label.replace("'", "''") + "'"
