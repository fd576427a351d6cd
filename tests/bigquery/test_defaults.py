"""Default values of columns: what a statement, a file or a row leaves out."""

import io

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

from tests.bigquery.test_load_and_copy import values

COLUMNS = (
    "id INT64, v NUMERIC(4, 1) DEFAULT 1.25, k STRING DEFAULT GENERATE_UUID(), t TIMESTAMP DEFAULT CURRENT_TIMESTAMP()"
)
KEPT = (1.3, 36, True)


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query_and_wait(f"CREATE TABLE {dataset}.t ({COLUMNS})")
    return f"{dataset}.t"


def stored(client: bigquery.Client, table: str) -> list[tuple[object, ...]]:
    return values(
        client, f"SELECT id, CAST(v AS FLOAT64), LENGTH(k), t > TIMESTAMP '2020-01-01' FROM {table} ORDER BY id"
    )


@pytest.mark.feature("SQL", "DEFAULT values of columns: in DML, loads, streamed rows and queries that leave them out")
def test_statements_that_leave_columns_out(client: bigquery.Client, table: str) -> None:
    client.query_and_wait(f"INSERT {table} (id) VALUES (1), (2)")
    client.query_and_wait(f"INSERT {table} (id, v, k, t) VALUES (3, DEFAULT, DEFAULT, DEFAULT)")
    client.query_and_wait(f"INSERT {table} (id) SELECT 4")
    client.query_and_wait(
        f"MERGE {table} USING (SELECT 5 AS x) ON FALSE WHEN NOT MATCHED THEN INSERT (id, k) VALUES (x, DEFAULT)"
    )
    assert stored(client, table) == [(n, *KEPT) for n in range(1, 6)]
    assert values(client, f"SELECT COUNT(DISTINCT k) FROM {table}") == [(5,)]
    client.query_and_wait(f"UPDATE {table} SET v = 9, k = NULL WHERE id > 1")
    client.query_and_wait(f"UPDATE {table} SET v = DEFAULT WHERE id = 2")
    assert stored(client, table)[1] == (2, 1.3, None, True)
    assert stored(client, table)[2] == (3, 9.0, None, True)


def test_files_rows_and_queries_that_leave_columns_out(client: bigquery.Client, table: str) -> None:
    config = bigquery.LoadJobConfig(source_format="NEWLINE_DELIMITED_JSON")
    config.schema = [bigquery.SchemaField("id", "INTEGER")]
    client.load_table_from_file(io.BytesIO(b'{"id": 1}\n'), table, job_config=config).result()
    assert client.insert_rows_json(table, [{"id": 2}, {"id": 3, "v": None}]) == []
    into = bigquery.QueryJobConfig(destination=table, write_disposition="WRITE_APPEND")
    client.query_and_wait("SELECT 4 AS id", job_config=into)
    assert stored(client, table) == [(1, *KEPT), (2, *KEPT), (3, None, *KEPT[1:]), (4, *KEPT)]


def test_a_default_that_is_set_later_is_for_what_comes(client: bigquery.Client, table: str) -> None:
    client.query_and_wait(f"INSERT {table} (id) VALUES (1)")
    client.query_and_wait(f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT 7")
    client.query_and_wait(f"ALTER TABLE {table} ALTER COLUMN v DROP DEFAULT")
    client.query_and_wait(f"INSERT {table} (k) VALUES ('x')")
    assert stored(client, table) == [(1, *KEPT), (7, None, 1, True)]


@pytest.mark.parametrize(
    ("statement", "told"),
    [
        ("CREATE TABLE {}.u (a INT64 DEFAULT 'x')", "column a: its type is STRING, and that of the column INT64"),
        ("ALTER TABLE {}.t ALTER COLUMN id SET DEFAULT 'x'", "column id: its type is STRING"),
        ("ALTER TABLE {}.t ADD COLUMN b INT64 DEFAULT 1", "b cannot be added with a default value"),
    ],
)
def test_defaults_that_cannot_be(client: bigquery.Client, table: str, statement: str, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        client.query_and_wait(statement.format(table.removesuffix(".t")))


@pytest.mark.feature("SQL", "ALTER COLUMN SET DATA TYPE to a type that holds all that the column may hold")
@pytest.mark.parametrize(
    ("before", "after", "is_taken"),
    [
        ("INT64", "NUMERIC", True),
        ("INT64", "FLOAT64", True),
        ("NUMERIC", "BIGNUMERIC", True),
        ("STRING(3)", "STRING(5)", True),
        ("STRING(3)", "STRING", True),
        ("NUMERIC(5, 2)", "NUMERIC(7, 3)", True),
        ("INT64", "STRING", False),
        ("FLOAT64", "INT64", False),
        ("STRING", "INT64", False),
        ("STRING(5)", "STRING(3)", False),
        ("STRING", "STRING(3)", False),
        ("NUMERIC(5, 2)", "NUMERIC(5, 3)", False),
    ],
)
def test_a_column_s_type_is_only_widened(
    client: bigquery.Client, dataset: str, before: str, after: str, is_taken: bool
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t (a {before})")
    change = f"ALTER TABLE {dataset}.t ALTER COLUMN a SET DATA TYPE {after}"
    if is_taken:
        client.query_and_wait(change)
    else:
        with pytest.raises(BadRequest, match="is assignable to the new type"):
            client.query_and_wait(change)
    kinds = values(client, f"SELECT data_type FROM {dataset}.INFORMATION_SCHEMA.COLUMNS")
    assert kinds == [(after if is_taken else before,)]
