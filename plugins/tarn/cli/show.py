"""``tarn show``: a look at one dataset: its partitions as a small chart, its columns and a sample of its rows."""

from typing import TYPE_CHECKING, Annotated

import typer
from rich.bar import Bar
from rich.table import Table

from tarn.cli.console import results, size
from tarn.dataset import Dataset, find_dataset
from tarn.inventory import DatasetInventory, inventory_of
from tarn.settings import Settings, current_settings

if TYPE_CHECKING:
    from google.cloud.bigquery.table import RowIterator

BAR_CHARACTERS = 40
LONGEST_VALUE = 28


def show(
    dataset: Annotated[str, typer.Argument(help="A dataset's name: a YAML file of datasets/.")],
    rows: Annotated[int, typer.Option(help="How many rows to sample.", min=1, max=10)] = 3,
    partitions: Annotated[int, typer.Option(help="How many of the latest partitions to chart.", min=1)] = 24,
) -> None:
    """Show a dataset: rows by partition as a small chart, and its columns with a sample of rows."""
    settings = current_settings()
    found = find_dataset(dataset, settings.datasets_folder)
    inventory = inventory_of(found, settings)
    results.print(f"[bold]{found.name}[/]  {found.description}", highlight=False)
    results.print(f"[dim]{found.publisher}; partitioned by {found.partition_by}[/]\n", highlight=False)
    if not inventory.partitions:
        results.print(f"Nothing is loaded yet: `tarn run {found.name} --from ...` or run its DAG.")
        return
    _chart(inventory, partitions)
    _sample(found, inventory, rows, settings)


def _chart(inventory: DatasetInventory, limit: int) -> None:
    shown = inventory.partitions[-limit:]
    most = max(one.rows for one in shown)
    table = Table("partition", "", "rows", "bytes", "quarantined", box=None, pad_edge=False)
    for column in table.columns[2:]:
        column.justify = "right"
    for one in shown:
        bar = Bar(max(most, 1), 0, one.rows, width=BAR_CHARACTERS, color="cyan")
        table.add_row(str(one.partition), bar, f"{one.rows:,}", size(one.bytes), f"{one.quarantined:,}")
    results.print(table)
    left_out = len(inventory.partitions) - len(shown)
    if left_out:
        results.print(f"[dim]and {left_out} earlier[/]", highlight=False)
    results.print()


def _sample(dataset: Dataset, inventory: DatasetInventory, limit: int, settings: Settings) -> None:
    # Google's client takes seconds to import: only the commands that need it wait for it.
    from tarn.bigquery import ask, bigquery_client, explaining

    latest = next((one for one in reversed(inventory.partitions) if one.rows), inventory.partitions[-1]).partition
    table = f"`{settings.project}.{settings.lake_dataset}.{dataset.table}`"
    sql = f"SELECT * FROM {table} WHERE {dataset.partition_by} = DATE '{latest.value}' LIMIT {limit}"  # noqa: S608
    with explaining(dataset.name, settings):
        answer = ask(bigquery_client(settings), sql)
        results.print(_columns(answer))
    results.print(f"[dim]sampled from {latest}[/]", highlight=False)


def _columns(answer: "RowIterator") -> Table:
    """Columns downwards: most tables are wider than a terminal."""
    schema = answer.schema
    sample = [tuple(row.values()) for row in answer]
    table = Table("column", "type", *("" for _ in sample), box=None, pad_edge=False)
    for position, field in enumerate(schema):
        table.add_row(field.name, f"[dim]{field.field_type}[/]", *(_cell(row[position]) for row in sample))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "[dim]NULL[/]"
    text = " ".join(str(value).split()).replace("[", r"\[")
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
