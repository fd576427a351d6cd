"""The parameters of a column's type, which every way of writing the column is held to."""

import io
import re
from decimal import Decimal
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

COLUMNS = (
    "a STRING(3), b NUMERIC(5, 2), c BYTES(2), d BIGNUMERIC(6, 1), "
    "s STRUCT<x NUMERIC(4, 1), y STRING(2)>, r ARRAY<STRING(2)>"
)
TOO_LONG = r"Field a: STRING\(3\) has maximum length 3 but got a value with length 4"
TOO_WIDE = (
    r"Field b: NUMERIC\(5, 2\) has precision 5 and scale 2 but got a value that is not in range of \[-999.99, 999.99\]"
)


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query_and_wait(f"CREATE TABLE {dataset}.t ({COLUMNS})")
    return f"{dataset}.t"


def stored(client: bigquery.Client, table: str, column: str) -> list[Any]:
    rows = client.query_and_wait(f"SELECT {column} AS it FROM {table}")
    return [row["it"] for row in rows]


@pytest.mark.feature("SQL", "parameterized types: STRING(L), BYTES(L), NUMERIC(P, S) hold in every way of writing")
@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("a", "'abcd'", TOO_LONG),
        ("b", "NUMERIC '999.995'", TOO_WIDE),
        ("c", "b'abc'", r"Field c: BYTES\(2\) has maximum length 2 but got a value with length 3"),
        ("d", "BIGNUMERIC '100000'", r"Field d: BIGNUMERIC\(6, 1\) .* not in range of \[-99999.9, 99999.9\]"),
        ("s", "STRUCT(1, 'abc')", r"Field s.y: STRING\(2\) has maximum length 2 but got a value with length 3"),
        ("r", "['ab', 'abc']", r"Field r: STRING\(2\) has maximum length 2 but got a value with length 3"),
    ],
)
def test_a_value_too_large_is_refused(client: bigquery.Client, table: str, column: str, value: str, told: str) -> None:
    statements = [
        f"INSERT {table} ({column}) VALUES ({value})",
        f"INSERT {table} ({column}) SELECT {value}",
        f"UPDATE {table} SET {column} = {value} WHERE TRUE",
        f"MERGE {table} USING (SELECT 1) ON FALSE WHEN NOT MATCHED THEN INSERT ({column}) VALUES ({value})",
        f"MERGE {table} AS t USING (SELECT 1) ON t.a = 'x' WHEN MATCHED THEN UPDATE SET {column} = {value}",
    ]
    client.query_and_wait(f"INSERT {table} (a) VALUES ('x')")
    for statement in statements:
        with pytest.raises(BadRequest, match=told):
            client.query_and_wait(statement)
    assert stored(client, table, "a") == ["x"]


def test_a_number_is_rounded_to_its_scale(client: bigquery.Client, table: str) -> None:
    client.query_and_wait(f"INSERT {table} (b, s) VALUES (1.255, STRUCT(NUMERIC '-1.25', 'ab'))")
    client.query_and_wait(f"INSERT {table} (b) SELECT NUMERIC '-2.345'")
    assert sorted(stored(client, table, "b")) == [Decimal("-2.35"), Decimal("1.26")]
    assert {"x": Decimal("-1.3"), "y": "ab"} in stored(client, table, "s")
    client.query_and_wait(f"UPDATE {table} SET b = b / 3, r = ['ab'], c = b'xy' WHERE TRUE")
    assert sorted(stored(client, table, "b")) == [Decimal("-0.78"), Decimal("0.42")]


def test_a_query_with_a_declared_schema_is_held_to_it(client: bigquery.Client, dataset: str, table: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.made (b NUMERIC(5, 2)) AS SELECT 1.239 AS b")
    assert stored(client, f"{dataset}.made", "b") == [Decimal("1.24")]
    with pytest.raises(BadRequest, match=TOO_LONG):
        client.query_and_wait(f"CREATE TABLE {dataset}.other (a STRING(3)) AS SELECT 'four' AS a")
    into = bigquery.QueryJobConfig(destination=table, write_disposition="WRITE_APPEND")
    with pytest.raises(BadRequest, match=TOO_LONG):
        client.query_and_wait("SELECT 'four' AS a", job_config=into)
    client.query_and_wait("SELECT NUMERIC '7.777' AS b", job_config=into)
    assert stored(client, table, "b") == [Decimal("7.78")]


def test_files_and_streamed_rows_are_held_to_it(client: bigquery.Client, table: str) -> None:
    def load(text: str) -> None:
        config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON")
        client.load_table_from_file(io.BytesIO(text.encode()), table, job_config=config).result()

    load('{"a": "abc", "b": "1.005"}\n')
    with pytest.raises(BadRequest, match=TOO_LONG):
        load('{"a": "abcd"}\n')
    assert client.insert_rows_json(table, [{"a": "xyz", "b": "1.015"}]) == []
    (refused,) = client.insert_rows_json(table, [{"b": "1000"}])
    assert re.search(TOO_WIDE, refused["errors"][0]["message"])
    assert sorted(stored(client, table, "b")) == [Decimal("1.01"), Decimal("1.02")]


def test_an_array_that_is_stored_has_no_null(client: bigquery.Client, dataset: str) -> None:
    told = "Array cannot have a null element; error in writing field (xs|s.ys)"
    client.query_and_wait(f"CREATE TABLE {dataset}.t (xs ARRAY<INT64>, s STRUCT<ys ARRAY<INT64>>)")
    client.query_and_wait(f"INSERT {dataset}.t VALUES ([1], STRUCT([2])), (NULL, NULL)")
    for statement in (
        "INSERT {} (xs) VALUES ([1, NULL])",
        "INSERT {} (xs) SELECT [1, NULL]",
        "INSERT {} (s) VALUES (STRUCT([NULL, 2]))",
        "UPDATE {} SET xs = ARRAY_CONCAT(xs, [NULL]) WHERE TRUE",
        "UPDATE {} SET s.ys = [NULL] WHERE TRUE",
        "MERGE {} USING (SELECT 1) ON FALSE WHEN NOT MATCHED THEN INSERT (xs) VALUES ([NULL])",
    ):
        with pytest.raises(BadRequest, match=told):
            client.query_and_wait(statement.format(f"{dataset}.t"))
    assert stored(client, f"{dataset}.t", "ARRAY_LENGTH(xs)") == [1, 0]
