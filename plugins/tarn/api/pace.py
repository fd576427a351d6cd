"""The pace at which a publisher lets itself be asked."""

from collections.abc import Callable

from tarn.downloads.job import Clock


class Pace:
    """Holds requests apart. The first waits too: another task may have asked just before."""

    def __init__(self, requests_per_minute: float | None, clock: Clock) -> None:
        self._interval = 60 / requests_per_minute if requests_per_minute else 0.0
        self._clock = clock
        self._last = clock.monotonic()

    def wait(self, tell: Callable[[float], None] = lambda _: None) -> None:
        """Return when the next request may be sent; ``tell`` hears how many seconds that takes."""
        pause = self._last + self._interval - self._clock.monotonic()
        if pause > 0:
            tell(pause)
            self._clock.sleep(pause)
        self._last = self._clock.monotonic()
