"""Partition elimination: which files can hold a row that the WHERE clause lets through."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import duckdb
import pyarrow as pa
from sqlglot import exp

_LOG = logging.getLogger(__name__)
_UNKNOWABLE = (exp.Query, exp.Parameter, exp.Placeholder, exp.AggFunc, exp.Window, exp.Rand)

Translate = Callable[[exp.Expr], str]
"""A BigQuery expression as the SQL that DuckDB runs."""


@dataclass(frozen=True, slots=True)
class PartitionFilter:
    """The conjuncts of a query's WHERE clause that concern one table.

    A conjunct is evaluated by `connection` over the files' partition values, so whatever DuckDB can
    compute prunes. It must carry the macros that `translate` makes use of.
    """

    conjuncts: Sequence[exp.Expr]
    translate: Translate
    connection: duckdb.DuckDBPyConnection

    def touches(self, columns: Sequence[str]) -> bool:
        """Whether any conjunct can eliminate partitions by these columns alone."""
        names = {column.lower() for column in columns}
        return any(weaken(conjunct, names) is not None for conjunct in self.conjuncts)

    def keep(self, values: Mapping[str, pa.Array]) -> list[int]:
        """The positions, in rising order, for which no conjunct is known to be FALSE or NULL.

        Each array holds one known column, a value a position.
        """
        names = {column.lower() for column in values}
        kept = range(len(next(iter(values.values()))))
        candidates = pa.table({**values, _POSITION: pa.array(kept, pa.int64())})
        positions = set(kept)
        for conjunct in self.conjuncts:
            weaker = weaken(conjunct, names)
            if weaker is not None:
                positions &= self._satisfying(candidates, weaker)
        return sorted(positions)

    def _satisfying(self, candidates: pa.Table, predicate: exp.Expr) -> set[int]:
        cursor = self.connection.cursor()
        try:
            cursor.register(_RELATION, candidates)
            query = f"SELECT {_POSITION} FROM {_RELATION} WHERE {self.translate(predicate)}"  # noqa: S608
            return {position for (position,) in cursor.execute(query).fetchall()}
        except duckdb.Error as error:
            # Pruning only saves work: the query itself meets the same expression and tells its error.
            _LOG.debug("cannot prune by %s: %s", predicate.sql("bigquery"), error)
            return set(range(len(candidates)))
        finally:
            cursor.close()


_RELATION = "tarn_partitions"
_POSITION = "tarn_position"


def weaken(predicate: exp.Expr, known: set[str]) -> exp.Expr | None:
    """A predicate over the known columns that holds wherever the given one holds; None if that is all rows.

    Under Kleene's logic AND and OR only grow when a part of theirs does, so an unknown part may be
    taken for TRUE there, and NOT is moved inwards first.
    """
    predicate = predicate.unnest()
    if isinstance(predicate, exp.Not):
        return _weaken_negation(predicate, known)
    if isinstance(predicate, exp.And | exp.Or):
        left, right = weaken(predicate.left, known), weaken(predicate.right, known)
        if left is not None and right is not None:
            return type(predicate)(this=exp.paren(left, copy=False), expression=exp.paren(right, copy=False))
        return left or right if isinstance(predicate, exp.And) else None
    return _bare(predicate) if _is_known(predicate, known) else None


def _weaken_negation(negation: exp.Not, known: set[str]) -> exp.Expr | None:
    inner = negation.this.unnest()
    if isinstance(inner, exp.And | exp.Or):
        dual = exp.Or if isinstance(inner, exp.And) else exp.And
        return weaken(dual(this=exp.not_(inner.left), expression=exp.not_(inner.right)), known)
    if isinstance(inner, exp.Not):
        return weaken(inner.this, known)
    return _bare(negation) if _is_known(inner, known) else None


def _is_known(predicate: exp.Expr, known: set[str]) -> bool:
    columns = list(predicate.find_all(exp.Column))
    return (
        bool(columns)
        and all(column.name.lower() in known for column in columns)
        and not any(predicate.find_all(*_UNKNOWABLE))
    )


def _bare(predicate: exp.Expr) -> exp.Expr:
    """A copy whose columns no longer name their table."""
    copy = predicate.copy()
    for column in list(copy.find_all(exp.Column)):
        bare = exp.column(exp.to_identifier(column.name, quoted=True))
        if column is copy:
            return bare
        column.replace(bare)
    return copy
