"""The columns that part and cluster a table: what they may be, and what may be done with them."""

from typing import Any

import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery

SCHEMA = "s STRING, n INT64, f FLOAT64, d DATE, t TIMESTAMP, a ARRAY<INT64>, j JSON"


@pytest.mark.feature("SQL", "PARTITION BY and CLUSTER BY: columns that are there, of a type that can do it")
@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("PARTITION BY nothing", "for partitioning cannot be found in the schema. Invalid field: nothing"),
        ("PARTITION BY s", "can only be of type TIMESTAMP, DATE or DATETIME. The type found is: STRING"),
        (
            "PARTITION BY RANGE_BUCKET(s, GENERATE_ARRAY(0, 10, 1))",
            "of type INTEGER. The type found is: STRING",
        ),
        ("PARTITION BY TIMESTAMP_TRUNC(d, HOUR)", "cannot be partitioned by hour on the field d of type DATE"),
        ("CLUSTER BY nothing", "for clustering cannot be found in the schema. Invalid field: nothing"),
        ("CLUSTER BY f", "cannot be of type FLOAT: f"),
        ("CLUSTER BY a", "cannot be of type ARRAY<INTEGER>: a"),
        ("CLUSTER BY s, n, d, t, j", "At most 4 fields"),
    ],
)
def test_a_layout_that_cannot_be_is_refused(client: bigquery.Client, dataset: str, layout: str, told: str) -> None:
    with pytest.raises(BadRequest, match="field") as refused:
        client.query_and_wait(f"CREATE TABLE {dataset}.t ({SCHEMA}) {layout}")
    assert told in str(refused.value)


def test_a_layout_is_held_to_the_columns_of_a_query_and_of_a_resource(client: bigquery.Client, dataset: str) -> None:
    with pytest.raises(BadRequest, match="The type found is: STRING"):
        client.query_and_wait(f"CREATE TABLE {dataset}.t PARTITION BY s AS SELECT 'x' AS s")
    table = bigquery.Table(f"{dataset}.t", schema=[bigquery.SchemaField("x", "INTEGER")])
    table.time_partitioning = bigquery.TimePartitioning(field="day")
    with pytest.raises(BadRequest, match="Invalid field: day"):
        client.create_table(table)
    settings: dict[str, Any] = {"destination": f"{dataset}.t", "clustering_fields": ["x"]}
    with pytest.raises(BadRequest, match="cannot be of type FLOAT: x"):
        client.query_and_wait("SELECT 1.5 AS x", job_config=bigquery.QueryJobConfig(**settings))


@pytest.mark.parametrize("change", ["DROP COLUMN d", "RENAME COLUMN D TO e", "DROP COLUMN n", "RENAME COLUMN n TO m"])
def test_columns_of_the_layout_stay(client: bigquery.Client, dataset: str, change: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t ({SCHEMA}) PARTITION BY d CLUSTER BY s, n")
    with pytest.raises(BadRequest, match=r"the (partitioning|clustering) column [dDn]"):
        client.query_and_wait(f"ALTER TABLE {dataset}.t {change}")
    client.query_and_wait(f"ALTER TABLE {dataset}.t DROP COLUMN f")
    assert "f" not in {field.name for field in client.get_table(f"{dataset}.t").schema}


@pytest.mark.feature("SQL", "CREATE OR REPLACE TABLE: of the same partitioning and clustering only, as BigQuery has it")
@pytest.mark.parametrize(
    ("layout", "told"),
    [
        ("", r"New partitioning spec is none and existing spec is interval\(type:day,field:d\)"),
        ("PARTITION BY DATE_TRUNC(d, MONTH) CLUSTER BY s", r"is interval\(type:month,field:d\) and existing"),
        (
            "PARTITION BY RANGE_BUCKET(n, GENERATE_ARRAY(0, 9, 3)) CLUSTER BY s",
            r"range\(field:n,start:0,end:9",
        ),
        ("PARTITION BY d", "different clustering spec"),
    ],
)
def test_a_table_is_replaced_by_one_that_lies_as_it_does(
    client: bigquery.Client, dataset: str, layout: str, told: str
) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.t ({SCHEMA}) PARTITION BY d CLUSTER BY s")
    with pytest.raises(BadRequest, match=told):
        client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t ({SCHEMA}) {layout}")
    query = f"SELECT * FROM {dataset}.t"
    client.query_and_wait(f"CREATE OR REPLACE TABLE {dataset}.t PARTITION BY D CLUSTER BY S AS {query}")
    settings = bigquery.QueryJobConfig(destination=f"{dataset}.t", write_disposition="WRITE_TRUNCATE")
    client.query_and_wait(query, job_config=settings)
    settings.time_partitioning = bigquery.TimePartitioning(type_="MONTH", field="d")
    with pytest.raises(BadRequest, match=r"Expects partitioning specification interval\(type:day,field:d\), but input"):
        client.query_and_wait(query, job_config=settings)
