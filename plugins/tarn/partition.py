"""Partitions: one month or one day of a dataset, named by its first day as BigQuery's DATE key has it."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from tarn.errors import InvalidPartition


class Granularity(StrEnum):
    """How long a partition is; the value is also the name of its hive key."""

    MONTH = "month"
    DAY = "day"


@dataclass(frozen=True, order=True)
class Partition:
    """One partition. ``start`` is its first day; a month's is always the first of the month."""

    start: dt.date
    granularity: Granularity = Granularity.MONTH

    def __post_init__(self) -> None:
        if self.granularity is Granularity.MONTH and self.start.day != 1:
            object.__setattr__(self, "start", self.start.replace(day=1))

    def __str__(self) -> str:
        return f"{self.start:%Y-%m}" if self.granularity is Granularity.MONTH else self.start.isoformat()

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
        days = 32 if self.granularity is Granularity.MONTH else 1
        return Partition(self.start + dt.timedelta(days=days), self.granularity)

    @classmethod
    def parse(cls, text: str, granularity: Granularity = Granularity.MONTH) -> "Partition":
        """Read ``2024-01``, ``2024-01-31`` or an ISO date-time; a month ignores the day.

        Raises InvalidPartition where the text is no date, or is a month where a day is asked for.
        """
        text = text.strip()
        padded = f"{text}-01" if granularity is Granularity.MONTH and len(text) == len("2024-01") else text
        try:
            return cls(dt.datetime.fromisoformat(padded).date(), granularity)
        except ValueError:
            form = "YYYY-MM or YYYY-MM-DD" if granularity is Granularity.MONTH else "YYYY-MM-DD"
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
