"""Rows streamed by tabledata.insertAll: repeated ones, and tables made after a template."""

import pytest
from google.cloud import bigquery

from tarn_bigquery.engine.inserts import RecentIds
from tarn_bigquery.engine.streamed_rows import StreamedRow
from tests.bigquery.test_load_and_copy import values


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` (a INT64 NOT NULL) CLUSTER BY a OPTIONS (description = 'few')")
    return f"{dataset}.t"


@pytest.mark.feature("REST", "insertAll: insertId de-duplication")
def test_a_row_that_comes_again_is_in_once(client: bigquery.Client, table: str) -> None:
    for _ in range(2):
        assert client.insert_rows_json(table, [{"a": 1}, {"a": 2}], row_ids=["x", "y"]) == []
    assert client.insert_rows_json(table, [{"a": 3}, {"a": 3}], row_ids=["z", "z"]) == []
    assert values(client, f"SELECT a FROM `{table}` ORDER BY a") == [(1,), (2,), (3,)]


def test_rows_without_ids_are_all_in(client: bigquery.Client, table: str) -> None:
    for _ in range(2):
        assert client.insert_rows_json(table, [{"a": 1}], row_ids=[None]) == []
    assert values(client, f"SELECT COUNT(*) FROM `{table}`") == [(2,)]


def test_an_id_is_known_only_once_its_row_is_in(client: bigquery.Client, table: str) -> None:
    assert client.insert_rows_json(table, [{"a": None}], row_ids=["x"]) != []
    assert client.insert_rows_json(table, [{"a": "no number"}], row_ids=["x"]) != []
    assert client.insert_rows_json(table, [{"a": 1}], row_ids=["x"]) == []
    assert values(client, f"SELECT a FROM `{table}`") == [(1,)]


def test_a_new_table_of_the_name_knows_no_ids(client: bigquery.Client, table: str) -> None:
    client.insert_rows_json(table, [{"a": 1}], row_ids=["x"])
    client.query_and_wait(f"CREATE OR REPLACE TABLE `{table}` (a INT64) CLUSTER BY a")
    client.insert_rows_json(table, [{"a": 1}], row_ids=["x"])
    assert values(client, f"SELECT a FROM `{table}`") == [(1,)]


@pytest.mark.feature("REST", "insertAll: templateSuffix")
def test_a_suffix_makes_a_table_like_the_template(client: bigquery.Client, table: str) -> None:
    for day in ("_1", "_1", "_2"):
        assert client.insert_rows_json(table, [{"a": 1}], template_suffix=day) == []
    assert values(client, f"SELECT _TABLE_SUFFIX AS s, COUNT(*) FROM `{table}_*` GROUP BY s ORDER BY s") == [
        ("1", 2),
        ("2", 1),
    ]
    made = client.get_table(f"{table}_1")
    assert (made.schema[0].mode, made.clustering_fields, made.description) == ("REQUIRED", ["a"], "few")
    assert values(client, f"SELECT COUNT(*) FROM `{table}`") == [(0,)]


def row_of(insert_id: str) -> StreamedRow:
    return StreamedRow(0, insert_id, [], {}, [])


def test_ids_are_forgotten_the_oldest_first() -> None:
    recent = RecentIds(kept=2)
    for name in ("a", "b", "c", "d"):
        with recent.new("t", [row_of(name)]) as rows:
            assert len(rows) == 1
    with recent.new("t", [row_of("a"), row_of("d")]) as rows:
        assert [row.insert_id for row in rows] == ["a"]


def test_ids_are_forgotten_in_time() -> None:
    recent = RecentIds(seconds=-1)
    for _ in range(2):
        with recent.new("t", [row_of("a"), row_of("a")]) as rows:
            assert len(rows) == 1
