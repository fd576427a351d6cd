"""Words that GoogleSQL reserves: as a name they stand in backticks, or behind a dot.

Source: https://cloud.google.com/bigquery/docs/reference/standard-sql/lexical#reserved_keywords
"""

from collections.abc import Iterator

from sqlglot import exp

from tarn_bigquery.errors import invalid_query

WORDS = """
ALL AND ANY ARRAY AS ASC ASSERT_ROWS_MODIFIED AT BETWEEN BY CASE CAST COLLATE CONTAINS CREATE CROSS CUBE
CURRENT DEFAULT DEFINE DESC DISTINCT ELSE END ENUM ESCAPE EXCEPT EXCLUDE EXISTS EXTRACT FALSE FETCH FOLLOWING
FOR FROM FULL GROUP GROUPING GROUPS HASH HAVING IF IGNORE IN INNER INTERSECT INTERVAL INTO IS JOIN LATERAL
LEFT LIKE LIMIT LOOKUP MERGE NATURAL NEW NO NOT NULL NULLS OF ON OR ORDER OUTER OVER PARTITION PRECEDING PROTO
QUALIFY RANGE RECURSIVE RESPECT RIGHT ROLLUP ROWS SELECT SET SOME STRUCT TABLESAMPLE THEN TO TREAT TRUE
UNBOUNDED UNION UNNEST USING WHEN WHERE WINDOW WITH WITHIN
"""
RESERVED = frozenset(WORDS.split())


def refuse_reserved_names(tree: exp.Expr) -> None:
    """Raise ApiError `invalidQuery` where a statement uses a reserved word as a name, as BigQuery does.

    sqlglot takes most of them.
    """
    for name in _names(tree):
        if not name.quoted and name.name.upper() in RESERVED:
            place = name.meta
            where = f" at [{place['line']}:{place['col'] - len(name.name) + 1}]" if "line" in place else ""
            raise invalid_query(f"Syntax error: Unexpected keyword {name.name.upper()}{where}")


def _names(tree: exp.Expr) -> Iterator[exp.Identifier]:
    """The identifiers that stand where a path or an alias begins."""
    for node in tree.find_all(exp.Column, exp.Alias, exp.TableAlias, exp.CTE, exp.ColumnDef):
        name = node.parts[0] if isinstance(node, exp.Column) else node.args.get("alias") or node.this
        if isinstance(name, exp.Identifier) and not _is_default(node):
            yield name


def _is_default(node: exp.Expr) -> bool:
    """DEFAULT stands for a value in INSERT, UPDATE and MERGE."""
    return isinstance(node, exp.Column) and node.name.upper() == "DEFAULT"
