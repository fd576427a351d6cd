"""The course of a coin over time, as three parallel lists; and their dirt."""

from collections.abc import Iterator
from dataclasses import dataclass

from tarn_publishers.coingecko.courses import Course
from tarn_publishers.coingecko.noise import DAY, HOUR, draw
from tarn_publishers.coingecko.numbers import exact

FIRST_SECOND = 1_367_107_200  # 2013-04-28, when the publisher's series begin
_LISTS = ("prices", "market_caps", "total_volumes")
Point = list[int | float | None]


@dataclass(frozen=True)
class Span:
    """The seconds from `start` to `end`, both included."""

    start: int
    end: int

    def step(self, now: int) -> int:
        """Seconds between two points: five minutes of the last 24 hours, hours up to 90 days, then days."""
        if self.end - self.start > 90 * DAY:
            return DAY
        return HOUR // 12 if self.start >= now - DAY else HOUR


def chart(course: Course, name: str, span: Span, step: int) -> dict[str, list[Point]]:
    """The parallel lists of [milliseconds, value] of a coin.

    Some hours come twice, the second time with another value and sometimes behind their successor, and some market
    caps are null. The list ends with the moment itself, which may be an hour that is in it already.
    """
    lists: dict[str, list[Point]] = {key: [] for key in _LISTS}
    for millisecond, second in _moments(name, span, step):
        cap = None if draw(40, name, "cap", second) == 0 else exact(course.market_cap(second))
        values = (exact(course.price(second)), cap, exact(course.volume(second)))
        for key, value in zip(_LISTS, values, strict=True):
            lists[key].append([millisecond, value])
    return lists


def _moments(name: str, span: Span, step: int) -> Iterator[tuple[int, int]]:
    """Each point's milliseconds, and the second that its values are of."""
    first = -(-max(span.start, FIRST_SECOND) // step) * step
    for second in range(first, span.end + 1, step):
        # Days are told at midnight; what is shorter, some seconds late.
        late = 0 if step == DAY else draw(step * 1_000 // 3, name, "late", second)
        yield second * 1_000 + late, second
        if draw(23, name, "again", second) == 0:
            # Told again with a newer value, as of a minute later; one in three times an instant backwards.
            backwards = 1_000 if draw(3, name, "backwards", second) == 0 and late >= 1_000 else 0
            yield second * 1_000 + late - backwards, second + 60
    if span.end >= FIRST_SECOND:
        yield span.end * 1_000, span.end
