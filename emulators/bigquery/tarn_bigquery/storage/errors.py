"""What can go wrong between a query and the objects it reads, worded for the person who asked.

None of them has a reason or a code on which Google's clients try again: a job that fails here has had its
retries already.
"""

from __future__ import annotations

from tarn_bigquery.errors import ApiError


class StorageError(ApiError):
    """A query cannot read its objects."""

    _reason = "invalid"

    def __init__(self, message: str) -> None:
        super().__init__(self._reason, message)


class NotFoundError(StorageError):
    """A bucket, or an object that was named in full, does not exist."""

    _reason = "notFound"


class AccessDeniedError(StorageError):
    """The object store knows who asks and refuses."""

    _reason = "accessDenied"


class UnavailableError(StorageError):
    """The object store did not answer, or answered with server errors, after every retry."""


class ObjectChangedError(StorageError):
    """The object that was listed is not the one that arrived: it was replaced or removed in between."""


class PartitionFilterError(StorageError):
    """The table requires a filter over its partition keys and the query has none."""

    _reason = "invalidQuery"
