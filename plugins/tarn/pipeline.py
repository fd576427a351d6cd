"""The steps of the lake in their order, for whoever runs them: scripts, the command line, Airflow's tasks."""

import importlib
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

from tarn.dataset import Dataset
from tarn.exclusive import exclusive
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace


class Step(StrEnum):
    """A step; the value is also the name of its module and of its function there."""

    DOWNLOAD = "download"
    PARQUETIZE = "parquetize"
    UPLOAD = "upload"
    LOAD = "load"
    VALIDATE = "validate"


STEPS = tuple(Step)


def run_step(
    step: str,
    dataset: Dataset,
    partition: Partition,
    settings: Settings,
    *,
    force: bool = False,
    progress: Progress = silent,
    **options: Any,
) -> Receipt:
    """Run a step by its name; ``options`` are those that only this step takes.

    Raises TarnError, whose message is for people.
    """
    # Imported here: a process that runs one step, or only reads the DAGs, needs no other step's libraries.
    name = Step(step)
    function = getattr(importlib.import_module(f"tarn.steps.{name}"), name)

    def work(settings: Settings) -> Receipt:
        with exclusive(Workspace.of(dataset, partition, settings).folder):
            receipt: Receipt = function(dataset, partition, settings, force=force, progress=progress, **options)
        return receipt

    if not settings.staging_bucket:
        return work(settings)
    from tarn.staging_store import Work, run_in_store

    before = STEPS.index(name) - 1
    after = STEPS[before] if before >= 0 else None
    return run_in_store(Work(name, after, dataset, partition, force), settings, work)


def run_partition(
    dataset: Dataset, partition: Partition, settings: Settings, *, force: bool = False, progress: Progress = silent
) -> Iterator[Receipt]:
    """Run every step in turn, giving each receipt as it comes; raises TarnError at the first step that fails."""
    for step in STEPS:
        yield run_step(step, dataset, partition, settings, force=force, progress=progress)
