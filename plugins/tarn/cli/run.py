"""``tarn run``: the steps of the lake without Airflow."""

import contextlib
from collections.abc import Iterator
from typing import Annotated

import typer
from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bars
from rich.table import Table

from tarn.cli.console import errors, results, seconds, size
from tarn.dataset import Dataset, find_dataset
from tarn.errors import NotPublished
from tarn.marts import build_marts
from tarn.partition import Partition, partition_range
from tarn.pipeline import STEPS, run_step
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings


def run(
    dataset: Annotated[str, typer.Argument(help="A dataset's name: a YAML file of datasets/.")],
    first: Annotated[str, typer.Option("--from", help="First partition, such as 2020-04.")],
    last: Annotated[str | None, typer.Option("--to", help="Last partition, included; the first by default.")] = None,
    force: Annotated[bool, typer.Option(help="Work again where the receipts still hold.")] = False,
    marts: Annotated[bool, typer.Option(help="Build dbt's models for these partitions at the end.")] = True,
) -> None:
    """Download, parquetize, upload and load a dataset's partitions, then build the marts."""
    settings = current_settings()
    found = find_dataset(dataset, settings.datasets_folder)
    start = found.partition(first)
    end = found.partition(last) if last else start
    table = Table("partition", "step", "rows", "bytes", "time", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for partition in partition_range(start, end):
        _run_partition(found, partition, settings, force, table)
    results.print(table)
    if marts:
        build_marts(settings, start, end, say=lambda line: errors.print(line, highlight=False, markup=False))


def _run_partition(dataset: Dataset, partition: Partition, settings: Settings, force: bool, table: Table) -> None:
    for step in STEPS:
        with _bar(f"{dataset.name} {partition} {step}") as bar:
            try:
                receipt = run_step(step, dataset, partition, settings, force=force, progress=bar)
            except NotPublished as nothing:
                table.add_row(str(partition), step, "", "", f"[yellow]skipped[/]: {nothing}")
                return
        table.add_row(str(partition), step, *_figures(receipt))


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
