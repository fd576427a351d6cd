"""The way of a plain user: a dataset, a table, rows, queries, pages, errors."""

import datetime as dt
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery

from .conftest import Emulator, start_emulator

SCHEMA = [
    bigquery.SchemaField("id", "INT64", mode="REQUIRED"),
    bigquery.SchemaField("name", "STRING", description="what it is called"),
    bigquery.SchemaField("at", "TIMESTAMP"),
    bigquery.SchemaField("parts", "RECORD", mode="REPEATED", fields=[bigquery.SchemaField("size", "FLOAT")]),
]


def values(client: bigquery.Client, sql: str, **config: object) -> list[tuple[object, ...]]:
    return [row.values() for row in client.query(sql, job_config=bigquery.QueryJobConfig(**config)).result()]


def test_rows_come_back_as_they_went_in(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{dataset}.things", schema=SCHEMA))
    rows = [{"id": 1, "name": "x", "at": "2024-01-01T00:00:00Z", "parts": [{"size": 1.5}]}, {"id": 2, "parts": []}]
    assert client.insert_rows_json(table, rows) == []
    at = dt.datetime(2024, 1, 1, tzinfo=dt.UTC)
    assert [row.values() for row in client.list_rows(table)] == [(1, "x", at, [{"size": 1.5}]), (2, None, None, [])]


@pytest.mark.feature("REST", "tabledata.insertAll")
def test_a_bad_row_is_named_and_keeps_the_others_out(client: bigquery.Client, dataset: str) -> None:
    table = client.create_table(bigquery.Table(f"{dataset}.things", schema=SCHEMA))
    errors = client.insert_rows_json(table, [{"id": 1}, {"id": 2, "nmae": "x"}])
    assert [(e["index"], e["errors"][0]["reason"]) for e in errors] == [(1, "invalid"), (0, "stopped")]
    assert list(client.list_rows(table)) == []


@pytest.mark.feature("REST", "tabledata.list and getQueryResults in pages")
def test_pages_hold_every_row_once(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE TABLE `{dataset}.n` AS SELECT x FROM UNNEST(GENERATE_ARRAY(1, 40000)) AS x").result()
    result = client.query(f"SELECT x FROM `{dataset}.n` ORDER BY x").result(page_size=7000)
    assert [row.x for row in result] == list(range(1, 40001))
    listed = client.list_rows(f"{dataset}.n", start_index=39_990)
    assert len(list(listed)) == 10


def test_a_script_runs_each_statement_and_gives_the_last_result(client: bigquery.Client, dataset: str) -> None:
    table = f"`{dataset}.a`"
    script = f"CREATE TABLE {table} (x INT64); INSERT INTO {table} VALUES (1), (2); SELECT SUM(x) AS s FROM {table}"
    job = client.query(script)
    assert [row.s for row in job.result()] == [3]
    children = list(client.list_jobs(parent_job=job.job_id))
    assert sorted(child.statement_type for child in children) == ["CREATE_TABLE", "INSERT", "SELECT"]


@pytest.mark.feature("SQL", "INSERT, UPDATE, DELETE, MERGE with their statistics")
def test_dml_says_what_it_did(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE TABLE `{dataset}.a` AS SELECT x FROM UNNEST([1, 2, 3]) AS x").result()
    merge = client.query(
        f"MERGE `{dataset}.a` AS t USING UNNEST([3, 4]) AS s ON t.x = s "
        "WHEN MATCHED THEN UPDATE SET x = 30 WHEN NOT MATCHED THEN INSERT (x) VALUES (s) "
        "WHEN NOT MATCHED BY SOURCE AND x = 1 THEN DELETE"
    )
    merge.result()
    stats = merge.dml_stats
    assert (merge.num_dml_affected_rows, merge.statement_type) == (3, "MERGE")
    assert (stats.inserted_row_count, stats.updated_row_count, stats.deleted_row_count) == (1, 1, 1)
    assert values(client, f"SELECT x FROM `{dataset}.a` ORDER BY x") == [(2,), (4,), (30,)]


def test_columns_without_a_name_are_numbered(client: bigquery.Client) -> None:
    fields = client.query("SELECT 1, 'a' AS b, COUNT(*) FROM UNNEST([1])").result().schema
    assert [field.name for field in fields] == ["f0_", "b", "f1_"]


@pytest.mark.feature("Jobs", "query parameters, named and positional")
def test_named_and_positional_parameters(client: bigquery.Client) -> None:
    named = [bigquery.ScalarQueryParameter("a", "INT64", 2), bigquery.ArrayQueryParameter("b", "STRING", ["x", "y"])]
    assert values(client, "SELECT @a + 1, ARRAY_LENGTH(@b)", query_parameters=named) == [(3, 2)]
    positional = [
        bigquery.ScalarQueryParameter(None, "STRING", "?"),
        bigquery.ScalarQueryParameter(None, "DATE", dt.date(2024, 2, 3)),
    ]
    assert values(client, "SELECT ?, '?', ?", query_parameters=positional) == [("?", "?", dt.date(2024, 2, 3))]


@pytest.mark.feature("Jobs", "dry runs of queries")
def test_a_dry_run_has_the_schema_and_the_bytes(client: bigquery.Client, dataset: str) -> None:
    client.query(f"CREATE TABLE `{dataset}.a` AS SELECT 1 AS x, 'ab' AS s").result()
    job = client.query(f"SELECT * FROM `{dataset}.a`", job_config=bigquery.QueryJobConfig(dry_run=True))
    assert [(f.name, f.field_type) for f in job.schema] == [("x", "INTEGER"), ("s", "STRING")]
    assert job.total_bytes_processed == 8 + 4


def test_names_that_differ_in_case_are_different_tables(client: bigquery.Client, dataset: str) -> None:
    client.query(
        f"CREATE TABLE `{dataset}.Orders` AS SELECT 1 AS x; CREATE TABLE `{dataset}.orders` AS SELECT 2 AS x"
    ).result()
    assert values(client, f"SELECT a.x, b.x AS y FROM `{dataset}.Orders` a, `{dataset}.orders` b") == [(1, 2)]


@pytest.mark.feature("REST", "errors with BigQuery's words, reason and location")
@pytest.mark.parametrize(
    ("sql", "error", "message"),
    [
        ("SELECT foo FROM (SELECT 1 AS x)", BadRequest, r"Unrecognized name: foo at \[1:8\]"),
        ("SELEC 1", BadRequest, "Syntax error"),
        ("SELECT * FROM nowhere.t", NotFound, r"Not found: Dataset lake:nowhere was not found in location US"),
        ("SELECT NO_SUCH(1)", BadRequest, r"Function not found: NO_SUCH at \[1:8\]"),
        ("SELECT * FROM t", BadRequest, r'Table "t" must be qualified with a dataset'),
    ],
)
def test_errors_are_worded_as_bigquery_words_them(
    client: bigquery.Client, sql: str, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        client.query(sql).result()
    with pytest.raises(error, match=message):
        client.query_and_wait(sql)


def test_what_exists_cannot_be_made_again(client: bigquery.Client, dataset: str) -> None:
    client.create_table(bigquery.Table(f"{dataset}.things", schema=SCHEMA))
    with pytest.raises(Conflict, match="Already Exists: Table"):
        client.create_table(bigquery.Table(f"{dataset}.things", schema=SCHEMA))
    with pytest.raises(Conflict, match="Already Exists: Dataset"):
        client.create_dataset(dataset)


@pytest.mark.feature("Operation", "what a client was told is done survives kill -9")
def test_what_was_told_survives_kill_9(tmp_path: Path) -> None:
    first = start_emulator("--data-dir", str(tmp_path / "data"), log=tmp_path / "first.txt")
    client = first.client()
    client.create_dataset("d")
    client.query("CREATE TABLE d.t AS SELECT 1 AS x; INSERT INTO d.t VALUES (2)").result()
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    second = start_emulator("--data-dir", str(tmp_path / "data"), log=tmp_path / "second.txt")
    assert values(second.client(), "SELECT x FROM d.t ORDER BY x") == [(1,), (2,)]
    assert second.client().get_table("d.t").num_rows == 2
    second.stop()


@pytest.mark.feature("Operation", "a second process on the same folder", refused=True)
def test_a_second_emulator_on_the_same_data_is_refused(tmp_path: Path) -> None:
    data = str(tmp_path / "data")
    first = start_emulator("--data-dir", data, log=tmp_path / "first.txt")
    with pytest.raises(RuntimeError, match="in use by another tarn-bigquery"):
        start_emulator("--data-dir", data, log=tmp_path / "second.txt")
    first.stop()


def test_a_taken_port_is_told_in_one_line(emulator: Emulator, tmp_path: Path) -> None:
    port = emulator.url.rsplit(":", 1)[1]
    with pytest.raises(RuntimeError) as told:
        start_emulator("--ephemeral", "--port", port, log=tmp_path / "log.txt")
    assert str(told.value).count("\n") == 1
    assert f":{port}: Address already in use" in str(told.value)


def test_of_many_that_create_one_dataset_one_does(client: bigquery.Client) -> None:
    def create(_: int) -> str:
        try:
            client.create_dataset(f"race_{os.getpid()}", retry=None)
        except Conflict:
            return "exists"
        return "created"

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(create, range(8))) == ["created", *["exists"] * 7]
