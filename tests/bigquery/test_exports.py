"""Rows out to a bucket and back: extract jobs and EXPORT DATA, as the official client sends them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from google.api_core.exceptions import BadRequest, NotFound
from google.cloud import bigquery

from tarn_bigquery.config import Settings
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.engine.exports import Exports
from tarn_bigquery.engine.jobs import Job

from .conftest import Bucket

ROWS = """
    SELECT 1 AS i, 'plain' AS s, 1.5 AS f, TRUE AS b, DATE '2024-01-31' AS d,
        TIMESTAMP '2024-01-31 10:20:30.25 UTC' AS ts, DATETIME '2024-01-31 10:20:30' AS dt, TIME '10:20:30' AS t,
        NUMERIC '12.5' AS n, b'\\x00\\xff' AS y
    UNION ALL SELECT 2, 'a, "b"\\nc; ü', -0.25, FALSE, DATE '1969-12-31', TIMESTAMP '1969-12-31 23:59:59 UTC',
        DATETIME '1969-12-31 23:59:59.5', TIME '00:00:00.000001', NUMERIC '-0.000000001', b''
    UNION ALL SELECT 3, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL
"""


@pytest.fixture
def folder(dataset: str) -> str:
    """A prefix of the test's own."""
    return dataset.split(".")[1]


@pytest.fixture
def table(client: bigquery.Client, dataset: str) -> str:
    client.query(f"CREATE TABLE `{dataset}.t` AS {ROWS}").result()
    return f"{dataset}.t"


def values(client: bigquery.Client, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in client.query(sql).result()]


def extract(client: bigquery.Client, table: str, uris: str | list[str], **config: Any) -> bigquery.ExtractJob:
    job = client.extract_table(table, uris, job_config=bigquery.ExtractJobConfig(**config))
    job.result()
    return job


@pytest.mark.feature("Loads and exports", "extract jobs: CSV, JSON lines, Parquet, Avro, compressed")
@pytest.mark.parametrize(
    ("form", "compression"),
    [
        ("CSV", "NONE"),
        ("CSV", "GZIP"),
        ("NEWLINE_DELIMITED_JSON", "NONE"),
        ("NEWLINE_DELIMITED_JSON", "GZIP"),
        ("PARQUET", "NONE"),
        ("PARQUET", "SNAPPY"),
        ("PARQUET", "GZIP"),
        ("PARQUET", "ZSTD"),
        ("AVRO", "NONE"),
        ("AVRO", "DEFLATE"),
    ],
)
def test_what_was_extracted_loads_as_the_same_rows(
    client: bigquery.Client, bucket: Bucket, table: str, folder: str, form: str, compression: str
) -> None:
    job = extract(client, table, bucket.uri(f"{folder}/*"), destination_format=form, compression=compression)
    assert list(job.destination_uri_file_counts) == [1]
    assert bucket.names(folder) == [f"{folder}/000000000000"]
    config = bigquery.LoadJobConfig(source_format=form, schema=client.get_table(table).schema)
    if form == "AVRO":
        config.use_avro_logical_types = True
    if form == "CSV":
        config.skip_leading_rows, config.allow_quoted_newlines = 1, True
    client.load_table_from_uri(bucket.uri(f"{folder}/*"), f"{table}2", job_config=config).result()
    assert values(client, f"SELECT * FROM `{table}2` ORDER BY i") == values(
        client, f"SELECT * FROM `{table}` ORDER BY i"
    )


