"""What the lake holds, as the receipts in the staging area tell it; BigQuery is not asked."""

import datetime as dt
from dataclasses import dataclass

from tarn.dataset import Dataset, dataset_names, find_dataset
from tarn.errors import InvalidPartition
from tarn.partition import Partition
from tarn.pipeline import Step
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staged_receipts import receipts_at_hand
from tarn.staging import Workspace


@dataclass(frozen=True)
class LoadedPartition:
    """A partition that BigQuery was seen to hold. ``bytes`` are those of its objects in the bucket."""

    partition: Partition
    rows: int
    bytes: int
    quarantined: int
    loaded_at: dt.datetime


@dataclass(frozen=True)
class DatasetInventory:
    """A dataset's loaded partitions, in the order of time."""

    dataset: Dataset
    partitions: tuple[LoadedPartition, ...]

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return sum(one.rows for one in self.partitions)

    @property
    def bytes(self) -> int:
        """Bytes of all partitions' objects."""
        return sum(one.bytes for one in self.partitions)

    @property
    def quarantined(self) -> int:
        """Rows that lie in quarantine."""
        return sum(one.quarantined for one in self.partitions)

    @property
    def last_run(self) -> dt.datetime | None:
        """When a partition was last loaded."""
        return max((one.loaded_at for one in self.partitions), default=None)


def take_inventory(settings: Settings) -> list[DatasetInventory]:
    """Every declared dataset and what is loaded of it.

    Raises InvalidDataset where a file is wrong, StagingFailed where a staging area in a bucket cannot be read.
    """
    datasets = [find_dataset(name, settings.datasets_folder) for name in dataset_names(settings.datasets_folder)]
    with receipts_at_hand(settings) as here:
        return [_inventory(dataset, here) for dataset in datasets]


def inventory_of(dataset: Dataset, settings: Settings) -> DatasetInventory:
    """What is loaded of one dataset; raises StagingFailed where a staging area in a bucket cannot be read."""
    with receipts_at_hand(settings, dataset.name) as here:
        return _inventory(dataset, here)


def _inventory(dataset: Dataset, settings: Settings) -> DatasetInventory:
    key = f"{dataset.partition_by}="
    folders = (settings.staging_folder / dataset.name).glob(f"{key}*")
    found = (_loaded(dataset, folder.name.removeprefix(key), settings) for folder in sorted(folders))
    return DatasetInventory(dataset, tuple(one for one in found if one is not None))


def _loaded(dataset: Dataset, text: str, settings: Settings) -> LoadedPartition | None:
    try:
        partition = dataset.partition(text)
    except InvalidPartition:  # a folder that the lake has not made
        return None
    workspace = Workspace.of(dataset, partition, settings)
    parquetized, uploaded, loaded = (
        Receipt.load(workspace.receipt(step)) for step in (Step.PARQUETIZE, Step.UPLOAD, Step.LOAD)
    )
    if parquetized is None or uploaded is None or loaded is None:
        return None
    return LoadedPartition(
        partition=partition,
        rows=loaded.rows_written or 0,
        bytes=sum(artifact.bytes for artifact in uploaded.writes),
        quarantined=parquetized.rows_quarantined or 0,
        loaded_at=loaded.finished_at,
    )
