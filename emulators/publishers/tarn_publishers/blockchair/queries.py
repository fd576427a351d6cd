"""The API's little language: what a request selects of a table, in which order and how much of it."""

import datetime as dt
import re
from collections.abc import Mapping
from dataclasses import dataclass

MOST_ROWS = 100
LAST_OFFSET = 10_000
_USUAL_ROWS = 10
_MOST_DAYS = 31  # this publisher's own limit: it makes each day anew
_FILTER = re.compile(r"(time|id)\(([^()]*?)(?:\.\.([^()]*))?\)")
_LENGTHS = {"%Y-%m-%d": dt.timedelta(days=1), "%Y-%m-%d %H:%M:%S": dt.timedelta(seconds=1)}


class QueryRefusedError(Exception):
    """The request makes no sense to the API; the message says why."""


@dataclass(frozen=True)
class Query:
    """The rows of [`since`, `until`), from `first_id` on, of which `limit` after `offset` are asked for."""

    since: dt.datetime
    until: dt.datetime
    ids: range
    descending: bool
    limit: int
    offset: int

    @classmethod
    def read(cls, parameters: Mapping[str, str], now: dt.datetime) -> "Query":
        """Raises QueryRefusedError. Without a time the last two days are searched."""
        since, until, ids = now - dt.timedelta(days=2), now, range(1 << 62)
        for part in filter(None, re.split(r",(?=[a-z])", parameters.get("q", ""))):
            match = _FILTER.fullmatch(part)
            if match is None:
                raise QueryRefusedError(f"Invalid request: cannot read q={part}. Try time(2019-01-01..2019-01-02).")
            name, low, high = match[1], match[2], match[3]
            if name == "id":
                ids = _ids(low, high)
            else:
                since, until = _start(low), _end(low if high is None else high)
        if not since < until <= since + dt.timedelta(days=_MOST_DAYS):
            raise QueryRefusedError(f"Invalid request: {since} to {until} is not a span of up to {_MOST_DAYS} days.")
        order = parameters.get("s", "id(desc)")
        if order not in ("id(asc)", "id(desc)"):
            raise QueryRefusedError(f"Invalid request: cannot sort by s={order}.")
        limit, offset = (
            _number(parameters, "limit", _USUAL_ROWS, MOST_ROWS),
            _number(parameters, "offset", 0, LAST_OFFSET),
        )
        return cls(since, until, ids, order == "id(desc)", limit, offset)

    def days(self) -> list[dt.date]:
        """Every day that the times lie on, in the order of the answer."""
        last = (self.until - dt.timedelta(microseconds=1)).date()
        days = [self.since.date() + dt.timedelta(days=n) for n in range((last - self.since.date()).days + 1)]
        return days[::-1] if self.descending else days


def _ids(low: str, high: str | None) -> range:
    if not re.fullmatch(r"\d*", low) or not re.fullmatch(r"\d*", high or ""):
        raise QueryRefusedError(f"Invalid request: {low}..{high} is no range of ids.")
    if high is None:
        return range(int(low), int(low) + 1) if low else range(0)
    return range(int(low or 0), int(high) + 1 if high else 1 << 62)


def _start(text: str) -> dt.datetime:
    return _moment(text)[0]


def _end(text: str) -> dt.datetime:
    start, length = _moment(text)
    return start + length


def _moment(text: str) -> tuple[dt.datetime, dt.timedelta]:
    """A day or a second, and how long it is: the end of a range is part of it."""
    for form, length in _LENGTHS.items():
        try:
            return dt.datetime.strptime(text, form).replace(tzinfo=dt.UTC), length
        except ValueError:
            continue
    raise QueryRefusedError(f"Invalid request: {text!r} is no time such as 2019-01-01 or 2019-01-01 00:00:00.")


def _number(parameters: Mapping[str, str], name: str, usual: int, most: int) -> int:
    text = parameters.get(name, str(usual))
    if not text.isdecimal() or int(text) > most:
        raise QueryRefusedError(f"Invalid request: {name}={text} is not a number from 0 to {most}.")
    return int(text)
