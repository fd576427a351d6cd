"""The staging area: the durable files that each step leaves for the next, a folder a (dataset, partition)."""

import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tarn.dataset import Dataset
from tarn.partition import Partition
from tarn.settings import Settings

RECEIPTS = "receipts"


@dataclass(frozen=True)
class Workspace:
    """The files of one partition of one dataset."""

    folder: Path
    stem: str

    @classmethod
    def of(cls, dataset: Dataset, partition: Partition, settings: Settings) -> "Workspace":
        """The place for a partition; nothing is created."""
        return cls(settings.staging_folder / dataset.name / partition.hive, f"{dataset.name}_{partition}")

    def raw(self, name: str) -> Path:
        """The publisher's file, as it came."""
        return self.folder / "raw" / name

    @property
    def arriving(self) -> Path:
        """Folder of the answers of an API until they are whole."""
        return self.folder / "raw" / "arriving"

    def keep_raw(self, names: Iterable[str]) -> None:
        """Remove what earlier downloads have left, other than the files of these paths."""
        kept = {Path(name).name for name in names}
        for path in (self.folder / "raw").iterdir():
            if path.is_dir():
                shutil.rmtree(path)
            elif path.name not in kept:
                path.unlink()

    @classmethod
    def before(cls, dataset: Dataset, partition: Partition, settings: Settings) -> Iterator["Workspace"]:
        """The places of the dataset's earlier partitions that there are, the latest first."""
        key = f"{dataset.partition_by}="
        folders = (settings.staging_folder / dataset.name).glob(f"{key}*")
        for folder in sorted(folders, reverse=True):
            if folder.name < partition.hive:
                earlier = dataset.partition(folder.name.removeprefix(key))
                yield cls.of(dataset, earlier, settings)

    @property
    def parquet(self) -> Path:
        """The partition's rows in the declared schema."""
        return self.folder / "parquet" / f"{self.stem}.parquet"

    @property
    def quarantine(self) -> Path:
        """The rows that could not be cast, one JSON object a line."""
        return self.folder / "quarantine" / f"{self.stem}.jsonl"

    def receipt(self, step: str) -> Path:
        """The receipt of a step."""
        return self.folder / RECEIPTS / f"{step}.json"
