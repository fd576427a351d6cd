"""Times read and written by format strings, and time zones.

Formats: https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_OFFSET = re.compile(r"([+-])?(\d{1,2})(?::?(\d{2}))?")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_SHORTHANDS = {"F": "%Y-%m-%d", "T": "%H:%M:%S", "R": "%H:%M", "D": "%m/%d/%y", "X": "%H:%M:%S", "x": "%m/%d/%y",
               "h": "%b", "c": "%a %b %e %H:%M:%S %Y", "r": "%I:%M:%S %p"}  # fmt: skip
_DIRECTIVE = re.compile(r"%(?:(E\*S|E\d+S|E4Y|Ez)|[EO]?([A-Za-z%]))")


@function("offset_minutes(VARCHAR) -> INTEGER")
def offset_minutes(zone: str) -> int:
    found = _OFFSET.fullmatch(zone)
    if found is None:
        raise GoogleSqlError(f"Invalid time zone: {zone}")
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return -minutes if found[1] == "-" else minutes


@function("zone_name(VARCHAR) -> VARCHAR")
def zone_name(zone: str) -> str:
    """The name, if there is such a zone."""
    if not _OFFSET.fullmatch(zone):
        zone_of(zone)
    return zone


def zone_of(name: str) -> timezone | ZoneInfo:
    if _OFFSET.fullmatch(name):
        return timezone(timedelta(minutes=offset_minutes(name)))
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise GoogleSqlError(f"Invalid time zone: {name}") from error


@function("format_time(VARCHAR, TIMESTAMP, BIGINT, VARCHAR) -> VARCHAR")
def format_time(form: str, moment: datetime, offset: int, zone: str) -> str:
    """A civil time by a format; `offset` is how many seconds the zone is ahead of UTC."""

    def write(found: re.Match[str]) -> str:
        extended, letter = found[1] or "", found[2] or ""
        if extended.endswith("S") or extended in {"E4Y", "Ez"}:
            return _extended(extended, moment, offset)
        if letter in _SHORTHANDS:
            return format_time(_SHORTHANDS[letter], moment, offset, zone)
        if letter == "Z":
            return moment.replace(tzinfo=zone_of(zone)).tzname() or ""
        if letter == "z":
            return _offset(offset, colon=False)
        if letter == "s":
            return str(int((moment - datetime(1970, 1, 1)).total_seconds()) - offset)
        writer = _WRITERS.get(letter)
        return writer(moment) if writer else found[0]

    return _DIRECTIVE.sub(write, form)


def _offset(seconds: int, *, colon: bool = True) -> str:
    hours, minutes = divmod(abs(seconds) // 60, 60)
    return f"{'-' if seconds < 0 else '+'}{hours:02d}{':' if colon else ''}{minutes:02d}"


def _extended(name: str, moment: datetime, offset: int) -> str:
    if name == "Ez":
        return _offset(offset)
    if name == "E4Y":
        return f"{moment.year:04d}"
    micros = f"{moment.microsecond:06d}"
    digits = micros.rstrip("0") if name == "E*S" else micros.ljust(9, "0")[: int(name[1:-1])]
    return f"{moment.second:02d}.{digits}" if digits else f"{moment.second:02d}"


def _hour12(moment: datetime) -> int:
    return moment.hour % 12 or 12


_WRITERS: dict[str, Callable[[datetime], str]] = {
    "A": lambda m: DAYS[m.weekday()],
    "a": lambda m: DAYS[m.weekday()][:3],
    "B": lambda m: MONTHS[m.month - 1],
    "b": lambda m: MONTHS[m.month - 1][:3],
    "C": lambda m: f"{m.year // 100:02d}",
    "d": lambda m: f"{m.day:02d}",
    "e": lambda m: f"{m.day:2d}",
    "G": lambda m: str(m.isocalendar().year),
    "g": lambda m: f"{m.isocalendar().year % 100:02d}",
    "H": lambda m: f"{m.hour:02d}",
    "I": lambda m: f"{_hour12(m):02d}",
    "j": lambda m: f"{m.timetuple().tm_yday:03d}",
    "J": lambda m: f"{(m.isocalendar().week - 1) * 7 + m.isocalendar().weekday:03d}",
    "k": lambda m: f"{m.hour:2d}",
    "l": lambda m: f"{_hour12(m):2d}",
    "M": lambda m: f"{m.minute:02d}",
    "m": lambda m: f"{m.month:02d}",
    "n": lambda m: "\n",
    "P": lambda m: "am" if m.hour < 12 else "pm",
    "p": lambda m: "AM" if m.hour < 12 else "PM",
    "Q": lambda m: str((m.month - 1) // 3 + 1),
    "S": lambda m: f"{m.second:02d}",
    "t": lambda m: "\t",
    "U": lambda m: f"{(m.timetuple().tm_yday + 6 - (m.weekday() + 1) % 7) // 7:02d}",
    "u": lambda m: str(m.isoweekday()),
    "V": lambda m: f"{m.isocalendar().week:02d}",
    "W": lambda m: f"{(m.timetuple().tm_yday + 6 - m.weekday()) // 7:02d}",
    "w": lambda m: str(m.isoweekday() % 7),
    "Y": lambda m: str(m.year),
    "y": lambda m: f"{m.year % 100:02d}",
    "%": lambda m: "%",
}


@dataclass
class _Fields:
    """What a text has said so far, on top of 1970-01-01 00:00:00."""

    year: int = 1970
    month: int = 1
    day: int = 1
    hour: int = 0
    minute: int = 0
    second: int = 0
    micro: int = 0
    afternoon: bool | None = None
    century: int | None = None
    day_of_year: int | None = None
    iso_year: int | None = None
    iso_week: int | None = None
    sunday_week: int | None = None
    monday_week: int | None = None
    weekday: int | None = None
    epoch: int | None = None
    zone: timezone | ZoneInfo | None = None


class _Reader:
    """Reads a text by a format, element by element."""

    def __init__(self, form: str, text: str) -> None:
        self.form = form
        self.text = text
        self.at = 0
        self.fields = _Fields()

    def read(self) -> _Fields:
        text = self.text
        self.text = text.strip() if not self.form[:1].isspace() else text
        self._all(self.form)
        if self.text[self.at :].strip():
            raise self.failure("Illegal non-space trailing data")
        return self.fields

    def failure(self, why: str = "") -> GoogleSqlError:
        detail = f"; {why} '{self.text[self.at :]}'" if why else ""
        return GoogleSqlError(f'Failed to parse input string "{self.text}"{detail}')

    def _all(self, form: str) -> None:
        position = 0
        for found in _DIRECTIVE.finditer(form):
            self._literal(form[position : found.start()])
            self._element(found[1] or "", found[2] or "")
            position = found.end()
        self._literal(form[position:])

    def _literal(self, expected: str) -> None:
        for character in expected:
            if character.isspace():
                self._blanks()
            elif self.text[self.at : self.at + 1] != character:
                raise self.failure()
            else:
                self.at += 1

    def _blanks(self) -> None:
        while self.text[self.at : self.at + 1].isspace():
            self.at += 1

    def _match(self, pattern: str) -> re.Match[str]:
        found = re.compile(pattern, re.IGNORECASE).match(self.text, self.at)
        if found is None:
            raise self.failure()
        self.at = found.end()
        return found

    def _number(self, width: int, low: int, high: int) -> int:
        self._blanks()
        value = int(self._match(rf"[+-]?\d{{1,{width}}}")[0])
        if not low <= value <= high:
            raise self.failure()
        return value

    def _name(self, names: tuple[str, ...]) -> int:
        found = self._match("|".join(f"{name}|{name[:3]}" for name in names))
        return next(i for i, name in enumerate(names) if name[:3].lower() == found[0][:3].lower())

    def _element(self, extended: str, letter: str) -> None:
        fields = self.fields
        if extended.endswith("S"):
            fields.second = self._number(2, 0, 60)
            if self.text[self.at : self.at + 1] == ".":
                fields.micro = int(self._match(r"\.(\d+)")[1].ljust(6, "0")[:6])
        elif extended == "E4Y":
            fields.year = self._number(4, 1, 9999)
        elif extended == "Ez" or letter == "z":
            self._blanks()
            found = self._match(r"z|[+-]\d{1,2}(?::?\d{2})?")[0]
            fields.zone = timezone(timedelta(minutes=0 if found in "zZ" else offset_minutes(found)))
        elif letter in _SHORTHANDS:
            self._all(_SHORTHANDS[letter])
        elif letter in _NUMBERS:
            name, width, low, high = _NUMBERS[letter]
            setattr(fields, name, self._number(width, low, high))
        else:
            self._special(letter)

    def _special(self, letter: str) -> None:
        fields = self.fields
        if letter in {"b", "B"}:
            fields.month = self._name(MONTHS) + 1
        elif letter in {"a", "A"}:
            self._name(DAYS)
        elif letter in {"p", "P"}:
            fields.afternoon = self._match("am|pm")[0].lower() == "pm"
        elif letter == "y":
            value = self._number(2, 0, 99)
            fields.year = value + (1900 if value >= _FIRST_OF_THE_1900S else 2000)
        elif letter == "s":
            fields.epoch = int(self._match(r"-?\d+")[0])
        elif letter == "Z":
            fields.zone = zone_of(self._match(r"[A-Za-z_]+(?:/[A-Za-z_]+)*|[+-]\d{1,2}(?::?\d{2})?")[0])
        elif letter == "u":
            fields.weekday = self._number(1, 1, 7) % 7
        elif letter == "g":
            value = self._number(2, 0, 99)
            fields.iso_year = value + (1900 if value >= _FIRST_OF_THE_1900S else 2000)
        elif letter in {"Q", "J"}:
            self._match(r"\d{1,3}")
        elif letter in {"n", "t"}:
            self._blanks()
        elif letter == "%":
            self._literal("%")
        else:
            raise self.failure(f"Unsupported format element %{letter} at")


_NUMBERS = {
    "Y": ("year", 4, 1, 9999),
    "m": ("month", 2, 1, 12),
    "d": ("day", 2, 1, 31),
    "e": ("day", 2, 1, 31),
    "H": ("hour", 2, 0, 23),
    "k": ("hour", 2, 0, 23),
    "I": ("hour", 2, 1, 12),
    "l": ("hour", 2, 1, 12),
    "M": ("minute", 2, 0, 59),
    "S": ("second", 2, 0, 60),
    "j": ("day_of_year", 3, 1, 366),
    "C": ("century", 2, 0, 99),
    "G": ("iso_year", 4, 1, 9999),
    "V": ("iso_week", 2, 1, 53),
    "U": ("sunday_week", 2, 0, 53),
    "W": ("monday_week", 2, 0, 53),
    "w": ("weekday", 1, 0, 6),
}
_FIRST_OF_THE_1900S = 69
# Elements that say what a type does not have. Those with an E, such as `%E*S`, go by their letter.
_FOREIGN = {"DATE": "cHIklMPpRrSsTXZz", "TIME": "AaBbCcDdeFGgJhjmQsUuVWwxYyZz", "DATETIME": "Zz", "TIMESTAMP": ""}


@function("parse_time(VARCHAR, VARCHAR, VARCHAR, VARCHAR) -> TIMESTAMP")
def parse_time(form: str, text: str, zone: str, kind: str) -> datetime:
    """The civil time that a text says by a format: in UTC for a TIMESTAMP, else as it is."""
    for found in _DIRECTIVE.finditer(form):
        letter = (found[1] or "")[-1:] or found[2]
        if letter in _FOREIGN[kind]:
            raise GoogleSqlError(f"Invalid format: {found[0]} is not allowed for the {kind} type")
    reader = _Reader(form, text)
    fields = reader.read()
    try:
        moment = _moment(fields)
    except ValueError as error:
        raise reader.failure() from error
    if kind != "TIMESTAMP":
        return moment
    if fields.epoch is not None:
        return moment
    local = moment.replace(tzinfo=fields.zone or zone_of(zone))
    return local.astimezone(UTC).replace(tzinfo=None)


def _day(fields: _Fields, year: int) -> date:
    """The day, by the number in its year or its week where that was said."""
    if fields.day_of_year is not None:
        return date(year, 1, 1) + timedelta(days=fields.day_of_year - 1)
    if fields.iso_week is not None:
        weekday = fields.weekday if fields.weekday is not None else 1
        return date.fromisocalendar(fields.iso_year or year, fields.iso_week, weekday or 7)
    if fields.sunday_week is not None:
        first = date(year, 1, 1)
        sunday = first + timedelta(days=(6 - first.weekday()) % 7 + 7 * (fields.sunday_week - 1))
        return sunday + timedelta(days=fields.weekday or 0)
    if fields.monday_week is not None:
        first = date(year, 1, 1)
        monday = first + timedelta(days=-first.weekday() % 7 + 7 * (fields.monday_week - 1))
        return monday + timedelta(days=((fields.weekday if fields.weekday is not None else 1) - 1) % 7)
    return date(year, fields.month, fields.day)


def _moment(fields: _Fields) -> datetime:
    if fields.epoch is not None:
        return datetime(1970, 1, 1) + timedelta(seconds=fields.epoch)
    hour = fields.hour
    if fields.afternoon is not None:
        hour = hour % 12 + (12 if fields.afternoon else 0)
    year = fields.year if fields.century is None else fields.century * 100 + fields.year % 100
    day = _day(fields, year)
    # A leap second is the first second of the next minute.
    start = datetime(day.year, day.month, day.day, hour, fields.minute)
    return start + timedelta(seconds=fields.second, microseconds=fields.micro)
