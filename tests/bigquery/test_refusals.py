"""What BigQuery has and the emulator has not is refused by its name, and never done another way in silence."""

import io
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, MethodNotImplemented
from google.cloud import bigquery

from tests.bigquery.conftest import Bucket
from tests.bigquery.test_load_and_copy import values


@pytest.mark.feature("SQL", "geography, encryption, text search and sketch functions", refused=True)
@pytest.mark.parametrize(
    ("expression", "name"),
    [
        ("ST_GEOGPOINT(1, 2)", "geography functions: ST_GEOGPOINT"),
        ("KEYS.NEW_KEYSET('AEAD_AES_GCM_256')", "encryption functions: KEYS.NEW_KEYSET"),
        ("AEAD.ENCRYPT(b'k', 'x', '')", "encryption functions: AEAD.ENCRYPT"),
        ("DETERMINISTIC_ENCRYPT(b'k', 'x', '')", "encryption functions: DETERMINISTIC_ENCRYPT"),
        ("SEARCH('a b', 'a')", "text search functions: SEARCH"),
        ("KLL_QUANTILES.INIT_INT64(1, 10)", "quantile sketch functions: KLL_QUANTILES.INIT_INT64"),
    ],
)
def test_functions(client: bigquery.Client, expression: str, name: str) -> None:
    with pytest.raises(MethodNotImplemented, match=name):
        client.query_and_wait(f"SELECT {expression} AS x")


@pytest.mark.feature("SQL", "GRANT and REVOKE, search and vector indexes, row access policies, models", refused=True)
@pytest.mark.parametrize(
    ("statement", "name"),
    [
        ("GRANT `roles/bigquery.dataViewer` ON SCHEMA d TO 'user:a@b.c'", "the statement GRANT."),
        ("REVOKE `roles/bigquery.dataViewer` ON SCHEMA d FROM 'user:a@b.c'", "the statement REVOKE."),
        ("CREATE SEARCH INDEX i ON d.t (ALL COLUMNS)", "the statement CREATE SEARCH."),
        ("CREATE ROW ACCESS POLICY p ON d.t GRANT TO ('user:a@b.c') FILTER USING (TRUE)", "the statement CREATE ROW."),
        (
            "CREATE TABLE d.t (x INT64) WITH CONNECTION c.d OPTIONS (file_format = 'PARQUET')",
            "this form of CREATE.",
        ),
        ("CREATE MATERIALIZED VIEW d.m AS REPLICA OF d.x", "the statement CREATE MATERIALIZED"),
        ("UNDROP SCHEMA d", "the statement UNDROP SCHEMA."),
        ("CREATE MODEL d.m OPTIONS (model_type = 'linear_reg') AS SELECT 1 AS label", "the statement CREATE MODEL"),
    ],
)
def test_statements(client: bigquery.Client, statement: str, name: str) -> None:
    with pytest.raises(MethodNotImplemented) as refused:
        client.query_and_wait(statement)
    assert f"The emulator does not support {name}" in str(refused.value)


@pytest.mark.feature("SQL", "EXTERNAL_QUERY", refused=True)
def test_table_functions(client: bigquery.Client) -> None:
    with pytest.raises(MethodNotImplemented, match="EXTERNAL_QUERY"):
        client.query_and_wait("SELECT * FROM EXTERNAL_QUERY('c', 'SELECT 1')")


def test_a_misspelt_function_is_not_found(client: bigquery.Client) -> None:
    with pytest.raises(BadRequest, match="Function not found: STGEO"):
        client.query_and_wait("SELECT STGEO(1) AS x")


