"""Rules of BigQuery and Cloud Storage that their documents do not hold: lake and emulator keep to them."""

import io
import re
import uuid
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tarn.dataset import Dataset, dataset_names, load_dataset
from tarn.external_table import external_table
from tarn.layout import hive_uri_prefix, partition_folder, source_uri
from tarn.settings import BUCKET_NAME, CHECKOUT, DATASET_NAME, Settings

DATASETS = [load_dataset(CHECKOUT / "datasets" / f"{name}.yaml") for name in dataset_names(CHECKOUT / "datasets")]
PARTITION = {"year": "2020", "month": "2020-04", "day": "2020-04-01"}
each_dataset = pytest.mark.parametrize("dataset", DATASETS, ids=lambda one: one.name)


@pytest.fixture(scope="module")
def client(bigquery_url: str) -> bigquery.Client:
    return bigquery.Client("lake", AnonymousCredentials(), client_options={"api_endpoint": bigquery_url})


@pytest.fixture
def home(client: bigquery.Client) -> Iterator[str]:
    name = f"{client.project}.rules_{uuid.uuid4().hex[:12]}"
    client.create_dataset(name)
    yield name
    client.delete_dataset(name, delete_contents=True)


@pytest.fixture(scope="module")
def trips(any_gcs: str) -> str:
    """Where the folders of a table's months are."""
    gcs = storage.Client("lake", AnonymousCredentials(), client_options={"api_endpoint": any_gcs})
    content = io.BytesIO()
    pq.write_table(pa.table({"id": [1, 2]}), content)
    bucket = gcs.create_bucket(f"rules-{uuid.uuid4().hex[:12]}")
    bucket.blob("trips/month=2020-04-01/a.parquet").upload_from_string(content.getvalue())
    return f"gs://{bucket.name}/trips"


def declare(client: bigquery.Client, name: str, uris: list[str], prefix: str) -> bigquery.Table:
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris, config.autodetect = uris, True
    config.hive_partitioning = bigquery.external_config.HivePartitioningOptions.from_api_repr(
        {"mode": "CUSTOM", "sourceUriPrefix": prefix}
    )
    table = bigquery.Table(name)
    table.external_data_configuration = config
    return client.create_table(table)


@each_dataset
def test_the_hive_prefix_ends_where_the_first_key_begins(dataset: Dataset, settings: Settings) -> None:
    """https://cloud.google.com/bigquery/docs/hive-partitioned-queries#supported_data_layouts"""
    prefix = hive_uri_prefix(dataset, settings)
    folder = f"gs://{settings.bucket}/{partition_folder(dataset, dataset.partition(PARTITION[dataset.partition_by]))}"
    assert folder.startswith(f"{prefix}/{dataset.partition_by}=")
    assert source_uri(dataset, settings).startswith(f"{prefix}/")


@each_dataset
def test_a_uri_has_one_wildcard(dataset: Dataset, settings: Settings) -> None:
    """https://cloud.google.com/bigquery/docs/external-data-cloud-storage#wildcard-support"""
    assert source_uri(dataset, settings).count("*") == 1
    assert "*" not in settings.bucket


def test_the_emulator_refuses_a_second_wildcard(client: bigquery.Client, home: str, trips: str) -> None:
    """https://cloud.google.com/bigquery/docs/external-data-cloud-storage#wildcard-support"""
    with pytest.raises(BadRequest):
        declare(client, f"{home}.t", [f"{trips}/*/*.parquet"], f"{trips}/{{month:DATE}}")


def test_the_emulator_refuses_a_prefix_that_the_files_do_not_have(
    client: bigquery.Client, home: str, trips: str
) -> None:
    """https://cloud.google.com/bigquery/docs/hive-partitioned-queries#detection_modes"""
    with pytest.raises(BadRequest):
        declare(client, f"{home}.t", [f"{trips}/*"], f"{trips}-elsewhere/{{month:DATE}}")


@each_dataset
def test_columns_are_declared_where_parquet_may_have_them(dataset: Dataset, settings: Settings) -> None:
    """A schema in externalDataConfiguration is disallowed for Parquet, and one beside it loses the partition keys.

    https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#ExternalDataConfiguration
    https://github.com/hashicorp/terraform-provider-google/issues/8717
    """
    definition = external_table(dataset, settings).definition
    columns, _, rest = definition.partition("WITH PARTITION COLUMNS")
    assert all(f"`{column.name}` {column.type}" in columns for column in dataset.columns)
    assert rest.startswith(f" (`{dataset.partition_by}` DATE)")


