"""Set operations that match columns by their names: BY NAME and CORRESPONDING."""

from sqlglot import exp

from tarn_bigquery.catalog.names import quote
from tarn_bigquery.sql.compiler.compiled import Compiled
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.kinds import NULL, Type


def matched_by_name(node: exp.SetOperation, left: Compiled, right: Compiled, env: Environment) -> list[Compiled]:
    """The operands with the same columns in the same order; NULL stands for one that a query has not."""
    sides = [{name.lower(): (name, kind) for name, kind in query.columns} for query in (left, right)]
    names = _names(node, sides[0], sides[1], env)
    return [_arranged(query, side, names) for query, side in zip((left, right), sides, strict=True)]


def _names(
    node: exp.SetOperation, left: dict[str, tuple[str, Type]], right: dict[str, tuple[str, Type]], env: Environment
) -> list[tuple[str, str]]:
    """The columns of the result, as they are looked up and as they are called."""
    asked = [column.name.lower() for column in node.args.get("on") or []]
    for name in asked:
        if name not in left and name not in right:
            raise env.wrong(f"Column {name} of the ON list is in no query of the set operation", node)
    mode = f"{node.args.get('side') or ''} {node.args.get('kind') or ''}".upper()
    if "FULL" in mode:
        found = [*left, *(name for name in right if name not in left)]
    elif "LEFT" in mode:
        found = [*left]
    elif "INNER" in mode:
        found = [name for name in left if name in right]
    elif set(left) != set(right) and not asked:
        raise env.wrong("Queries of a set operation BY NAME must have the same columns in STRICT mode", node)
    else:
        found = [*left]
    names = asked or found
    if not names:
        raise env.wrong("Queries of a set operation BY NAME have no column in common", node)
    return [(name, (left.get(name) or right[name])[0]) for name in names]


def _arranged(query: Compiled, columns: dict[str, tuple[str, Type]], names: list[tuple[str, str]]) -> Compiled:
    listed, kinds = [], []
    for key, shown in names:
        known = columns.get(key)
        listed.append(f"{quote(known[0]) if known else 'NULL'} AS {quote(shown)}")
        kinds.append((shown, known[1] if known else NULL))
    return Compiled(f"SELECT {', '.join(listed)} FROM ({query.sql}) AS q", kinds)  # noqa: S608
