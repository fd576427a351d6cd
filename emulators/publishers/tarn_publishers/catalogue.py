"""The front page: what there is, and how many rows it has."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from html import escape

from tarn_publishers.sample import Sample

_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Publishers, offline</title>
<style>
body {{ font-family: sans-serif; margin: 2rem; }}
ul {{ columns: 9rem; list-style: none; padding: 0; font-variant-numeric: tabular-nums; }}
</style>
<h1>Publishers, offline</h1>
<p>Made-up data in the publishers' own layouts: seed {seed}, {rows:,} rows in March 2019, the other months in
the proportion they really had.</p>
{sections}
</html>
"""


@dataclass(frozen=True)
class Entry:
    """One file of the catalogue."""

    group: str
    label: str
    path: str
    rows: int


def page(sample: Sample, entries: Iterable[Entry]) -> str:
    """The catalogue as HTML, one section a group."""
    groups: dict[str, list[Entry]] = defaultdict(list)
    for entry in entries:
        groups[entry.group].append(entry)
    sections = "\n".join(_section(group, members) for group, members in groups.items())
    return _PAGE.format(seed=sample.seed, rows=sample.rows, sections=sections)


def _section(group: str, entries: list[Entry]) -> str:
    items = "\n".join(
        f'<li><a href="{escape(entry.path)}">{escape(entry.label)}</a> {entry.rows:,}</li>' for entry in entries
    )
    return f"<h2>{escape(group)}</h2>\n<ul>\n{items}\n</ul>"
