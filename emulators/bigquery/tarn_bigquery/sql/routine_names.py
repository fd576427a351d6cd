"""Names of routines, and the routines that they are the names of."""

from collections.abc import Iterator

from sqlglot import exp

from tarn_bigquery.catalog.catalog import Key, Resource
from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.compiler.functions import FUNCTIONS
from tarn_bigquery.sql.compiler.functions.aggregates import AGGREGATE
from tarn_bigquery.sql.context import QueryContext

_FULL_PATH = 3


def routine_key(path: list[str], context: QueryContext) -> Key:
    """The key of the routine that a path names. Raises ApiError where it lacks a dataset."""
    if len(path) == 1:
        owner = context.default_dataset
        if owner is None:
            raise invalid_query(
                f"Routine name {path[0]} missing dataset while no default dataset is set in the request."
            )
        return Key("Routine", owner, path[0])
    project = path[0] if len(path) == _FULL_PATH else context.project
    return Key("Routine", DatasetRef(project, path[-2]), path[-1])


def found_routines(path: list[str], context: QueryContext) -> Iterator[tuple[Key, Resource]]:
    """The routines that a call of a path may mean, the first before the others."""
    if len(path) > 1:
        keys = [routine_key(path, context)] if len(path) <= _FULL_PATH else []
    else:
        owners = [context.temporary, context.default_dataset]
        keys = [Key("Routine", owner, path[0]) for owner in owners if owner is not None]
    for key in keys:
        body = context.catalog.find(key)
        if body is not None:
            yield key, body


def path_of(call: exp.Expr) -> list[str]:
    """The name of a called function, part by part."""
    parts = [call.name]
    if isinstance(call.parent, exp.Dot) and call.parent.expression is call:
        parts = [*_parts(call.parent.this), call.name]
    return [piece for part in parts for piece in part.split(".")]


def _parts(node: exp.Expr) -> list[str]:
    if isinstance(node, exp.Dot):
        return [*_parts(node.this), *_parts(node.expression)]
    return [part.name for part in node.parts] if isinstance(node, exp.Column) else [node.name]


def mark_aggregates(tree: exp.Expr, context: QueryContext) -> exp.Expr:
    """The tree, with a mark on the calls of a user's own aggregate functions."""
    for call in tree.find_all(exp.Anonymous):
        path = path_of(call)
        if len(path) == 1 and path[0].upper() in FUNCTIONS:
            continue
        if any(body.get("routineType") == "AGGREGATE_FUNCTION" for _, body in found_routines(path, context)):
            call.meta[AGGREGATE] = True
    return tree
