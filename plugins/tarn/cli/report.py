"""``tarn report``: the results page, one static HTML file."""

from pathlib import Path
from typing import Annotated

import typer

from tarn.cli.console import results
from tarn.settings import current_settings

FILE = "report.html"


def report(
    output: Annotated[Path | None, typer.Option(help="Where to write it; report.html in TARN_HOME by default.")] = None,
) -> None:
    """Draw the marts as charts into one HTML file that needs no network."""
    # Plotting takes a second to import: only this command waits for it.
    from tarn.report.page import write_report

    settings = current_settings()
    path = write_report(settings, output or settings.home / FILE)
    results.print(f"Report     {path.resolve().as_uri()}", highlight=False, soft_wrap=True)
