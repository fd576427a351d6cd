"""Names of the columns that a query gives: each its own, where they become those of a table or a view."""

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

TWICE = r"Duplicate column names in the result are not supported .* Found duplicate\(s\): a"
UNNAMED = "columns must be named, but column 2 has no name"


@pytest.mark.feature("SQL", "columns of a table or a view that a query makes: named, and each by its own name")
@pytest.mark.parametrize("what", ["TABLE", "VIEW"])
def test_columns_that_a_table_cannot_have(client: bigquery.Client, dataset: str, what: str) -> None:
    for query, told in (("SELECT 1 AS a, 2 AS A", TWICE), ("SELECT 1 AS a, 2", f"CREATE {what} {UNNAMED}")):
        with pytest.raises(BadRequest, match=told):
            client.query_and_wait(f"CREATE {what} {dataset}.made AS {query}")
    assert list(client.list_tables(dataset)) == []
    listed = "(a INT64, b INT64)" if what == "TABLE" else "(a, b)"
    client.query_and_wait(f"CREATE {what} {dataset}.made {listed} AS SELECT 1, 2")
    assert [tuple(row.items()) for row in client.query_and_wait(f"SELECT * FROM {dataset}.made")] == [
        (("a", 1), ("b", 2))
    ]


def test_a_destination_takes_what_has_no_name_and_not_what_has_another_s(client: bigquery.Client, dataset: str) -> None:
    into = bigquery.QueryJobConfig(destination=f"{dataset}.made")
    with pytest.raises(BadRequest, match=TWICE):
        client.query_and_wait("SELECT * FROM UNNEST([STRUCT(1 AS a)]), UNNEST([STRUCT(2 AS a)])", job_config=into)
    client.query_and_wait("SELECT 1, 2 AS b", job_config=into)
    assert [field.name for field in client.get_table(f"{dataset}.made").schema] == ["f0_", "b"]
    assert [field.name for field in client.query_and_wait("SELECT 1 AS a, 2 AS a").schema] == ["a", "a_1"]


def test_a_table_s_own_columns_are_distinct(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(BadRequest, match="Duplicate column name A"):
        client.query_and_wait(f"CREATE TABLE {dataset}.made (a INT64, A STRING)")


def test_a_view_s_own_names(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64, b STRING) AS SELECT 1, 'one' UNION ALL SELECT 2, 'two'")
    client.query_and_wait(f"CREATE VIEW {dataset}.v (b, a_) AS SELECT a + 0 AS x, b AS y FROM {dataset}.t")
    rows = client.query_and_wait(f"SELECT * FROM {dataset}.v WHERE b > 1 AND a_ != 'one'")
    assert [dict(row.items()) for row in rows] == [{"b": 2, "a_": "two"}]
    with pytest.raises(BadRequest, match="Unrecognized name: x"):
        client.query_and_wait(f"SELECT x FROM {dataset}.v")


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("SELECT * FROM {t}", [(1, "one"), (2, "two")]),
        ("SELECT * EXCEPT (a), a FROM {t} -- all of it", [("one", 1), ("two", 2)]),
        ("WITH q AS (SELECT * FROM {t}) SELECT * FROM q UNION ALL SELECT * FROM q WHERE a = 2 ORDER BY 1",
         [(1, "one"), (2, "two"), (2, "two")]),
        ("SELECT AS STRUCT a, b FROM {t}", [(1, "one"), (2, "two")]),
    ],
)  # fmt: skip
def test_a_view_names_columns_of_a_star(
    client: bigquery.Client, dataset: str, query: str, rows: list[tuple[object, ...]]
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a INT64, b STRING) AS SELECT 1, 'one' UNION ALL SELECT 2, 'two'")
    client.query_and_wait(f"CREATE VIEW {dataset}.v (p, q) AS {query.format(t=f'{dataset}.t')}")
    found = client.query_and_wait(f"SELECT p, q FROM {dataset}.v WHERE p IS NOT NULL ORDER BY p, q")
    assert sorted(row.values() for row in found) == rows
    with pytest.raises(BadRequest, match="does not match the number of columns"):
        client.query_and_wait(f"CREATE VIEW {dataset}.w (p) AS SELECT * FROM {dataset}.t")
