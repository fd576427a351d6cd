"""One entry for every function of GoogleSQL: `registry.FUNCTIONS`, filled by the modules of this package."""

from tarn_bigquery.sql.compiler.functions import (
    aggregates,
    arrays,
    conditionals,
    dates,
    hashes,
    intervals,
    jsons,
    numbers,
    ranges,
    strings,
    texts,
    windows,
)
from tarn_bigquery.sql.compiler.functions.registry import FUNCTIONS, Call

__all__ = [
    "FUNCTIONS",
    "Call",
    "aggregates",
    "arrays",
    "conditionals",
    "dates",
    "hashes",
    "intervals",
    "jsons",
    "numbers",
    "ranges",
    "strings",
    "texts",
    "windows",
]