def test_a_range_of_nothing(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(BadRequest, match="Syntax error"):
        client.query_and_wait(f"CREATE TABLE `{dataset}.t` (r RANGE)")


@pytest.mark.feature(
    "SQL", "collations, generated columns, CHECK, rounding modes of columns, policy tags", refused=True
)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE TABLE `{d}.t` (a STRING COLLATE 'und:ci')", "the collation und:ci"),
        ("CREATE TABLE `{d}.t` (a STRUCT<b STRING COLLATE 'und:ci'>)", "the collation und:ci"),
        ("CREATE TABLE `{d}.t` (a STRING) DEFAULT COLLATE 'und:ci'", "the collation und:ci"),
        ("CREATE SCHEMA `{d}_2` DEFAULT COLLATE 'und:ci'", "the collation und:ci"),
        ("CREATE SCHEMA `{d}_2` OPTIONS (is_case_insensitive = TRUE)", "the option is_case_insensitive"),
        ("CREATE TABLE `{d}.t` (a INT64, b INT64 GENERATED ALWAYS AS (a + 1))", "GENERATED ALWAYS .* of the column b"),
        ("CREATE TABLE `{d}.t` (a INT64 CHECK (a > 1))", "CHECK .* of the column a"),
        ("CREATE TABLE `{d}.t` (a NUMERIC OPTIONS (rounding_mode = 'ROUND_HALF_EVEN'))", "rounding_mode"),
        ("CREATE TABLE `{d}.t` (a STRING OPTIONS (policy_tags = 'x'))", "policy_tags"),
    ],
)
def test_what_would_change_the_values_of_columns(
    client: bigquery.Client, dataset: str, statement: str, message: str
) -> None:
    with pytest.raises(MethodNotImplemented, match=message):
        client.query_and_wait(statement.format(d=dataset))


@pytest.mark.feature("SQL", "functions in Python", refused=True)
def test_functions_in_other_languages(client: bigquery.Client, dataset: str) -> None:
    python = "OPTIONS (entry_point = 'f', runtime_version = 'python-3.11') AS r'''def f(x): return x'''"
    with pytest.raises(MethodNotImplemented, match="functions in the language python"):
        client.query_and_wait(f"CREATE FUNCTION `{dataset}.f`(x INT64) RETURNS INT64 LANGUAGE python {python}")


@pytest.mark.feature("SQL", "aggregate functions in other languages, or with DISTINCT, ORDER BY or OVER", refused=True)
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("CREATE AGGREGATE FUNCTION `{d}.f`(x INT64) RETURNS INT64 LANGUAGE js AS 'return 1'", "in the language js"),
        (
            "CREATE TEMP AGGREGATE FUNCTION f(x INT64) AS (SUM(x)); SELECT f(1) OVER () FROM UNNEST([1])",
            "aggregate function f",
        ),
        (
            "CREATE TEMP AGGREGATE FUNCTION f(x INT64) AS (SUM(x)); SELECT f(DISTINCT 1) FROM UNNEST([1])",
            "aggregate function f",
        ),
    ],
)
def test_aggregate_functions(client: bigquery.Client, dataset: str, statement: str, message: str) -> None:
    with pytest.raises(MethodNotImplemented, match=message):
        client.query_and_wait(statement.format(d=dataset))


def test_a_routine_in_another_language_is_kept_and_not_called(client: bigquery.Client, dataset: str) -> None:
    routine = bigquery.Routine(f"{dataset}.scala", type_="SCALAR_FUNCTION", language="SCALA", body="x")
    client.create_routine(routine)
    with pytest.raises(MethodNotImplemented, match="functions in the language SCALA"):
        client.query_and_wait(f"SELECT `{dataset}`.scala()")


def csv(client: bigquery.Client, table: str, text: str, **properties: Any) -> bigquery.LoadJob:
    config = bigquery.LoadJobConfig(
        schema=[bigquery.SchemaField("a", "INT64"), bigquery.SchemaField("s", "STRING")], source_format="CSV"
    )
    config._properties["load"] |= properties
    job = client.load_table_from_file(io.BytesIO(text.encode()), table, job_config=config)
    job.result()
    return job


