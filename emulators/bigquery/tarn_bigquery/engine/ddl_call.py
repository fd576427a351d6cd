"""What the DDL statements have in common: the call, its outcome, the form that a tree must have."""

from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.queries import Outcome, Queries
from tarn_bigquery.errors import unsupported
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.parse import Statement

_Node = TypeVar("_Node", bound=exp.Expr)


@dataclass(frozen=True)
class Call:
    """One DDL statement with all it needs."""

    statement: Statement
    context: QueryContext
    job: Job
    queries: Queries

    @property
    def tree(self) -> exp.Expr:
        return self.statement.tree


def ddl_outcome(operation: str, ref: TableRef) -> Outcome:
    """The outcome of CREATE, REPLACE, ALTER, DROP or SKIP, done to a table."""
    statistics = {"ddlOperationPerformed": operation, "ddlTargetTable": ref.rest()}
    return Outcome("", destination=ref, statistics=statistics)


def narrowed(kind: type[_Node], node: object) -> _Node:
    """The node, which must be of the kind. Raises ApiError `notImplemented` otherwise."""
    if not isinstance(node, kind):
        raise unsupported(f"this form of {kind.__name__.upper()}")
    return node