def test_the_emulator_takes_every_form_that_clients_use(client: bigquery.Client, home: str, trips: str) -> None:
    """Some clients declare columns in the API all the same, and Terraform's own tests do."""
    key = "{month:DATE}"
    hive = f"hive_partition_uri_prefix = '{trips}', uris = ['{trips}/*'], format = 'PARQUET'"
    for columns in ("(id INT64)", ""):
        create = f"CREATE OR REPLACE EXTERNAL TABLE `{home}.t` {columns}"
        client.query_and_wait(f"{create} WITH PARTITION COLUMNS (month DATE) OPTIONS ({hive})")
        assert [field.name for field in client.get_table(f"{home}.t").schema] == ["id", "month"]
    config = bigquery.ExternalConfig("PARQUET")
    config.source_uris = [f"{trips}/*"]
    config.schema = [bigquery.SchemaField("id", "INTEGER")]
    config.hive_partitioning = bigquery.external_config.HivePartitioningOptions.from_api_repr(
        {"mode": "CUSTOM", "sourceUriPrefix": f"{trips}/{key}"}
    )
    table = bigquery.Table(f"{home}.declared")
    table.external_data_configuration = config
    assert [field.name for field in client.create_table(table).schema] == ["id", "month"]


@each_dataset
def test_names_are_of_the_form_that_google_takes(dataset: Dataset, settings: Settings) -> None:
    """https://cloud.google.com/bigquery/docs/tables#table_naming, .../datasets#dataset-naming, .../schemas#column_names

    The last of them has the reserved prefixes of columns too.
    """
    assert re.fullmatch(r"\w{1,1024}", dataset.table, re.ASCII)
    assert re.fullmatch(DATASET_NAME, settings.lake_dataset)
    assert re.fullmatch(DATASET_NAME, Settings().marts_dataset)
    reserved = ("_table_", "_file_", "_partition", "_row_timestamp", "__root__", "_colidentifier")
    for column in dataset.columns:
        assert re.fullmatch(r"[A-Za-z_]\w{0,299}", column.name)
        assert not column.name.lower().startswith(reserved)


def test_the_bucket_s_name_is_of_the_form_that_google_takes(settings: Settings) -> None:
    """https://cloud.google.com/storage/docs/buckets#naming"""
    for bucket in (settings.bucket, Settings().bucket):
        assert re.fullmatch(BUCKET_NAME, bucket)
        assert "google" not in bucket
        assert not bucket.startswith("goog")


@each_dataset
def test_labels_are_of_the_form_that_google_takes(dataset: Dataset, settings: Settings) -> None:
    """https://cloud.google.com/bigquery/docs/labels-intro#requirements"""
    labels = external_table(dataset, settings.model_copy(update={"labels": "team=data"})).labels
    assert len(labels) <= 64
    for key, value in labels.items():
        assert re.fullmatch(r"[a-z][a-z0-9_-]{0,62}", key)
        assert re.fullmatch(r"[a-z0-9_-]{0,63}", value)


@each_dataset
def test_an_object_s_name_is_of_the_form_that_google_takes(dataset: Dataset) -> None:
    """https://cloud.google.com/storage/docs/objects#naming"""
    folder = partition_folder(dataset, dataset.partition(PARTITION[dataset.partition_by]))
    assert len(folder.encode()) < 900
    assert not re.search(r"[\r\n#\[\]*?:\"<>|]|(^|/)\.{1,2}(/|$)", folder)
    assert not folder.startswith((".well-known/acme-challenge/", "/"))


def test_a_query_says_the_location_of_its_dataset(settings: Settings, client: bigquery.Client) -> None:
    """A job runs where its tables are: https://cloud.google.com/bigquery/docs/locations#specify_locations"""
    assert settings.location == Settings().location == "US"
    job = client.query("SELECT 1", location=settings.location)
    job.result()
    assert job.location == settings.location


def test_a_label_of_another_form_is_refused_before_it_is_sent() -> None:
    """https://cloud.google.com/bigquery/docs/labels-intro#requirements"""
    with pytest.raises(ValueError, match="is no label"):
        Settings(labels="Team=data")