@pytest.mark.parametrize("form", ["NEWLINE_DELIMITED_JSON", "PARQUET", "AVRO"])
def test_nested_rows_keep_their_shape(
    client: bigquery.Client, bucket: Bucket, dataset: str, folder: str, form: str
) -> None:
    table = f"{dataset}.nested"
    client.query(
        f"CREATE TABLE `{table}` AS SELECT 1 AS i, [STRUCT('x' AS k, [1, 2] AS v)] AS a, "
        "STRUCT(NULL AS z, 'q' AS w) AS s UNION ALL SELECT 2, [], NULL"
    ).result()
    extract(client, table, bucket.uri(f"{folder}/rows"), destination_format=form)
    config = bigquery.LoadJobConfig(source_format=form, schema=client.get_table(table).schema)
    client.load_table_from_uri(bucket.uri(f"{folder}/rows"), f"{table}2", job_config=config).result()
    assert values(client, f"SELECT * FROM `{table}2` ORDER BY i") == values(
        client, f"SELECT * FROM `{table}` ORDER BY i"
    )


def test_the_text_of_csv_and_json(client: bigquery.Client, bucket: Bucket, dataset: str, folder: str) -> None:
    table = f"{dataset}.t"
    client.query(
        f"CREATE TABLE `{table}` AS SELECT 1 AS i, 'a|b' AS s, '' AS e, CAST(NULL AS STRING) AS n, 2.5 AS f, "
        "TIMESTAMP '2024-01-01 00:00:00 UTC' AS ts, JSON '{\"k\": [1]}' AS j"
    ).result()
    extract(client, table, bucket.uri(f"{folder}/a.csv.gz"), field_delimiter="|", compression="GZIP")
    header, line = gzip.decompress(bucket.read(f"{folder}/a.csv.gz")).decode().splitlines()
    assert header == "i|s|e|n|f|ts|j"
    assert line.startswith('1|"a|b"|""||2.5|2024-01-01 00:00:00 UTC|')
    extract(client, table, bucket.uri(f"{folder}/b.csv"), print_header=False)
    assert bucket.read(f"{folder}/b.csv").startswith(b"1,a|b,")
    extract(client, table, bucket.uri(f"{folder}/c.json"), destination_format="NEWLINE_DELIMITED_JSON")
    assert json.loads(bucket.read(f"{folder}/c.json")) == {
        "i": "1", "s": "a|b", "e": "", "f": 2.5, "ts": "2024-01-01 00:00:00 UTC", "j": {"k": [1]},
    }  # fmt: skip


def test_each_uri_gets_files_and_an_empty_table_is_a_header(
    client: bigquery.Client, bucket: Bucket, dataset: str, folder: str
) -> None:
    client.query(f"CREATE TABLE `{dataset}.empty` (a INT64, b STRING)").result()
    uris = [bucket.uri(f"{folder}/x-*.csv"), bucket.uri(f"{folder}/y-*.csv")]
    assert list(extract(client, f"{dataset}.empty", uris).destination_uri_file_counts) == [1, 1]
    assert bucket.read(f"{folder}/y-000000000000.csv") == b"a,b\n"
    extract(client, f"{dataset}.empty", bucket.uri(f"{folder}/none"), print_header=False)
    assert bucket.read(f"{folder}/none") == b""


@pytest.mark.feature("Loads and exports", "sharding over files")
def test_many_rows_are_spread_over_files(bucket: Bucket, tmp_path: Path) -> None:
    engine = Engine(Settings(storage_endpoint=bucket.endpoint))
    try:
        sql = "CREATE SCHEMA d; CREATE TABLE d.t AS SELECT n FROM UNNEST(GENERATE_ARRAY(1, 50000)) AS n"
        made = Job("lake", "make", {"query": {"query": sql}})
        engine.runner.run(made, engine.query_jobs.run)
        assert made.error is None
        uris = [bucket.uri("spread/a-*.csv"), bucket.uri("spread/b-*.csv")]
        table = {"datasetId": "d", "tableId": "t"}
        job = Job("lake", "extract", {"extract": {"sourceTable": table, "destinationUris": uris, "printHeader": False}})
        Exports(engine.queries, engine.externals, tmp_path, shard_bytes=1).run(job)
    finally:
        engine.close()
    counts = [int(count) for count in job.statistics["extract"]["destinationUriFileCounts"]]
    names = bucket.names("spread/")
    assert names == [
        f"spread/{uri}-{n:012d}.csv" for uri, count in zip("ab", counts, strict=True) for n in range(count)
    ]
    assert sum(counts) > 2
    assert sorted(int(line) for name in names for line in bucket.read(name).split()) == list(range(1, 50_001))


