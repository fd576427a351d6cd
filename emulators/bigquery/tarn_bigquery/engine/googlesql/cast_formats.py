"""FORMAT clauses of CAST between STRING and dates and times.

https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_date_time_as_string
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo

from tarn_bigquery.engine.googlesql.times import DAYS, MONTHS, zone_of
from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_HALF_CENTURY = 50
_NOON = 12
_LITERALS = "-./,';: "

_DATE_TYPES = ("DATE", "DATETIME", "TIMESTAMP")
_TIME_TYPES = ("TIME", "DATETIME", "TIMESTAMP")
# Which types have the part that an element is about. Longer names stand before those that they begin with.
_ELEMENTS = {
    **dict.fromkeys(("YYYY", "YYY", "YY", "Y", "RRRR", "RR", "MONTH", "MON", "MM"), _DATE_TYPES),
    **dict.fromkeys(("DDD", "DAY", "DD", "DY", "D"), _DATE_TYPES),
    **dict.fromkeys(("HH24", "HH12", "HH", "MI", "SSSSS", "SS", *(f"FF{n}" for n in range(1, 10))), _TIME_TYPES),
    **dict.fromkeys(("A.M.", "P.M.", "AM", "PM"), _TIME_TYPES),
    **dict.fromkeys(("TZH", "TZM"), ("TIMESTAMP",)),
}


@dataclass(frozen=True)
class _Piece:
    """An element of a format, as it is written and by its name; a literal has no name."""

    written: str
    name: str = ""


def _pieces(form: str, kind: str) -> Iterator[_Piece]:
    """The elements of a format. Raises GoogleSqlError for one that is not known, or not of the type."""
    rest = form
    while rest:
        if quoted := re.match(r'"((?:[^"\\]|\\["\\])*)"', rest):
            yield _Piece(re.sub(r"\\(.)", r"\1", quoted[1]))
            rest = rest[quoted.end() :]
            continue
        name = next((name for name in _ELEMENTS if rest.upper().startswith(name)), "")
        if not name and rest[0] not in _LITERALS:
            raise GoogleSqlError(f"Cannot find matched format element at '{rest}' in '{form}'")
        if name and kind not in _ELEMENTS[name]:
            raise GoogleSqlError(f"{kind} has no part for the format element '{name}'")
        written = rest[: len(name) or 1]
        yield _Piece(written, name)
        rest = rest[len(written) :]


def _cased(written: str, text: str) -> str:
    """The text in the letter cases of the element that it is written by."""
    letters = [letter for letter in written if letter.isalpha()]
    if letters[0].islower():
        return text.lower()
    return text.upper() if letters[1:2] and letters[1].isupper() else text


def _meridian(hour: int, name: str) -> str:
    letter = "P" if hour >= _NOON else "A"
    return f"{letter}.M." if "." in name else f"{letter}M"


_WRITERS: dict[str, Callable[[datetime, int], str]] = {
    "YYYY": lambda m, _: f"{m.year:04d}",
    "YYY": lambda m, _: f"{m.year % 1000:03d}",
    "YY": lambda m, _: f"{m.year % 100:02d}",
    "Y": lambda m, _: f"{m.year % 10}",
    "RRRR": lambda m, _: f"{m.year:04d}",
    "RR": lambda m, _: f"{m.year % 100:02d}",
    "MONTH": lambda m, _: MONTHS[m.month - 1],
    "MON": lambda m, _: MONTHS[m.month - 1][:3],
    "MM": lambda m, _: f"{m.month:02d}",
    "DDD": lambda m, _: f"{m.timetuple().tm_yday:03d}",
    "DD": lambda m, _: f"{m.day:02d}",
    "DAY": lambda m, _: DAYS[m.weekday()],
    "DY": lambda m, _: DAYS[m.weekday()][:3],
    "D": lambda m, _: f"{m.isoweekday() % 7 + 1}",
    "HH24": lambda m, _: f"{m.hour:02d}",
    "HH12": lambda m, _: f"{m.hour % 12 or 12:02d}",
    "HH": lambda m, _: f"{m.hour % 12 or 12:02d}",
    "MI": lambda m, _: f"{m.minute:02d}",
    "SSSSS": lambda m, _: f"{m.hour * 3600 + m.minute * 60 + m.second:05d}",
    "SS": lambda m, _: f"{m.second:02d}",
    "TZH": lambda _, offset: f"{'-' if offset < 0 else '+'}{abs(offset) // 3600:02d}",
    "TZM": lambda _, offset: f"{abs(offset) // 60 % 60:02d}",
}


@function("format_cast(VARCHAR, TIMESTAMP, BIGINT, VARCHAR) -> VARCHAR")
def format_cast(form: str, moment: datetime, offset: int, kind: str) -> str:
    """A civil time, `offset` seconds ahead of UTC, of a value of the type, by the format."""
    written = []
    for piece in _pieces(form, kind):
        if not piece.name:
            written.append(piece.written)
        elif piece.name.startswith("FF"):
            written.append(f"{moment.microsecond:06d}000"[: int(piece.name[2:])])
        elif piece.name.endswith(("M.", "AM", "PM")):
            written.append(_cased(piece.written, _meridian(moment.hour, piece.name)))
        else:
            text = _WRITERS[piece.name](moment, offset)
            written.append(_cased(piece.written, text) if text.isalpha() else text)
    return "".join(written)


@dataclass
class _Read:
    """What a text has said so far."""

    year: int
    month: int
    day: int = 1
    day_of_year: int | None = None
    hour: int = 0
    minute: int = 0
    second: int = 0
    second_of_day: int | None = None
    micro: int = 0
    afternoon: bool | None = None
    zone_hour: int | None = None
    zone_minute: int = 0

    def moment(self) -> datetime:
        hour = self.hour if self.afternoon is None else self.hour % _NOON + (_NOON if self.afternoon else 0)
        day = date(self.year, self.month, self.day)
        if self.day_of_year is not None:
            day = date(self.year, 1, 1) + timedelta(days=self.day_of_year - 1)
        start = datetime(day.year, day.month, day.day, hour, self.minute, self.second, self.micro)
        if self.second_of_day is not None:
            start = datetime(day.year, day.month, day.day) + timedelta(seconds=self.second_of_day)
        return start

    def zone(self) -> tzinfo | None:
        if self.zone_hour is None:
            return None
        minutes = abs(self.zone_hour) * 60 + self.zone_minute
        return timezone(timedelta(minutes=-minutes if self.zone_hour < 0 else minutes))


_WIDTHS = {"YYYY": 4, "YYY": 3, "YY": 2, "Y": 1, "RRRR": 4, "RR": 2, "MM": 2, "DDD": 3, "DD": 2, "HH24": 2, "HH12": 2,
           "HH": 2, "MI": 2, "SSSSS": 5, "SS": 2, "TZM": 2, **{f"FF{n}": n for n in range(1, 10)}}  # fmt: skip
_FIELDS = {"MM": "month", "DDD": "day_of_year", "DD": "day", "HH24": "hour", "HH12": "hour", "HH": "hour",
           "MI": "minute", "SSSSS": "second_of_day", "SS": "second", "TZM": "zone_minute"}  # fmt: skip


def _pattern(piece: _Piece, following: _Piece | None) -> str:
    """What an element matches: all its digits where digits follow at once, else fewer will do."""
    if not piece.name:
        return r"\s+" if piece.written == " " else re.escape(piece.written)
    if piece.name in _WIDTHS:
        width = _WIDTHS[piece.name]
        exact = following is not None and following.name in _WIDTHS
        return rf"(\d{{{width if exact else 1},{width}}})"
    named = {"MONTH": "|".join(MONTHS), "MON": "|".join(name[:3] for name in MONTHS), "TZH": r"[+-]\d{1,2}"}
    if piece.name in named:
        return f"({named[piece.name]})"
    if piece.name in {"DAY", "DY", "D"}:
        raise GoogleSqlError(f"The format element '{piece.name}' cannot be read from a text")
    return r"([AP]\.M\.)" if "." in piece.name else "([AP]M)"


def _year(name: str, value: int, now: int) -> int:
    """A year of which only the last digits are said."""
    if name == "RR":
        century = now // 100 + (now % 100 >= _HALF_CENTURY > value) - (now % 100 < _HALF_CENTURY <= value)
        return century * 100 + value
    span = 10 ** _WIDTHS[name]
    return value if name in {"YYYY", "RRRR"} else now // span * span + value


def _take(read: _Read, name: str, text: str) -> None:
    if name[0] in "YR":
        read.year = _year(name, int(text), read.year)
    elif name in _FIELDS:
        setattr(read, _FIELDS[name], int(text))
    elif name in {"MONTH", "MON"}:
        read.month = next(i for i, month in enumerate(MONTHS, 1) if month[:3].lower() == text[:3].lower())
    elif name == "TZH":
        read.zone_hour = int(text)
    elif name.startswith("FF"):
        read.micro = int(text.ljust(6, "0")[:6])
    else:
        read.afternoon = text[0].upper() == "P"


@function("parse_cast(VARCHAR, VARCHAR, VARCHAR, VARCHAR) -> TIMESTAMP")
def parse_cast(form: str, text: str, zone: str, kind: str) -> datetime:
    """The civil time that a text says by the format: in UTC for a TIMESTAMP, else as it is."""
    pieces = list(_pieces(form, kind))
    pattern = "".join(_pattern(piece, after) for piece, after in zip(pieces, [*pieces[1:], None], strict=True))
    found = re.fullmatch(rf"\s*{pattern}\s*", text, re.IGNORECASE)
    if found is None:
        raise GoogleSqlError(f'Failed to parse input string "{text}" by the format "{form}"')
    today = datetime.now(zone_of(zone))
    read = _Read(today.year, today.month)
    for piece, written in zip((piece for piece in pieces if piece.name), found.groups(), strict=True):
        _take(read, piece.name, written)
    try:
        moment = read.moment()
    except ValueError as error:
        raise GoogleSqlError(f'Failed to parse input string "{text}" by the format "{form}"') from error
    if kind != "TIMESTAMP":
        return moment
    return moment.replace(tzinfo=read.zone() or zone_of(zone)).astimezone(UTC).replace(tzinfo=None)
