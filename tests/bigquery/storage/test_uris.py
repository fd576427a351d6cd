"""Source URIs and their wildcard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.uris import parse_uri


@pytest.mark.parametrize(
    ("uri", "name", "matches"),
    [
        ("gs://b/t/*", "t/x/y.parquet", True),
        ("gs://b/t/*.parquet", "t/x/y.parquet", True),
        ("gs://b/t/*.parquet", "t/x/y.csv", False),
        ("gs://b/t/a*a", "t/a", False),
        ("gs://b/t/a*a", "t/aa", True),
        ("gs://b/t/a", "t/a", True),
        ("gs://b/t/a", "t/ab", False),
        ("gs://b/*", "anything", True),
    ],
)
def test_matching(uri: str, name: str, matches: bool) -> None:
    assert parse_uri(uri).matches(name) is matches


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("/data/x", "must be a Google Cloud Storage location"),
        ("s3://b/x", "must be a Google Cloud Storage location"),
        ("gs:///x", "bucket's name is missing"),
        ("gs://b", "Name an object or a pattern"),
        ("gs://b/", "Name an object or a pattern"),
        ("gs://b*/x", "may not hold a wildcard"),
        ("gs://b/*/x/*", "only one '\\*' wildcard"),
    ],
)
def test_bad_uris(uri: str, message: str) -> None:
    with pytest.raises(StorageError, match=message):
        parse_uri(uri)


@given(st.text())
def test_any_text_is_a_pattern_or_an_error(text: str) -> None:
    try:
        assert parse_uri(text).uri == text
    except StorageError as error:
        assert str(error)
