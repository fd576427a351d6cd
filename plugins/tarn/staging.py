"""The staging area: the durable files that each step leaves for the next, a folder a (dataset, partition)."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tarn.dataset import Dataset
from tarn.partition import Partition
from tarn.settings import Settings


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

    def keep_raw(self, names: Iterable[str]) -> None:
        """Remove what an earlier download left of another source, other than the files of these paths."""
        kept = {Path(name).name for name in names}
        for path in (self.folder / "raw").iterdir():
            if path.name not in kept:
                path.unlink()

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
        return self.folder / "receipts" / f"{step}.json"
