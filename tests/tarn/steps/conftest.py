"""A small dataset, and what the steps before upload leave for it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tarn.dataset import Dataset
from tarn.partition import Partition
from tarn.receipt import Artifact, Receipt
from tarn.settings import Settings
from tarn.staging import Workspace

Parquetized = Callable[..., Path]


@pytest.fixture
def trips() -> Dataset:
    """A dataset of two columns and two checks."""
    return Dataset.model_validate(
        {
            "name": "trips",
            "description": "Trips, one row a trip.",
            "publisher": "a test",
            "sources": [{"format": "csv", "url": "http://example.org/{month}.csv", "mirror": "{month}.csv"}],
            "columns": [
                {"name": "id", "type": "INT64", "description": "the trip"},
                {"name": "fare", "type": "FLOAT64", "description": "in dollars"},
            ],
            "checks": [
                {"name": "fares are not negative", "condition": "fare >= 0", "limit": 0.25},
                {"name": "trips have a number", "condition": "id IS NOT NULL"},
            ],
        }
    )


@pytest.fixture
def parquetized() -> Parquetized:
    """Leaves a file and its receipt as parquetize does; for upload, any bytes are a Parquet file."""

    def leave(
        settings: Settings,
        dataset: Dataset,
        partition: Partition,
        content: bytes,
        rows: int = 3,
        columns: dict[str, str] | None = None,
    ) -> Path:
        workspace = Workspace.of(dataset, partition, settings)
        for file, text in ((workspace.parquet, content), (workspace.quarantine, b"bad row\n")):
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(text)
        Receipt(
            step="parquetize",
            dataset=dataset.name,
            partition=str(partition),
            writes=(Artifact.of(workspace.parquet), Artifact.of(workspace.quarantine)),
            rows_written=rows,
            columns=columns or {},
            seconds=0.1,
            finished_at="2024-02-01T00:00:00Z",
        ).save(workspace.receipt("parquetize"))
        return workspace.parquet

    return leave
