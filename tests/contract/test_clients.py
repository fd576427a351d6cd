"""Google's own clients and gcloud-aio, in each thing that a lake does with them."""

import asyncio
import io
from typing import Any

import aiohttp
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from gcloud.aio.auth import Token
from gcloud.aio.bigquery import Dataset, Job, Table
from gcloud.aio.storage import Storage
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest, NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from .conftest import Tape, Wire

PROJECT = "lake"
METHODS = {
    "bigquery.datasets.delete", "bigquery.datasets.get", "bigquery.datasets.insert", "bigquery.datasets.list",
    "bigquery.datasets.patch", "bigquery.jobs.cancel", "bigquery.jobs.get", "bigquery.jobs.getQueryResults",
    "bigquery.jobs.insert", "bigquery.jobs.list", "bigquery.jobs.query", "bigquery.routines.delete",
    "bigquery.routines.get", "bigquery.routines.insert", "bigquery.routines.list", "bigquery.tabledata.insertAll",
    "bigquery.tabledata.list", "bigquery.tables.delete", "bigquery.tables.get", "bigquery.tables.insert",
    "bigquery.tables.list", "bigquery.tables.patch",
    "storage.buckets.get", "storage.buckets.insert", "storage.objects.compose", "storage.objects.copy",
    "storage.objects.delete", "storage.objects.get", "storage.objects.insert", "storage.objects.list",
    "storage.objects.patch",
}  # fmt: skip


def bigquery_client(wire: Wire) -> bigquery.Client:
    options = ClientOptions(api_endpoint=wire.bigquery.url)
    return bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options)


def storage_client(wire: Wire) -> storage.Client:
    return storage.Client(PROJECT, AnonymousCredentials(), client_options={"api_endpoint": wire.storage.url})


def put_trips(bucket: storage.Bucket) -> str:
    """Put trips of two months into a bucket: the prefix of their folders."""
    for month in ("2020-04-01", "2020-05-01"):
        content = io.BytesIO()
        pq.write_table(pa.table({"id": [1, 2], "total": [1.5, 2.5]}), content)
        bucket.blob(f"trips/month={month}/a.parquet").upload_from_string(content.getvalue())
    return f"gs://{bucket.name}/trips"


def use_bigquery(client: bigquery.Client, trips: str) -> None:
    """Datasets, tables of every kind, rows in and out, jobs of every kind, routines, errors."""
    dataset = bigquery.Dataset(f"{PROJECT}.contract_clients")
    dataset.location, dataset.labels = "US", {"team": "data"}
    dataset = client.create_dataset(dataset)
    dataset.description = "For the contract."
    client.update_dataset(dataset, ["description", "labels", "default_table_expiration_ms"])
    client.get_dataset(dataset.reference)
    list(client.list_datasets(filter="labels.team:data"))
    name = f"{PROJECT}.contract_clients"
    _use_native_tables(client, name)
    _use_external_tables(client, name, trips)
    _use_jobs(client, name, trips)
    routine = bigquery.Routine(f"{name}.doubled", type_="SCALAR_FUNCTION", language="SQL", body="x * 2")
    routine.arguments = [
        bigquery.RoutineArgument(name="x", data_type=bigquery.StandardSqlDataType(bigquery.StandardSqlTypeNames.INT64))
    ]
    client.create_routine(routine)
    client.get_routine(f"{name}.doubled")
    list(client.list_routines(name))
    client.delete_routine(f"{name}.doubled")
    client.delete_dataset(name, delete_contents=True)


def _use_native_tables(client: bigquery.Client, name: str) -> None:
    schema = [
        bigquery.SchemaField("id", "INTEGER", "REQUIRED", description="the key"),
        bigquery.SchemaField("at", "TIMESTAMP"),
        bigquery.SchemaField("tags", "STRING", "REPEATED"),
        bigquery.SchemaField("place", "RECORD", fields=(bigquery.SchemaField("lat", "FLOAT"),)),
    ]
    table = bigquery.Table(f"{name}.native", schema)
    table.time_partitioning = bigquery.TimePartitioning(bigquery.TimePartitioningType.DAY, "at")
    table.clustering_fields = ["id"]
    table = client.create_table(table)
    table.description = "Native."
    table.schema = [*schema, bigquery.SchemaField("more", "NUMERIC")]
    client.update_table(table, ["description", "schema"])
    rows = [{"id": n, "at": "2024-01-01T00:00:00Z", "tags": ["a"], "place": {"lat": 1.5}} for n in range(5)]
    assert client.insert_rows_json(table, rows) == []
    assert len(list(client.list_rows(table, page_size=2))) == 5
    list(client.list_tables(name))
    client.delete_table(table)


def _use_external_tables(client: bigquery.Client, name: str, trips: str) -> None:
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris, config.autodetect = [f"{trips}/*"], True
    config.hive_partitioning = bigquery.external_config.HivePartitioningOptions.from_api_repr(
        {"mode": "CUSTOM", "sourceUriPrefix": f"{trips}/{{month:DATE}}"}
    )
    table = bigquery.Table(f"{name}.trips")
    table.external_data_configuration = config
    client.create_table(table)
    client.get_table(table)
    definition = bigquery.QueryJobConfig(table_definitions={"trips": config})
    client.query("SELECT COUNT(*) FROM trips", definition).result()
    view = bigquery.Table(f"{name}.april")
    view.view_query = f"SELECT id FROM `{name}.trips` WHERE month = '2020-04-01'"
    client.create_table(view)


