"""``tarn run``: the steps of the lake without Airflow."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated

import typer
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from tarn.cli.console import errors, results, seconds, size
from tarn.dataset import Dataset, dataset_names, find_dataset
from tarn.errors import NotPublished
from tarn.marts import build_marts
from tarn.partition import Partition, partition_range
from tarn.pipeline import STEPS, run_step
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings


def run(
    dataset: Annotated[str | None, typer.Argument(help="A dataset's name: a YAML file of datasets/.")] = None,
    first: Annotated[str, typer.Option("--from", help="First partition, such as 2020-04.")] = "",
    last: Annotated[str | None, typer.Option("--to", help="Last partition, included; the first by default.")] = None,
    everything: Annotated[
        bool, typer.Option("--all", help="Every dataset, each with its partitions of the days from --from to --to.")
    ] = False,
    force: Annotated[bool, typer.Option(help="Work again where the receipts still hold.")] = False,
    marts: Annotated[bool, typer.Option(help="Build dbt's models for these partitions at the end.")] = True,
) -> None:
    """Run every step for a dataset's partitions, or for those of all datasets, then build the marts."""
    if (dataset is None) == (not everything):
        raise typer.BadParameter("name one dataset, or give --all")
    if not first:
        raise typer.BadParameter("give --from, such as --from 2020-04-01")
    settings = current_settings()
    names = dataset_names(settings.datasets_folder) if dataset is None else [dataset]
    work = [_Work.of(name, first, last, settings) for name in names]
    table = Table("dataset", "partition", "step", "rows", "bytes", "time", box=None, pad_edge=False)
    for column in table.columns[3:]:
        column.justify = "right"
    for one in work:
        for partition in one.partitions:
            _run_partition(one.dataset, partition, settings, force, table)
    results.print(table)
    if marts:
        partitions = [partition for one in work for partition in one.partitions]
        pipeline = None if everything else work[0].dataset.pipeline
        build_marts(settings, *partitions, pipeline=pipeline, say=_say)


@dataclass(frozen=True)
class _Work:
    dataset: Dataset
    partitions: tuple[Partition, ...]

    @classmethod
    def of(cls, name: str, first: str, last: str | None, settings: Settings) -> "_Work":
        dataset = find_dataset(name, settings.datasets_folder)
        start = dataset.partition(first)
        return cls(dataset, tuple(partition_range(start, dataset.partition(last) if last else start)))


def _say(line: str) -> None:
    errors.print(line, highlight=False, markup=False)


def _run_partition(dataset: Dataset, partition: Partition, settings: Settings, force: bool, table: Table) -> None:
    for step in STEPS:
        with _bar(f"{dataset.name} {partition} {step}") as bar:
            try:
                receipt = run_step(step, dataset, partition, settings, force=force, progress=bar)
            except NotPublished as nothing:
                table.add_row(dataset.name, str(partition), step, "", "", f"[yellow]skipped[/]: {nothing}")
                return
        table.add_row(dataset.name, str(partition), step, *_figures(receipt))


def _figures(receipt: Receipt) -> tuple[str, str, str]:
    rows = "" if receipt.rows_written is None else f"{receipt.rows_written:,}"
    written = sum(artifact.bytes for artifact in receipt.writes)
    took = "[dim]unchanged[/]" if receipt.reused else seconds(receipt.seconds)
    return rows, size(written) if written else "", took


@contextlib.contextmanager
def _bar(title: str) -> Iterator["_Bar"]:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[amount]}"), TimeElapsedColumn())
    with Bars(*columns, console=errors, transient=True) as progress:
        yield _Bar(progress, progress.add_task(title, total=None, amount=""))


class _Bar:
    def __init__(self, progress: Bars, task: TaskID) -> None:
        self._progress = progress
        self._task = task

    def __call__(self, done: int, total: int | None, unit: str) -> None:
        amount = size(done) if unit == "bytes" else f"{done:,} {unit}"
        self._progress.update(self._task, completed=done, total=total, amount=amount)
