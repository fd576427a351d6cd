"""Source URIs: `gs://bucket/path` with at most one `*`, which stands for any characters, `/` included.

Source: https://cloud.google.com/bigquery/docs/external-data-cloud-storage#wildcard-support
"""

from __future__ import annotations

from dataclasses import dataclass

from tarn_bigquery.storage.errors import StorageError

_SCHEME = "gs://"


@dataclass(frozen=True, slots=True)
class UriPattern:
    """One source URI; `prefix` is all of the object name that comes before the wildcard."""

    bucket: str
    prefix: str
    suffix: str
    has_wildcard: bool

    @property
    def uri(self) -> str:
        return f"{_SCHEME}{self.bucket}/{self.prefix}{'*' if self.has_wildcard else ''}{self.suffix}"

    def matches(self, name: str) -> bool:
        """Whether an object of this bucket belongs to the pattern."""
        if not self.has_wildcard:
            return name == self.prefix
        long_enough = len(name) >= len(self.prefix) + len(self.suffix)
        return long_enough and name.startswith(self.prefix) and name.endswith(self.suffix)


def parse_uri(uri: str) -> UriPattern:
    """Read one source URI.

    Raises:
        StorageError: not a gs:// address, no object, a wildcard in the bucket or more than one wildcard.
    """
    bucket, path = split_uri(uri)
    if not path:
        raise StorageError(f"Invalid source URI: {uri}. Name an object or a pattern after the bucket.")
    if path.count("*") > 1:
        raise StorageError(f"Invalid source URI: {uri}. A URI may hold only one '*' wildcard.")
    prefix, wildcard, suffix = path.partition("*")
    return UriPattern(bucket, prefix, suffix, bool(wildcard))


def split_uri(uri: str) -> tuple[str, str]:
    """Bucket and path of a gs:// URI.

    Raises:
        StorageError: the address is of another kind, or its bucket is empty or holds a wildcard.
    """
    if not uri.startswith(_SCHEME):
        raise StorageError(
            f"Source URI must be a Google Cloud Storage location: {uri}. Write it as gs://bucket/object."
        )
    bucket, _, path = uri.removeprefix(_SCHEME).partition("/")
    if not bucket:
        raise StorageError(f"Invalid source URI: {uri}. The bucket's name is missing.")
    if "*" in bucket:
        raise StorageError(f"Invalid source URI: {uri}. The bucket's name may not hold a wildcard.")
    return bucket, path
