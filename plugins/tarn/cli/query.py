"""``tarn query``: GoogleSQL to the lake's BigQuery, local or Google's."""

from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Table

from tarn.cli.console import errors, results, seconds, size
from tarn.settings import current_settings

if TYPE_CHECKING:
    from google.cloud.bigquery.table import RowIterator

CONNECT_SECONDS = 5.0


def query(
    sql: Annotated[str, typer.Argument(help="GoogleSQL, such as 'SELECT COUNT(*) FROM lake.taxi_green'")],
    limit: Annotated[int, typer.Option(help="How many rows to print.", min=1)] = 50,
) -> None:
    """Run a query and print its rows."""
    # Google's client takes seconds to import: only the commands that need it wait for it.
    from tarn.bigquery import RETRY, bigquery_client, explaining

    settings = current_settings()
    with explaining("The query", settings):
        retry = RETRY.with_timeout(CONNECT_SECONDS)
        job = bigquery_client(settings).query(sql, retry=retry, job_retry=None)
        rows = job.result(page_size=limit, retry=retry, job_retry=None)
    print_rows(rows, limit)
    took = (job.ended - job.started).total_seconds() if job.ended and job.started else 0.0
    errors.print(f"{rows.total_rows} rows, {size(job.total_bytes_processed or 0)}, {seconds(took)}", style="dim")


def print_rows(rows: "RowIterator", limit: int) -> None:
    """Print the first ``limit`` rows as a table, numbers to the right."""
    numeric = {"INTEGER", "FLOAT", "NUMERIC", "BIGNUMERIC", "INT64", "FLOAT64"}
    table = Table(box=None, pad_edge=False)
    for field in rows.schema:
        table.add_column(field.name, justify="right" if field.field_type in numeric else "left")
    for row, _ in zip(rows, range(limit), strict=False):
        table.add_row(*(_cell(value) for value in row.values()))
    results.print(table)


def _cell(value: Any) -> str:
    return "[dim]NULL[/]" if value is None else str(value)