def test_a_partition_alone_can_be_extracted(client: bigquery.Client, bucket: Bucket, dataset: str, folder: str) -> None:
    client.query(
        f"CREATE TABLE `{dataset}.p` PARTITION BY d AS "
        "SELECT DATE '2024-01-01' AS d, 1 AS x UNION ALL SELECT DATE '2024-01-02', 2"
    ).result()
    extract(client, f"{dataset}.p$20240102", bucket.uri(f"{folder}/p.csv"), print_header=False)
    assert bucket.read(f"{folder}/p.csv") == b"2024-01-02,2\n"


@pytest.mark.parametrize(
    ("uri", "config", "message"),
    [
        ("gs://{bucket}/a*b*", {}, "only one"),
        ("s3://{bucket}/a", {}, "must be a Google Cloud Storage location"),
        ("gs://{bucket}/a", {"destination_format": "XML"}, "Invalid destination format"),
        ("gs://{bucket}/a", {"compression": "SNAPPY"}, "Compression SNAPPY is not supported for CSV"),
        ("gs://{bucket}/a", {"field_delimiter": "::"}, "Invalid field delimiter"),
    ],
)
def test_what_cannot_be_written_is_refused(
    client: bigquery.Client, bucket: Bucket, table: str, uri: str, config: dict[str, Any], message: str
) -> None:
    with pytest.raises(BadRequest, match=message):
        extract(client, table, uri.format(bucket=bucket.name), **config)


def test_what_cannot_be_read_is_refused(client: bigquery.Client, bucket: Bucket, dataset: str, table: str) -> None:
    client.query(f"CREATE VIEW `{dataset}.v` AS SELECT 1 AS x").result()
    client.query(f"CREATE TABLE `{dataset}.a` AS SELECT [1] AS tags").result()
    with pytest.raises(NotFound):
        extract(client, f"{dataset}.none", bucket.uri("a"))
    with pytest.raises(BadRequest, match="currently a VIEW"):
        extract(client, f"{dataset}.v", bucket.uri("a"))
    with pytest.raises(BadRequest, match="nested schema"):
        extract(client, f"{dataset}.a", bucket.uri("a"))
    with pytest.raises(NotFound, match="no-such-bucket"):
        extract(client, table, "gs://no-such-bucket/a")


@pytest.mark.feature("Loads and exports", "EXPORT DATA")
def test_export_data(client: bigquery.Client, bucket: Bucket, table: str, folder: str) -> None:
    sql = (
        f"EXPORT DATA OPTIONS(uri='{bucket.uri(folder)}/*.csv', format='CSV', header=true, field_delimiter=';', "
        f"overwrite={{}}) AS SELECT i, s FROM `{table}` WHERE i <> 2 ORDER BY i"
    )
    job = client.query(sql.format("false"))
    job.result()
    assert job.statement_type == "EXPORT_DATA"
    assert bucket.read(f"{folder}/000000000000.csv") == b"i;s\n1;plain\n3;\n"
    with pytest.raises(BadRequest, match="exists already"):
        client.query(sql.format("false")).result()
    client.query(sql.format("true")).result()
    assert bucket.names(folder) == [f"{folder}/000000000000.csv"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("format='CSV'", "needs the option uri"),
        ("uri='gs://b/*'", "needs the option format"),
        ("uri='gs://b/one', format='CSV'", "wildcard"),
        ("uri='gs://b/*', format='CSV', colour='red'", "Unknown option: colour"),
    ],
)
def test_export_data_tells_what_is_wrong(client: bigquery.Client, options: str, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        client.query(f"EXPORT DATA OPTIONS({options}) AS SELECT 1 AS x").result()
