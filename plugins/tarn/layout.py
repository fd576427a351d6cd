"""Where a dataset lies in the lake's bucket: ``gs://BUCKET/PREFIX/month=2024-01-01/<file>.parquet``."""

from tarn.dataset import Dataset
from tarn.partition import Partition
from tarn.settings import Settings


def partition_folder(dataset: Dataset, partition: Partition) -> str:
    """The start of the names of a partition's objects."""
    return f"{_prefix(dataset)}/{partition.hive}/"


def source_uri(dataset: Dataset, settings: Settings) -> str:
    """All objects of a dataset, as an external table names them: BigQuery allows one ``*`` a URI."""
    return f"gs://{settings.bucket}/{_prefix(dataset)}/*"


def hive_uri_prefix(dataset: Dataset, settings: Settings) -> str:
    """What stands before the partition key: BigQuery wants it to end where the key begins."""
    return f"gs://{settings.bucket}/{_prefix(dataset)}"


def _prefix(dataset: Dataset) -> str:
    return dataset.prefix.strip("/")
