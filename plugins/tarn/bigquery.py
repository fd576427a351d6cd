"""BigQuery for the steps: the official client, what its errors mean, and the lake's dataset."""

import contextlib
from collections.abc import Iterator

import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import GoogleAPICallError, NotFound, RetryError
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import GoogleAuthError
from google.cloud import bigquery
from google.cloud.bigquery.table import RowIterator

from tarn.dataset import ColumnType
from tarn.errors import LoadFailed
from tarn.settings import Settings

RETRY = bigquery.DEFAULT_RETRY.with_timeout(60.0)
CONNECT_SECONDS = 5.0

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


def ask(client: bigquery.Client, sql: str) -> RowIterator:
    """Answer a query for somebody who waits: unlike a step, it gives up soon where no server answers."""
    retry = RETRY.with_timeout(CONNECT_SECONDS)
    return client.query(sql, retry=retry, job_retry=None).result(retry=retry, job_retry=None)


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
        wanted.labels = settings.resource_labels
        found = client.create_dataset(wanted, exists_ok=True, retry=RETRY)
    if found.location and found.location.lower() != settings.location.lower():
        raise LoadFailed(
            f"The dataset {name} lies in {found.location}, but the lake in {settings.location}: set TARN_LOCATION to"
            " the dataset's location, or TARN_LAKE_DATASET to a dataset of its own."
        )
