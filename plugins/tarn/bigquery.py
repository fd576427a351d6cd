"""BigQuery for the load step: the official client, and the external table that a dataset declares."""

import contextlib
import re
from collections.abc import Iterator

import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import Conflict, GoogleAPICallError, NotFound, PreconditionFailed, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.external_config import HivePartitioningOptions

from tarn.dataset import ColumnType, Dataset
from tarn.errors import LoadFailed
from tarn.layout import hive_uri_prefix, source_uri
from tarn.settings import Settings

RETRY = bigquery.DEFAULT_RETRY.with_timeout(60.0)
RACES = 5
LABEL_LENGTH = 63

TYPE_NAMES: dict[str, str] = {ColumnType.INT64: "INTEGER", ColumnType.FLOAT64: "FLOAT", ColumnType.BOOL: "BOOLEAN"}
"""Types that the API spells otherwise than SQL does."""


def bigquery_client(settings: Settings) -> bigquery.Client:
    """A client of the lake's project: anonymous on a local server, else by the key file or the default credentials."""
    if settings.bigquery_url:
        options = ClientOptions(api_endpoint=settings.bigquery_url)
        return bigquery.Client(settings.project, AnonymousCredentials(), client_options=options)
    # Named, so that a BIGQUERY_EMULATOR_HOST left in the environment leads nowhere else.
    options = ClientOptions(api_endpoint="https://bigquery.googleapis.com")
    if settings.key_file:
        return bigquery.Client.from_service_account_json(
            str(settings.key_file), project=settings.project, client_options=options
        )
    return bigquery.Client(settings.project, client_options=options)


@contextlib.contextmanager
def explaining(subject: str, settings: Settings) -> Iterator[None]:
    """Turn what the client raises into a LoadFailed that tells what it means for ``subject``, and what to do next."""
    where = settings.bigquery_url or "BigQuery"
    try:
        yield
    except GoogleAPICallError as error:
        raise LoadFailed(f"{subject}: {where} answered {error.code}: {error.message}") from error
    except GoogleAuthError as error:
        raise LoadFailed(f"{subject}: no credentials for BigQuery ({error}): put a key into credentials/.") from error
    except (RetryError, requests.ConnectionError, requests.Timeout) as error:
        advice = "start the local cloud with `tarn up`" if settings.bigquery_url else "try again later"
        raise LoadFailed(f"{subject}: {where} does not answer: {advice}.") from error


def ensure_dataset(client: bigquery.Client, settings: Settings) -> None:
    """Create the lake's dataset where it is missing.

    Raises LoadFailed where it lies in another location: a table and its bucket must lie together.
    """
    name = f"{settings.project}.{settings.lake_dataset}"
    try:
        found = client.get_dataset(name, retry=RETRY)
    except NotFound:
        wanted = bigquery.Dataset(name)
        wanted.location = settings.location
        found = client.create_dataset(wanted, exists_ok=True, retry=RETRY)
    if found.location and found.location.lower() != settings.location.lower():
        raise LoadFailed(
            f"The dataset {name} lies in {found.location}, but the lake in {settings.location}: set TARN_LOCATION to"
            " the dataset's location, or TARN_LAKE_DATASET to a dataset of its own."
        )


def external_table(dataset: Dataset, settings: Settings) -> bigquery.Table:
    """The external table that a dataset declares.

    The partition key is no part of the declared schema: BigQuery adds it from the hive prefix. Source of the rules:
    https://cloud.google.com/bigquery/docs/hive-partitioned-queries
    """
    hive = HivePartitioningOptions()
    hive.mode = "CUSTOM"
    hive.source_uri_prefix = hive_uri_prefix(dataset, settings)
    hive.require_partition_filter = False
    source = bigquery.ExternalConfig("PARQUET")
    source.source_uris = [source_uri(dataset, settings)]
    source.hive_partitioning = hive
    source.schema = [
        bigquery.SchemaField(column.name, TYPE_NAMES.get(column.type, column.type), description=column.description)
        for column in dataset.columns
    ]
    table = bigquery.Table(f"{settings.project}.{settings.lake_dataset}.{dataset.table}")
    table.external_data_configuration = source
    table.description = f"{dataset.description} Publisher: {dataset.publisher}."
    table.labels = {"managed-by": "tarn", "tarn-dataset": dataset.name[:LABEL_LENGTH]}
    return table


def ensure_table(client: bigquery.Client, wanted: bigquery.Table) -> bool:
    """Create or update an external table where what the server holds differs; tells whether it had to.

    Several may do so at once: whoever comes late finds the table as it should be. Raises LoadFailed where a table of
    another kind has the name.
    """
    for _ in range(RACES):
        with contextlib.suppress(Conflict, PreconditionFailed):
            return _ensure_table_once(client, wanted)
    raise LoadFailed(f"The table {wanted.reference} keeps being changed by others: see who, then load again.")


def _ensure_table_once(client: bigquery.Client, wanted: bigquery.Table) -> bool:
    try:
        found = client.get_table(wanted.reference, retry=RETRY)
    except NotFound:
        client.create_table(wanted, retry=RETRY)
        return True
    if found.table_type != "EXTERNAL":
        raise LoadFailed(
            f"{wanted.reference} is a {found.table_type.lower()}, and the load wants an external table of that name:"
            " rename or drop it, or give the dataset another `table`."
        )
    if _definition(found) == _definition(wanted) and found.labels.items() >= wanted.labels.items():
        return False
    found.external_data_configuration = wanted.external_data_configuration
    found.description = wanted.description
    found.labels = found.labels | wanted.labels
    # The server has told the schema with the partition keys behind the declared columns, and wants it back like that.
    keys = [field for field in found.schema if field.name in _partition_keys(wanted)]
    found.schema = [*wanted.external_data_configuration.schema, *keys]
    client.update_table(found, ["external_data_configuration", "schema", "description", "labels"], retry=RETRY)
    return True


def _definition(table: bigquery.Table) -> tuple[object, ...]:
    """What of a table's definition is ours to say; a server fills in much more."""
    source = table.external_data_configuration
    hive = source.hive_partitioning or HivePartitioningOptions()
    columns = [
        (field.name, TYPE_NAMES.get(field.field_type, field.field_type), field.description)
        for field in table.schema or source.schema
        if field.name not in _partition_keys(table)
    ]
    partitioning = (hive.mode, hive.source_uri_prefix, bool(hive.require_partition_filter))
    return source.source_format, source.source_uris, partitioning, columns, table.description


def _partition_keys(table: bigquery.Table) -> list[str]:
    hive = table.external_data_configuration.hive_partitioning
    return re.findall(r"{(\w+):", hive.source_uri_prefix) if hive else []
