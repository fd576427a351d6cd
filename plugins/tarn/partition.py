"""Partitions: one year, month or day of a dataset, named by its first day as BigQuery's DATE key has it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tarn.errors import InvalidPartition


class Granularity(StrEnum):
    """How long a partition is; the value is also the name of its hive key."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"

    def first_day(self, day: dt.date) -> dt.date:
        """The first day of the partition that a day lies in."""
        match self:
            case Granularity.YEAR:
                return day.replace(month=1, day=1)
            case Granularity.MONTH:
                return day.replace(day=1)
            case Granularity.DAY:
                return day


_FORMS = {Granularity.YEAR: "2024", Granularity.MONTH: "2024-01", Granularity.DAY: "2024-01-31"}
_WORDS = {
    Granularity.YEAR: "YYYY, YYYY-MM or YYYY-MM-DD",
    Granularity.MONTH: "YYYY-MM or YYYY-MM-DD",
    Granularity.DAY: "YYYY-MM-DD",
}
_MOST_DAYS = {Granularity.YEAR: 366, Granularity.MONTH: 31, Granularity.DAY: 1}


@dataclass(frozen=True, order=True)
class Partition:
    """One partition. ``start`` is its first day; a month's is always the first of the month, a year's of the year."""

    start: dt.date
    granularity: Granularity = Granularity.MONTH

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", self.granularity.first_day(self.start))

    def __str__(self) -> str:
        return self.value[: len(_FORMS[self.granularity])]

    @property
    def value(self) -> str:
        """The key's value in object names and in SQL: an ISO date."""
        return self.start.isoformat()

    @property
    def hive(self) -> str:
        """The folder of the hive layout, such as ``month=2024-01-01``."""
        return f"{self.granularity}={self.value}"

    def next(self) -> "Partition":
        """The partition after this one."""
        return Partition(self.start + dt.timedelta(days=_MOST_DAYS[self.granularity]), self.granularity)

    @property
    def last_day(self) -> dt.date:
        """Its last day."""
        return self.next().start - dt.timedelta(days=1)

    def within(self, granularity: Granularity) -> "Iterator[Partition]":
        """The partitions of another granularity that have a day in common with this one."""
        return partition_range(Partition(self.start, granularity), Partition(self.last_day, granularity))

    @classmethod
    def parse(cls, text: str, granularity: Granularity = Granularity.MONTH) -> "Partition":
        """Read ``2024``, ``2024-01``, ``2024-01-31`` or an ISO date-time; what is finer than the partition is ignored.

        Raises InvalidPartition where the text is no date, or is less than what is asked for.
        """
        text = text.strip()
        padded = text
        if granularity is Granularity.YEAR and len(text) == len(_FORMS[Granularity.YEAR]):
            padded = f"{text}-01-01"
        elif granularity is not Granularity.DAY and len(text) == len(_FORMS[Granularity.MONTH]):
            padded = f"{text}-01"
        try:
            return cls(dt.datetime.fromisoformat(padded).date(), granularity)
        except ValueError:
            form = _WORDS[granularity]
            raise InvalidPartition(f"{text!r} is not a {granularity}: write it as {form}.") from None


def partition_range(first: Partition, last: Partition) -> Iterator[Partition]:
    """Each partition from ``first`` to ``last``, both included.

    Raises InvalidPartition where the range runs backwards.
    """
    if last < first:
        raise InvalidPartition(f"The range {first} to {last} runs backwards: give the earlier one first.")
    current = first
    while current <= last:
        yield current
        current = current.next()
