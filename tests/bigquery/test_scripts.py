"""Scripts: variables, branches, loops, procedures, transactions, dynamic SQL, errors caught and raised."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery


def values(client: bigquery.Client, sql: str, **config: Any) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql, job_config=bigquery.QueryJobConfig(**config)).result()]


@pytest.mark.feature(
    "SQL", "scripts: DECLARE, SET, IF, CASE, LOOP, WHILE, REPEAT, FOR, BEGIN ... EXCEPTION, EXECUTE IMMEDIATE"
)
@pytest.mark.parametrize(
    ("script", "result"),
    [
        ("DECLARE x INT64 DEFAULT 3; SET x = x * 2; SELECT x", 6),
        ("DECLARE x, y INT64; SET (x, y) = (1, 2); SELECT x + y", 3),
        ("DECLARE a ARRAY<INT64> DEFAULT [1, 2, 3]; SELECT ARRAY_LENGTH(a)", 3),
        ("DECLARE n DEFAULT (SELECT MAX(v) FROM UNNEST([4, 9]) AS v); SELECT n", 9),
        ('DECLARE s STRING DEFAULT "it\'s"; SELECT s', "it's"),
        ("DECLARE x INT64 DEFAULT 2; IF x > 2 THEN SELECT 'more'; ELSEIF x = 2 THEN SELECT 'two'; END IF", "two"),
        ("IF NULL THEN SELECT 1; ELSE SELECT CASE WHEN TRUE THEN 2 END; END IF", 2),
        ("CASE 2 WHEN 1 THEN SELECT 'a'; WHEN 2 THEN SELECT 'b'; ELSE SELECT 'c'; END CASE", "b"),
        ("DECLARE x INT64 DEFAULT 0; WHILE x < 5 DO SET x = x + 1; END WHILE; SELECT x", 5),
        ("DECLARE x INT64 DEFAULT 0; REPEAT SET x = x + 1; UNTIL x >= 3 END REPEAT; SELECT x", 3),
        ("DECLARE x INT64 DEFAULT 0; LOOP SET x = x + 1; IF x > 6 THEN LEAVE; END IF; END LOOP; SELECT x", 7),
        (
            "DECLARE n INT64 DEFAULT 0; l: LOOP LOOP SET n = n + 1; BREAK l; END LOOP; END LOOP l; SELECT n",
            1,
        ),
        (
            "DECLARE t INT64 DEFAULT 0; FOR r IN (SELECT v FROM UNNEST([1, 2]) v) DO SET t = t+r.v; END FOR; SELECT t",
            3,
        ),
        ("EXECUTE IMMEDIATE 'SELECT ' || '1 + 1'", 2),
        ("DECLARE x INT64; EXECUTE IMMEDIATE 'SELECT @a * @b' INTO x USING 3 AS a, 4 AS b; SELECT x", 12),
        ("BEGIN RAISE USING MESSAGE = 'boom'; EXCEPTION WHEN ERROR THEN SELECT @@error.message; END", "boom"),
        ("CREATE TEMP TABLE t AS SELECT 5 AS x; INSERT INTO t VALUES (6); SELECT SUM(x) FROM t", 11),
    ],
)
def test_a_script_comes_to_its_result(client: bigquery.Client, script: str, result: Any) -> None:
    assert values(client, script) == [(result,)]


@pytest.fixture
def failing(client: bigquery.Client, dataset: str) -> str:
    """The name of a procedure that calls another one that fails."""
    client.query(f"CREATE PROCEDURE `{dataset}.inner`() BEGIN\n  SELECT 1 / 0;\nEND").result()
    client.query(f"CREATE PROCEDURE `{dataset}.outer`() BEGIN CALL `{dataset}.inner`(); END").result()
    return f"{dataset}.outer"


@pytest.mark.feature("SQL", "what an exception handler is told: @@error.message, statement_text, stack_trace ...")
def test_a_handler_knows_what_failed_and_where(client: bigquery.Client, dataset: str, failing: str) -> None:
    seen = "@@error.message, @@error.statement_text, @@error.formatted_stack_trace, @@error.stack_trace"
    found = values(client, f"BEGIN\n  CALL `{failing}`();\nEXCEPTION WHEN ERROR THEN SELECT {seen}; END")
    message, text, formatted, trace = found[0]
    assert (message, text) == (f"Query error: division by zero: 1 / 0 at [{dataset}.inner:2:3]", "SELECT 1 / 0")
    assert formatted == f"At {dataset}.inner[2:3]\nAt {failing}[1:7]\nAt [2:3]"
    places = [(f"{dataset}.inner", 2, 3), (failing, 1, 7), (None, 2, 3)]
    assert [(place["location"], place["line"], place["column"]) for place in trace] == places


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("BEGIN CALL `{p}`(); EXCEPTION WHEN ERROR THEN RAISE; END", r"1 / 0 at \[lake\..*\.inner:2:3\]"),
        (
            "BEGIN CALL `{p}`(); EXCEPTION WHEN ERROR THEN "
            "BEGIN SELECT x; EXCEPTION WHEN ERROR THEN SELECT 1; END; RAISE; END",
            r"1 / 0 at \[lake\..*\.inner:2:3\]",
        ),
        ("BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN SELECT nope; END", r"Query error: Unrecognized name: nope at"),
        ("BEGIN SELECT 1 / 0; EXCEPTION WHEN ERROR THEN RAISE USING MESSAGE = 'mine'; END", r"mine; reason"),
        ("SELECT 1; SELECT @@error.message", "Unknown system variable @@error.message"),
        ("SELECT 1;\nSELECT nope", r"Query error: Unrecognized name: nope at \[2:8\]"),
        ("DECLARE x FLOAT64;\nSET x = 1 / 0", r"Query error: division by zero: 1 / 0 at \[2:1\]"),
        ("SELECT 1; EXECUTE IMMEDIATE 'SELECT 1 / 0'", r"Query error: division by zero: 1 / 0 at \[1:1\]"),
    ],
)
def test_an_error_is_told_with_its_place(client: bigquery.Client, failing: str, script: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query(script.format(p=failing)).result()


def test_an_error_that_nobody_catches_ends_the_script(client: bigquery.Client, dataset: str) -> None:
    script = f"CREATE TABLE `{dataset}.a` (x INT64); RAISE USING MESSAGE = 'no further'; DROP TABLE `{dataset}.a`"
    with pytest.raises(BadRequest, match="no further"):
        client.query(script).result()
    assert client.get_table(f"{dataset}.a").num_rows == 0


def test_temporary_tables_end_with_their_script(client: bigquery.Client) -> None:
    client.query("CREATE TEMP TABLE gone AS SELECT 1 AS x; SELECT * FROM gone").result()
    with pytest.raises(BadRequest, match="must be qualified with a dataset"):
        client.query("SELECT * FROM gone").result()


@pytest.mark.feature("SQL", "transactions")
def test_a_transaction_is_all_or_nothing(client: bigquery.Client, dataset: str) -> None:
    table = f"`{dataset}.a`"
    client.query(f"CREATE TABLE {table} AS SELECT 1 AS x").result()
    rolled_back = (
        f"BEGIN TRANSACTION; INSERT INTO {table} VALUES (2); ROLLBACK TRANSACTION; SELECT COUNT(*) FROM {table}"
    )
    assert values(client, rolled_back) == [(1,)]
    seen_inside = f"BEGIN; INSERT INTO {table} VALUES (2); SELECT COUNT(*) FROM {table}; COMMIT"
    client.query(seen_inside).result()
    assert values(client, f"SELECT COUNT(*) FROM {table}") == [(2,)]
    with pytest.raises(BadRequest):
        client.query(f"BEGIN TRANSACTION; DELETE FROM {table} WHERE TRUE; SELECT nothing; COMMIT").result()
    assert values(client, f"SELECT COUNT(*) FROM {table}") == [(2,)]


@pytest.mark.feature("SQL", "procedures")
def test_procedures_take_and_give(client: bigquery.Client, dataset: str) -> None:
    client.query(
        f"CREATE OR REPLACE PROCEDURE `{dataset}.twice`(IN n INT64, OUT result INT64) BEGIN SET result = n * 2; END"
    ).result()
    assert values(client, f"DECLARE r INT64; CALL `{dataset}.twice`(21, r); SELECT r") == [(42,)]
    with pytest.raises(NotFound, match="Not found: Routine"):
        client.query(f"CALL `{dataset}.nothing`()").result()


@pytest.mark.parametrize(
    ("call", "types"),
    [
        ("CALL `{p}`('a', v)", "STRING, STRING"),
        ("CALL `{p}`(1)", "INT64"),
        ("CALL `{p}`(1.5, v)", "FLOAT64, STRING"),
        ("DECLARE w INT64; CALL `{p}`(1, w)", "INT64, INT64"),
    ],
)
def test_arguments_that_a_procedure_does_not_take(client: bigquery.Client, dataset: str, call: str, types: str) -> None:
    client.query(f"CREATE PROCEDURE `{dataset}.p`(n INT64, OUT s STRING) BEGIN SET s = CAST(n AS STRING); END").result()
    wanted = (
        f"No matching signature for procedure p for argument types: {types}. Supported signature: p\\(INT64, OUT STR"
    )
    with pytest.raises(BadRequest, match=wanted):
        client.query(f"DECLARE v STRING; {call.format(p=f'{dataset}.p')}").result()


def test_arguments_coerce_as_those_of_functions_do(client: bigquery.Client, dataset: str) -> None:
    arguments = "n FLOAT64, d DATE, a ARRAY<DATE>, s STRUCT<x INT64, y STRING>"
    client.query(f"CREATE PROCEDURE `{dataset}.p`({arguments}) BEGIN SELECT n, d, a[0] = d, s.y; END").result()
    found = values(client, f"CALL `{dataset}.p`(1, '2024-01-02', ['2024-01-02'], (1, 'x'))")
    assert found == [(1.0, date(2024, 1, 2), True, "x")]


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("DECLARE x INT64 DEFAULT 'a'", "Cannot coerce expression 'a' to type INT64 at \\[1:25\\]"),
        ("DECLARE x INT64; SET x = 10 / 2", "Cannot coerce expression 10 / 2 to type INT64"),
        ("DECLARE x, y INT64; SET (x, y) = (1, 'a')", "type STRING to type INT64"),
        ("DECLARE x INT64; EXECUTE IMMEDIATE \"SELECT 'a'\" INTO x", "type STRING to type INT64"),
        ("DECLARE x STRING(3) DEFAULT 'long'", "maximum length of 3 exceeded"),
        ("CASE 1 WHEN 'a' THEN SELECT 1; END CASE", "operator = for argument types: INT64, STRING"),
        ("SET nothing = 1", "Undeclared variable: nothing"),
        ("DECLARE x INT64; BEGIN DECLARE x STRING; END", "Variable 'x' redeclaration"),
        ("SELECT 1; DECLARE x INT64", r"only at the start of a block or script at \[1:11\]"),
    ],
)
def test_values_that_a_variable_cannot_take(client: bigquery.Client, script: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query(script).result()


def test_dbt_replaces_partitions_with_a_script(client: bigquery.Client, dataset: str) -> None:
    table = f"`{dataset}.t`"
    rows = "SELECT DATE '2024-01-01' AS d, 1 AS x UNION ALL SELECT DATE '2024-01-02', 2"
    client.query(f"CREATE TABLE {table} PARTITION BY d AS {rows}").result()
    client.query(f"""
        DECLARE replaced ARRAY<DATE>;
        CREATE TEMP TABLE fresh AS SELECT DATE '2024-01-02' AS d, 20 AS x;
        SET (replaced) = (SELECT AS STRUCT ARRAY_AGG(DISTINCT d IGNORE NULLS) FROM fresh);
        MERGE INTO {table} AS kept USING (SELECT * FROM fresh) AS arrived ON FALSE
        WHEN NOT MATCHED BY SOURCE AND kept.d IN UNNEST(replaced) THEN DELETE
        WHEN NOT MATCHED THEN INSERT (d, x) VALUES (d, x);
    """).result()
    assert values(client, f"SELECT x FROM {table} ORDER BY x") == [(1,), (20,)]


@pytest.mark.feature("Jobs", "sessions")
def test_jobs_of_a_session_share_tables_and_variables(client: bigquery.Client) -> None:
    made = client.query(
        "DECLARE v INT64 DEFAULT 4; CREATE TEMP TABLE kept AS SELECT 1 AS x",
        job_config=bigquery.QueryJobConfig(create_session=True),
    )
    made.result()
    shared = [bigquery.ConnectionProperty("session_id", made.session_info.session_id)]
    assert values(client, "SELECT x + v FROM kept", connection_properties=shared) == [(5,)]
    values(client, "CALL BQ.ABORT_SESSION()", connection_properties=shared)
    with pytest.raises(BadRequest, match="Invalid input session id"):
        values(client, "SELECT x FROM kept", connection_properties=shared)


def test_a_transaction_spans_the_jobs_of_its_session(client: bigquery.Client, dataset: str) -> None:
    """Jobs sent between them have other threads of the emulator begin, write and commit."""
    table = f"`{dataset}.a`"
    client.query_and_wait(f"CREATE TABLE {table} AS SELECT 1 AS x")
    made = client.query("SELECT 1", job_config=bigquery.QueryJobConfig(create_session=True))
    made.result()
    shared = [bigquery.ConnectionProperty("session_id", made.session_info.session_id)]
    for ending, rows in (("COMMIT TRANSACTION", 2), ("ROLLBACK TRANSACTION", 2)):
        values(client, "BEGIN TRANSACTION", connection_properties=shared)
        for statement in (f"INSERT INTO {table} VALUES (2)", f"UPDATE {table} SET x = x + 1 WHERE TRUE"):
            values(client, statement, connection_properties=shared)
            with ThreadPoolExecutor(8) as others:
                counts = others.map(lambda _: values(client, f"SELECT COUNT(*) FROM {table}"), range(16))
                assert all(count == [(1 if ending.startswith("COMMIT") else 2,)] for count in counts)
        values(client, ending, connection_properties=shared)
        assert values(client, f"SELECT COUNT(*) FROM {table}") == [(rows,)]
    client.query_and_wait(f"DROP TABLE {table}")


def test_a_session_that_ends_leaves_its_tables_to_others(client: bigquery.Client, dataset: str) -> None:
    table = f"`{dataset}.a`"
    client.query_and_wait(f"CREATE TABLE {table} AS SELECT 1 AS x")
    begun = f"BEGIN TRANSACTION; INSERT INTO {table} VALUES (2)"
    made = client.query(begun, job_config=bigquery.QueryJobConfig(create_session=True))
    made.result()
    shared = [bigquery.ConnectionProperty("session_id", made.session_info.session_id)]
    waiting = client.query(f"INSERT INTO {table} VALUES (3)")
    values(client, "CALL BQ.ABORT_SESSION()", connection_properties=shared)
    waiting.result()
    assert values(client, f"SELECT x FROM {table} ORDER BY x") == [(1,), (3,)]


@pytest.mark.feature("SQL", "BQ.REFRESH_MATERIALIZED_VIEW, of views that are always fresh")
def test_a_materialized_view_is_refreshed(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS x")
    client.query_and_wait(f"CREATE MATERIALIZED VIEW `{dataset}.v` AS SELECT COUNT(*) AS n FROM `{dataset}.t`")
    client.query_and_wait(f"INSERT `{dataset}.t` VALUES (2); CALL BQ.REFRESH_MATERIALIZED_VIEW('{dataset}.v')")
    assert [row.n for row in client.query_and_wait(f"SELECT n FROM `{dataset}.v`")] == [2]
    made = client.get_table(f"{dataset}.v")
    assert (made.mview_enable_refresh, made.mview_refresh_interval.total_seconds()) == (True, 1800)
    with pytest.raises(BadRequest, match="is not a materialized view"):
        client.query_and_wait(f"CALL BQ.REFRESH_MATERIALIZED_VIEW('{dataset}.t')")
    with pytest.raises(NotFound, match="Not found: Table"):
        client.query_and_wait(f"CALL BQ.REFRESH_MATERIALIZED_VIEW('{dataset}.none')")
