"""What a query's conditions say of a stored table's partitions: which it reads, and whether it says anything at all.

https://cloud.google.com/bigquery/docs/querying-partitioned-tables#require_a_partition_filter_in_queries
"""

from collections.abc import Sequence

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.partitions import INGESTION_DATE, INGESTION_TIME, partition_column, pseudo_columns
from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.expressions import Expressions
from tarn_bigquery.sql.compiler.scope import Relation, Scope
from tarn_bigquery.sql.compiler.sources import table_column
from tarn_bigquery.sql.predicates import conjuncts_about
from tarn_bigquery.storage.pruning import weaken

ROWS = "rows"
"""The name that a table has in `partition_condition`."""

_INGESTION_NAMES = ("_PARTITION_LOAD_TIME", INGESTION_DATE, INGESTION_TIME)


def require_filter(ref: TableRef, body: Resource, conditions: Sequence[exp.Expr]) -> None:
    """Raises ApiError `invalidQuery` where a table asks for a condition on its partitions and there is none."""
    is_required = body.get("requirePartitionFilter") or (body.get("timePartitioning") or {}).get(
        "requirePartitionFilter"
    )
    if not is_required or _on_partitions(body, conditions) or not (names := _names(body)):
        return
    columns = ", ".join(f"'{name}'" for name in names)
    raise invalid_query(
        f"Cannot query over table '{ref.project}.{ref.dataset}.{ref.table}' without a filter over column(s) "
        f"{columns} that can be used for partition elimination"
    )


def partition_condition(body: Resource, conditions: Sequence[exp.Expr]) -> str | None:
    """DuckDB SQL that holds for all rows of a table that the conditions let through, by its partitioning column.

    None where they say nothing about that column.
    """
    found = _on_partitions(body, conditions)
    if not found:
        return None
    fields = [*body.get("schema", {}).get("fields", []), *pseudo_columns(body)]
    columns = [table_column(ROWS, field, hidden=False) for field in fields]
    compiler = Expressions(Scope([Relation("", columns)]), Environment())
    try:
        return " AND ".join(f"({compiler.condition(condition, 'WHERE')})" for condition in found)
    except ApiError:
        # The query has the same condition, and tells what is wrong with it.
        return None


def conditions_of_dml(tree: exp.Expr, target: exp.Table) -> list[exp.Expr]:
    """The conditions of UPDATE, DELETE or MERGE on the rows of the table that it writes."""
    clauses = [tree.args["where"].this] if tree.args.get("where") else []
    if isinstance(tree, exp.Merge):
        whens = tree.args["whens"].expressions
        clauses = [tree.args["on"], *(when.args["condition"] for when in whens if when.args.get("condition"))]
    return [condition for clause in clauses for condition in conjuncts_about(clause, target.alias_or_name)]


def _on_partitions(body: Resource, conditions: Sequence[exp.Expr]) -> list[exp.Expr]:
    known = {name.lower() for name in _names(body)}
    weaker = (weaken(condition, known) for condition in conditions)
    return [condition for condition in weaker if condition is not None]


def _names(body: Resource) -> tuple[str, ...]:
    column = partition_column(body)
    if column is None:
        return ()
    return _INGESTION_NAMES if column == INGESTION_TIME else (column,)
