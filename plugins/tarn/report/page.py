"""The page itself: a chart for each declaration whose marts are built, and what is loaded, in one file."""

import datetime as dt
from collections.abc import Iterable, Iterator
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import plotly.express as px
import plotly.graph_objects as go
from google.api_core.exceptions import NotFound
from plotly.offline import get_plotlyjs

from tarn import durable
from tarn.bigquery import ask, bigquery_client, explaining
from tarn.inventory import DatasetInventory, take_inventory
from tarn.report.charts import Chart, Kind, Section, read_sections
from tarn.settings import Settings

if TYPE_CHECKING:
    from google.cloud import bigquery

CHARTS = "charts"
HEIGHT = 380
MARGIN = {"l": 60, "r": 20, "t": 20, "b": 50}
LEGEND = {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0.0, "title": ""}
CONFIG = {"displaylogo": False, "responsive": True}
COLOURS = ("#2a6f97", "#e07a5f", "#81b29a", "#f2cc8f", "#6d597a", "#b56576", "#355070", "#9c6644")
STYLE = """
:root { color-scheme: light; --ink: #22303a; --soft: #64748b; --line: #dde5ea; --ground: #f5f8fa; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 2rem 1.25rem 4rem; }
h1 { margin: 0; font-size: 1.9rem; } h2 { margin: 2.5rem 0 .75rem; } h2::first-letter { text-transform: uppercase; }
h3 { margin: 0; font-size: 1.05rem; } p { margin: .2rem 0 .6rem; color: var(--soft); }
.charts { display: grid; grid-template-columns: 1fr 1fr; gap: 1rem; }
figure, table { background: #fff; border: 1px solid var(--line); }
figure { margin: 0; min-width: 0; padding: 1rem 1.1rem .4rem; border-radius: 10px; }
table { width: 100%; border-collapse: collapse; }
th, td { padding: .35rem .7rem; text-align: left; border-top: 1px solid var(--line); }
td:nth-child(n+3) { white-space: nowrap; } th { color: var(--soft); font-weight: 600; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
@media (max-width: 900px) { .charts { grid-template-columns: 1fr; } }
"""


class _MartMissing(Exception):
    pass


def write_report(settings: Settings, path: Path) -> Path:
    """Draw every declared chart whose marts are built into one HTML file that needs no network.

    Raises InvalidChart for a wrong declaration, LoadFailed where BigQuery does not answer or refuses a chart's SQL.
    """
    sections = read_sections(settings.dbt_folder / CHARTS)
    client = bigquery_client(settings)
    body = [_inventory(take_inventory(settings))]
    for section in sections:
        body += _section(section, client, settings)
    durable.write_text(path, _document("".join(body)))
    return path


def _section(section: Section, client: "bigquery.Client", settings: Settings) -> Iterator[str]:
    yield f'<h2 id="{escape(section.pipeline)}">{escape(section.pipeline)}</h2>'
    try:
        figures = [_figure(chart, client, settings) for chart in section.charts]
    except _MartMissing:
        yield f"<p>Not built yet: <code>make demo PIPELINE={escape(section.pipeline)}</code></p>"
        return
    yield f'<div class="charts">{"".join(figures)}</div>'


def _figure(chart: Chart, client: "bigquery.Client", settings: Settings) -> str:
    rows = _rows(chart, client, settings)
    drawing = _draw(chart, rows).to_html(full_html=False, include_plotlyjs=False, config=CONFIG)
    return f"<figure><h3>{escape(chart.title)}</h3><p>{escape(chart.caption)}</p>{drawing}</figure>"


def _rows(chart: Chart, client: "bigquery.Client", settings: Settings) -> pd.DataFrame:
    sql = chart.sql.replace("{marts}", f"`{settings.project}.{settings.marts_dataset}`")
    with explaining(f"The chart {chart.title!r}", settings):
        try:
            answer = ask(client, sql)
        except NotFound as missing:
            raise _MartMissing from missing
        return pd.DataFrame([dict(row) for row in answer], columns=[field.name for field in answer.schema])


def _draw(chart: Chart, rows: pd.DataFrame) -> go.Figure:
    draw = {Kind.LINE: px.line, Kind.BAR: px.bar, Kind.SCATTER: px.scatter}[chart.kind]
    rows = rows.assign(**{chart.y: rows[chart.y].astype(float)})  # NUMERIC comes as decimals, which plotly cannot scale
    figure = draw(rows, x=chart.x, y=chart.y, color=chart.color, color_discrete_sequence=COLOURS)
    figure.update_layout(height=HEIGHT, margin=MARGIN, template="plotly_white", legend=LEGEND)
    if chart.kind is Kind.BAR:  # the SQL's order is the chart's
        figure.update_xaxes(type="category", categoryorder="array", categoryarray=list(rows[chart.x].unique()))
    return figure.update_xaxes(title="").update_yaxes(title="")


def _inventory(datasets: Iterable[DatasetInventory]) -> str:
    rows = "".join(_inventory_row(one) for one in datasets)
    heads = "".join(f"<th>{head}</th>" for head in ("dataset", "publisher", "from", "to"))
    heads += "".join(f'<th class="number">{head}</th>' for head in ("partitions", "rows", "quarantined"))
    return f"<h2>What is loaded</h2><table><tr>{heads}</tr>{rows}</table>"


def _inventory_row(one: DatasetInventory) -> str:
    first, last = (str(one.partitions[edge].partition) if one.partitions else "" for edge in (0, -1))
    words = (one.dataset.name, one.dataset.publisher, first, last)
    numbers = (len(one.partitions), one.rows, one.quarantined)
    cells = "".join(f"<td>{escape(word)}</td>" for word in words)
    cells += "".join(f'<td class="number">{number:,}</td>' for number in numbers)
    return f"<tr>{cells}</tr>"


def _document(body: str) -> str:
    made = f"{dt.datetime.now(dt.UTC):%Y-%m-%d %H:%M} UTC"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>The lake</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style><script>{get_plotlyjs()}</script></head>"
        f"<body><main><h1>The lake</h1><p>From the marts, {made}</p>{body}</main></body></html>\n"
    )
