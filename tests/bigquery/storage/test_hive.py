"""Hive partitioning: options, keys and values."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarn_bigquery.storage.errors import StorageError
from tarn_bigquery.storage.hive import HivePartitioning, infer_type, parse_value
from tarn_bigquery.storage.uris import parse_uri

from .conftest import Lake, field

SCHEMA = [field("id", "INTEGER")]


def layout(prefix: str, mode: str = "CUSTOM", uri: str = "gs://b/t/*") -> HivePartitioning:
    return HivePartitioning.from_options({"mode": mode, "sourceUriPrefix": prefix}, [parse_uri(uri)])


@pytest.mark.feature("External tables", "hive partitioning CUSTOM, all key types, `__HIVE_DEFAULT_PARTITION__`")
@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("STRING", "a b", "a b"),
        ("INTEGER", "-7", -7),
        ("DATE", "2024-02-29", date(2024, 2, 29)),
        ("TIMESTAMP", "2024-01-01 10:00:00", datetime(2024, 1, 1, 10, tzinfo=UTC)),
        ("TIMESTAMP", "2024-01-01T10:00:00+02:00", datetime(2024, 1, 1, 8, tzinfo=UTC)),
        ("INTEGER", None, None),
    ],
)
def test_values(kind: str, text: str | None, value: object) -> None:
    assert parse_value(text, kind) == value


@pytest.mark.parametrize(
    ("kind", "text"),
    [("INTEGER", "1.5"), ("INTEGER", str(2**63)), ("DATE", "2024-02-30"), ("DATE", "20240101"), ("TIMESTAMP", "noon")],
)
def test_values_of_another_type(kind: str, text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        parse_value(text, kind)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "02"], "INTEGER"),
        (["2024-01-01", None], "DATE"),
        (["2024-01-01 10:00:00"], "TIMESTAMP"),
        (["1", "2024-01-01"], "STRING"),
        ([None], "STRING"),
    ],
)
def test_inference(values: list[str | None], kind: str) -> None:
    assert infer_type(values) == kind


@given(st.text(min_size=1, alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_in_a_name(text: str) -> None:
    name = f"t/k={quote(text, safe='')}/f"
    expected = None if text == "__HIVE_DEFAULT_PARTITION__" else text
    assert layout("gs://b/t/{k:STRING}").values(name) == (expected,)


@given(st.text())
def test_no_prefix_crashes(text: str) -> None:
    try:
        layout(f"gs://b/t/{text}")
    except StorageError as error:
        assert str(error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "SOMEHOW", "sourceUriPrefix": "gs://b/t/"}, "Invalid hive partitioning mode: SOMEHOW"),
        ({"mode": "AUTO"}, "sourceUriPrefix is required"),
        ({"mode": "CUSTOM", "sourceUriPrefix": "gs://b/t/"}, "needs typed keys"),
        ({"mode": "AUTO", "sourceUriPrefix": "gs://b/t/{k:DATE}"}, "only mode CUSTOM takes"),
        ({"mode": "CUSTOM", "sourceUriPrefix": "gs://b/t/{k:FLOAT64}"}, "of type STRING, INTEGER, DATE or TIMESTAMP"),
        ({"mode": "CUSTOM", "sourceUriPrefix": "gs://b/t/{k:DATE}/{K:DATE}"}, "each with a name of its own"),
        ({"mode": "AUTO", "sourceUriPrefix": "gs://b/other/"}, "must be a prefix of every source URI"),
        ({"mode": "AUTO", "sourceUriPrefix": "gs://other/t/"}, "must be a prefix of every source URI"),
    ],
)
def test_bad_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(StorageError, match=message):
        HivePartitioning.from_options(options, [parse_uri("gs://b/t/*")])


@pytest.mark.feature("External tables", "keys that disagree between files, with BigQuery's error", refused=True)
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("t/day=2024-01-01/f", r"Expected 1 partition keys \(\[k\]\), but 1 \(\[day\]\) were encountered"),
        ("t/f", r"Expected 1 partition keys \(\[k\]\), but 0 \(\[\]\)"),
        ("t/k=2024-01-01/h=1/f", r"but 2 \(\[k, h\]\) were encountered along path gs://b/t/k=2024-01-01/h=1/f"),
        ("t/2024/f", r"but 0 \(\[\]\)"),
        ("t/k=someday/f", "Unable to parse partition key 'k' as DATE.*File: gs://b/t/k=someday/f"),
    ],
)
def test_keys_that_disagree(name: str, message: str) -> None:
    with pytest.raises(StorageError, match=message):
        layout("gs://b/t/{k:DATE}").values(name)


@pytest.mark.feature("External tables", "hive partitioning AUTO")
def test_auto_detects_names_and_types_and_keeps_them(lake: Lake) -> None:
    for day, lang in (("2024-01-01", "en"), ("2024-01-02", "__HIVE_DEFAULT_PARTITION__")):
        lake.bucket.put_parquet(f"t/day={day}/lang={lang}/n=01/a.parquet", {"id": [1]})
    hive = {"mode": "AUTO", "sourceUriPrefix": "gs://lake/t"}
    resolved = lake.source.resolve_schema(lake.config("t/*", hive))
    assert [(f["name"], f["type"]) for f in resolved.fields] == [
        ("id", "INTEGER"),
        ("day", "DATE"),
        ("lang", "STRING"),
        ("n", "INTEGER"),
    ]
    table = lake.config("t/*", {**hive, "fields": resolved.partition_keys})
    lake.store.listings.clear()
    assert lake.rows(table, resolved.fields, "day = DATE '2024-01-02' AND lang IS NULL") == [
        (1, date(2024, 1, 2), None, 1)
    ]
    assert lake.store.listings[-1] == ("t/day=2024-01-02/lang=__HIVE_DEFAULT_PARTITION__/n=01/", None)


@pytest.mark.feature("External tables", "hive partitioning STRINGS")
def test_strings_mode(lake: Lake) -> None:
    lake.bucket.put_parquet("t/day=2024-01-01/a.parquet", {"id": [1]})
    hive = {"mode": "STRINGS", "sourceUriPrefix": "gs://lake/t/"}
    assert lake.rows(lake.config("t/*", hive), SCHEMA) == [(1, "2024-01-01")]


def test_a_key_that_is_also_a_column_is_refused(lake: Lake) -> None:
    lake.bucket.put_parquet("t/id=1/a.parquet", {"id": [1]})
    hive = {"mode": "AUTO", "sourceUriPrefix": "gs://lake/t/"}
    with pytest.raises(StorageError, match="'id' of the external table is also a column"):
        lake.source.resolve_schema(lake.config("t/*", hive))
