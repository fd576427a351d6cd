"""Distances of vectors."""

import math

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function


def _same_length(one: list[float | None], other: list[float | None], name: str) -> list[tuple[float, float]]:
    if len(one) != len(other):
        raise GoogleSqlError(f"Array arguments to {name} must have equal length. The given arrays have lengths of "
                             f"{len(one)} and {len(other)}")  # fmt: skip
    pairs = [(left, right) for left, right in zip(one, other, strict=True) if left is not None and right is not None]
    if len(pairs) != len(one):
        raise GoogleSqlError(f"{name} does not support arrays with NULL elements")
    return pairs


@function("cosine_distance(DOUBLE[], DOUBLE[]) -> DOUBLE")
def cosine_distance(one: list[float | None], other: list[float | None]) -> float:
    pairs = _same_length(one, other, "COSINE_DISTANCE")
    sizes = [math.sqrt(math.fsum(number * number for number in side)) for side in zip(*pairs, strict=True)]
    if not pairs or 0 in sizes:
        raise GoogleSqlError("Cannot compute cosine distance against zero vector.")
    return 1 - math.fsum(left * right for left, right in pairs) / (sizes[0] * sizes[1])


@function("euclidean_distance(DOUBLE[], DOUBLE[]) -> DOUBLE")
def euclidean_distance(one: list[float | None], other: list[float | None]) -> float:
    return math.dist(*zip(*pairs, strict=True)) if (pairs := _same_length(one, other, "EUCLIDEAN_DISTANCE")) else 0.0


@function("aligned(VARCHAR[], DOUBLE[], VARCHAR[], DOUBLE[], INTEGER) -> DOUBLE[]")
def aligned(
    keys: list[str | None],
    numbers: list[float | None],
    other_keys: list[str | None],
    other_numbers: list[float | None],
    side: int,
) -> list[float | None]:
    """One of two sparse vectors, with a place for every dimension that either has."""
    vectors = [dict(zip(keys, numbers, strict=True)), dict(zip(other_keys, other_numbers, strict=True))]
    if len(vectors[0]) != len(keys) or len(vectors[1]) != len(other_keys):
        raise GoogleSqlError("A sparse vector must not have a dimension twice")
    return [vectors[side].get(key, 0.0) for key in sorted({*vectors[0], *vectors[1]}, key=str)]