@pytest.mark.feature(
    "Loads and exports", "timeZone, dateFormat, sourceColumnMatch NAME, manifests, decimalTargetTypes", refused=True
)
@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeZone", "Europe/Paris"),
        ("dateFormat", "DD/MM/YYYY"),
        ("timestampFormat", "YYYY"),
        ("sourceColumnMatch", "NAME"),
        ("fileSetSpecType", "FILE_SET_SPEC_TYPE_NEW_LINE_DELIMITED_MANIFEST"),
        ("decimalTargetTypes", ["STRING"]),
    ],
)
def test_options_of_loads(client: bigquery.Client, dataset: str, option: str, value: object) -> None:
    with pytest.raises(MethodNotImplemented, match=f"the option {option}"):
        csv(client, f"{dataset}.t", "1,x\n", **{option: value})


def test_what_these_options_are_without_being_given_is_served(client: bigquery.Client, dataset: str) -> None:
    csv(client, f"{dataset}.t", "1,x\n", timeZone="UTC", sourceColumnMatch="POSITION", decimalTargetTypes=["NUMERIC"])
    assert values(client, f"SELECT * FROM `{dataset}.t`") == [(1, "x")]


@pytest.mark.feature("External tables", "date_format; csvOptions that BigQuery does not have", refused=True)
def test_options_of_external_tables(client: bigquery.Client, dataset: str, bucket: Bucket) -> None:
    uri = bucket.put("refusals/a.csv", b"1,NA\n-,-\n")
    create = f"CREATE EXTERNAL TABLE `{dataset}.t` (a INT64, s STRING) OPTIONS (format = 'CSV', uris = ['{uri}'], {{}})"
    with pytest.raises(MethodNotImplemented, match="the option dateFormat"):
        client.query_and_wait(create.format("date_format = 'YYYY'"))
    client.query_and_wait(create.format("null_markers = ['NA', '-']"))
    assert values(client, f"SELECT * FROM `{dataset}.t` ORDER BY a") == [(None, None), (1, None)]
    config = {"sourceFormat": "CSV", "sourceUris": [uri], "csvOptions": {"colour": "red"}}
    table = bigquery.Table(f"{dataset}.u")
    table.external_data_configuration = bigquery.ExternalConfig.from_api_repr({**config, "autodetect": True})
    with pytest.raises(BadRequest, match="csvOptions"):
        client.create_table(table)


def test_several_null_markers(client: bigquery.Client, dataset: str) -> None:
    csv(client, f"{dataset}.t", "1,NA\n-,x\n3,\n", nullMarkers=["NA", "-"])
    assert values(client, f"SELECT * FROM `{dataset}.t` ORDER BY a") == [(None, "x"), (1, None), (3, "")]
    with pytest.raises(BadRequest, match="Only one of nullMarker and nullMarkers"):
        csv(client, f"{dataset}.t", "1,x\n", nullMarkers=["NA"], nullMarker="-")


@pytest.mark.feature("Loads and exports", "maxBadRecords, with the count of bad records")
def test_bad_records_are_counted(client: bigquery.Client, dataset: str) -> None:
    job = csv(client, f"{dataset}.t", "1,x\none,y\n2,z\n3\n", maxBadRecords=2)
    assert job.output_rows == 2
    assert job._properties["statistics"]["load"]["badRecords"] == "2"


def test_parameters_of_routines(client: bigquery.Client, dataset: str) -> None:
    client.query_and_wait(f"CREATE FUNCTION `{dataset}.f`(x INT64, y ARRAY<STRING>) RETURNS FLOAT64 AS (x / 2.0)")
    client.query_and_wait(f"CREATE PROCEDURE `{dataset}.p`(a INT64, OUT b STRING) BEGIN SET b = 'x'; END")
    rows = values(
        client,
        "SELECT specific_name, ordinal_position, parameter_mode, is_result, parameter_name, data_type "
        f"FROM `{dataset}`.INFORMATION_SCHEMA.PARAMETERS ORDER BY 1, 2",
    )
    assert rows == [
        ("f", 0, None, "YES", None, "FLOAT64"),
        ("f", 1, None, "NO", "x", "INT64"),
        ("f", 2, None, "NO", "y", "ARRAY<STRING>"),
        ("p", 1, "IN", "NO", "a", "INT64"),
        ("p", 2, "OUT", "NO", "b", "STRING"),
    ]
