"""Placeholders in the addresses and parameters of a dataset's sources, such as ``{day:%Y%m%d}``.

A form behind the colon is one of ``strftime``, or ``unix``: the seconds from 1970 to the day's first, in UTC.
"""

import datetime as dt
import re
from collections.abc import Callable, Collection, Mapping

from tarn.partition import Partition

PLACEHOLDER = re.compile(r"{([^{}:]*)(?::([^{}]*))?}")
UNIX = "unix"

_FORMS = {"year": "%Y", "month": "%Y-%m", "day": "%Y-%m-%d", "next": "%Y-%m-%d"}
PLAIN = ("days_ago", "mark")
"""Placeholders that are no date, and so take no form."""

Value = dt.date | int | str


def require_known(pattern: str, more: Collection[str] = ()) -> str:
    """Give the pattern back; raises ValueError where a placeholder is unknown, or its form is none."""
    known = [*_FORMS, *PLAIN, *more]
    for name, form in PLACEHOLDER.findall(pattern):
        if name not in known:
            raise ValueError(f"unknown placeholder {{{name}}}; there are {', '.join(f'{{{one}}}' for one in known)}")
        if form and name not in _FORMS:
            raise ValueError(f"placeholder {{{name}}} is no date and takes no form, such as {form!r}")
        if form and form != UNIX and "%" not in form:
            raise ValueError(f"{form!r} is no form of a date: write one such as %Y%m%d, or {UNIX}")
    return pattern


def named(pattern: str) -> set[str]:
    """The names of a pattern's placeholders."""
    return {name for name, _ in PLACEHOLDER.findall(pattern)}


def dates_of(partition: Partition) -> dict[str, Value]:
    """What a partition gives: its first day, and the first day after it."""
    first, following = partition.start, partition.next().start
    return {"year": first, "month": first, "day": first, "next": following}


def fill(pattern: str, values: Mapping[str, Value], quote: Callable[[str], str] = str) -> str:
    """Put values for the placeholders; ``quote`` makes text fit for where it will stand."""

    def value_of(found: re.Match[str]) -> str:
        name, form = found.groups()
        value = values[name]
        if not isinstance(value, dt.date):
            return quote(str(value))
        if form == UNIX:
            return f"{int(dt.datetime.combine(value, dt.time(), dt.UTC).timestamp())}"
        return value.strftime(form or _FORMS[name])

    return PLACEHOLDER.sub(value_of, pattern)