def _use_jobs(client: bigquery.Client, name: str, trips: str) -> None:
    load = bigquery.LoadJobConfig(source_format="PARQUET", write_disposition="WRITE_TRUNCATE", labels={"team": "data"})
    client.load_table_from_uri(f"{trips}/month=2020-04-01/*", f"{name}.loaded", job_config=load).result()
    csv = bigquery.LoadJobConfig(skip_leading_rows=1, autodetect=True)
    client.load_table_from_file(io.BytesIO(b"id,s\n1,a\n"), f"{name}.from_file", job_config=csv).result()
    client.copy_table(f"{name}.loaded", f"{name}.copied").result()
    client.extract_table(f"{name}.loaded", f"{trips}-out/part-*.csv").result()
    parameters = [
        bigquery.ScalarQueryParameter("least", "INT64", 1),
        bigquery.ArrayQueryParameter("names", "STRING", ["a", "b"]),
        bigquery.StructQueryParameter("both", bigquery.ScalarQueryParameter("x", "FLOAT64", 1.5)),
    ]
    sql = f"SELECT id, total, @names AS names, @both AS both FROM `{name}.loaded` WHERE id >= @least"
    config = bigquery.QueryJobConfig(query_parameters=parameters)
    list(client.query_and_wait(sql, job_config=config, page_size=1))
    client.query(sql, bigquery.QueryJobConfig(query_parameters=parameters, dry_run=True))
    job = client.query(f"CREATE TABLE `{name}.made` AS {sql}", config)
    job.result()
    job.cancel()
    client.query(f"UPDATE `{name}.made` SET total = 0 WHERE TRUE").result()
    client.query(f"DECLARE n INT64 DEFAULT 1; SELECT n; DROP TABLE `{name}.made`").result()
    list(client.list_jobs(max_results=5, all_users=True))
    list(client.list_jobs(max_results=5, state_filter="done"))
    with pytest.raises(BadRequest):
        client.query_and_wait("SELECT nothing")
    with pytest.raises(NotFound):
        client.get_table(f"{name}.missing")


def use_storage(client: storage.Client) -> None:
    """Objects sent in one piece and in several, described, read, composed, copied, listed and removed."""
    bucket = client.create_bucket("contract-clients", location="US")
    client.get_bucket(bucket.name)
    small, large = bucket.blob("a/small.txt"), bucket.blob("a/large.bin", chunk_size=256 * 1024)
    small.upload_from_string("text", content_type="text/plain", if_generation_match=0, checksum="crc32c")
    large.upload_from_file(io.BytesIO(b"x" * 600_000))
    assert small.download_as_bytes() == b"text"
    small.metadata = {"key": "value"}
    small.patch()
    bucket.blob("a/both.bin").compose([small, large])
    bucket.copy_blob(small, bucket, "b/copy.txt")
    assert [blob.name for blob in client.list_blobs(bucket, prefix="a/", max_results=2)]
    list(client.list_blobs(bucket, delimiter="/"))
    small.reload()
    small.delete(if_generation_match=small.generation)
    with pytest.raises(NotFound):
        small.reload()


async def use_gcloud_aio(wire: Wire) -> None:
    """What gcloud-aio's clients offer for tables and objects."""
    async with aiohttp.ClientSession() as session:
        token = Token(service_file=io.StringIO("{}"), session=session)
        place: dict[str, Any] = {"project": PROJECT, "session": session, "token": token}
        place |= {"api_root": f"{wire.bigquery.url}/bigquery/v2"}
        reference = {"projectId": PROJECT, "datasetId": "contract_aio"}
        await Dataset("contract_aio", **place).insert({"datasetReference": reference})
        table = Table("contract_aio", "rows", **place)
        schema = {"fields": [{"name": "id", "type": "INTEGER"}]}
        await table.create({"tableReference": reference | {"tableId": "rows"}, "schema": schema})
        await table.insert([{"id": 1}])
        await table.list_tabledata()
        job = Job(**place)
        await job.insert_via_query("SELECT 1 AS one", use_legacy_sql=False)
        await job.result()
        await Job(**place).query({"query": "SELECT 1 AS one", "useLegacySql": False})
        await table.delete()
        objects = Storage(service_file=io.StringIO("{}"), session=session, api_root=wire.storage.url)
        await objects.upload("contract-clients", "aio/one.txt", b"text", metadata={"crc32c": "L1MZ4Q=="})
        await objects.download("contract-clients", "aio/one.txt")
        await objects.download_metadata("contract-clients", "aio/one.txt")
        await objects.copy("contract-clients", "aio/one.txt", "contract-clients", new_name="aio/two.txt")
        await objects.list_objects("contract-clients", params={"prefix": "aio/"})
        await objects.delete("contract-clients", "aio/one.txt")


@pytest.fixture(scope="module")
def tape(wire: Wire) -> Tape:
    objects = storage_client(wire)
    trips = put_trips(objects.create_bucket("contract-trips"))
    use_bigquery(bigquery_client(wire), trips)
    use_storage(objects)
    asyncio.run(use_gcloud_aio(wire))
    return wire.tape()


def test_the_requests_are_the_apis(tape: Tape) -> None:
    assert tape.request_violations() == []
    assert tape.methods().keys() >= METHODS


@pytest.mark.usefixtures("our_answers")
def test_the_emulators_answers_are_the_apis(tape: Tape) -> None:
    assert tape.answer_violations() == []
