"""A trial of the lake: names that nobody else has, what it will cost, and the way to leave nothing behind."""

import contextlib
import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery, storage

from tarn.bigquery import bigquery_client
from tarn.dataset import Dataset, find_dataset
from tarn.gcp.identity import find_identity
from tarn.gcp.roles import lake_datasets
from tarn.settings import CHECKOUT, Settings, Target

MARK = "tarn_test"
DATASETS = ("taxi_green", "taxi_zones")
MONTHS = ("2020-04", "2020-05")

# On demand, in the most expensive place; a query is charged for at least 10 MB of each table that it reads.
# https://cloud.google.com/bigquery/pricing, https://cloud.google.com/storage/pricing
DOLLARS_A_TIB = 10.0
LEAST_BYTES_OF_A_TABLE = 10 << 20
DOLLARS_A_1000_WRITES = 0.01
DOLLARS_A_GIB_MONTH = 0.04
QUERIES, TABLES_OF_A_QUERY, WRITES = 250, 3, 100
STORED_BYTES = 10 << 20


@dataclass(frozen=True)
class Trial:
    """One run of the suite: its settings, and where in the bucket it writes."""

    settings: Settings
    prefix: str

    @classmethod
    def of(cls, given: Settings) -> "Trial":
        """A trial in the project and bucket of these settings, under names of its own."""
        token = secrets.token_hex(4)
        names = {"lake_dataset": f"{MARK}_{token}", "marts_dataset": f"{MARK}_{token}_marts"}
        return cls(given.model_copy(update=names), f"{MARK}-{token}")

    def dataset(self, name: str) -> Dataset:
        """A dataset of the lake, below the trial's own prefix."""
        dataset = find_dataset(name, CHECKOUT / "datasets")
        return dataset.model_copy(update={"prefix": f"{self.prefix}/{dataset.prefix}"})

    def tables(self) -> bigquery.Client:
        """BigQuery, as the lake reaches it."""
        return bigquery_client(self.settings)

    def objects(self) -> storage.Client:
        """Cloud Storage, through Google's own client and not the lake's."""
        if self.settings.target is Target.GCP:
            return storage.Client(self.settings.project, find_identity(self.settings).credentials)
        nobody = AnonymousCredentials()
        return storage.Client(self.settings.project, nobody, client_options={"api_endpoint": self.settings.gcs_url})

    def leftovers(self) -> list[str]:
        """What the trial has made and is still there: its datasets and its objects."""
        tables = [one.dataset_id for one in self.tables().list_datasets() if one.dataset_id in self._own_datasets()]
        blobs = self.objects().list_blobs(self.settings.bucket, prefix=f"{self.prefix}/")
        return sorted([*tables, *(blob.name for blob in blobs)])

    def clean(self) -> None:
        """Remove all that the trial has made, and nothing else. Raises where something cannot be removed."""
        with contextlib.ExitStack() as every:
            # Each is tried whatever becomes of the others; the first failure is told in the end.
            for name in self._own_datasets():
                every.callback(self.tables().delete_dataset, name, delete_contents=True, not_found_ok=True)
            every.callback(self._remove_objects)

    def _remove_objects(self) -> None:
        for blob in self.objects().list_blobs(self.settings.bucket, prefix=f"{self.prefix}/"):
            blob.delete()

    def _own_datasets(self) -> list[str]:
        return lake_datasets(self.settings)


@contextlib.contextmanager
def trial_of(given: Settings) -> Iterator[Trial]:
    """A trial, cleaned up after however it ends."""
    trial = Trial.of(given)
    try:
        yield trial
    finally:
        trial.clean()


def cost_in_dollars() -> float:
    """What a run of the suite costs at most, by Google's list prices."""
    scanned = QUERIES * TABLES_OF_A_QUERY * LEAST_BYTES_OF_A_TABLE / (1 << 40) * DOLLARS_A_TIB
    written = WRITES / 1000 * DOLLARS_A_1000_WRITES
    stored = STORED_BYTES / (1 << 30) * DOLLARS_A_GIB_MONTH
    return scanned + written + stored


def announcement(given: Settings) -> str:
    """What the run will do and cost, for whoever pays."""
    where = f"project {given.project}, bucket {given.bucket}, location {given.location}"
    if given.target is Target.LOCAL:
        return f"a rehearsal on the emulators ({where}): free; on Google Cloud at most ${cost_in_dollars():.2f}"
    return (
        f"Google Cloud ({where}): at most ${cost_in_dollars():.2f} by list price ({QUERIES} queries of"
        f" {TABLES_OF_A_QUERY} tables, {WRITES} objects); datasets and objects named {MARK} are removed at the end"
    )
