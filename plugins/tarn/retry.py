"""How long and how often to try again what fails for reasons that pass."""

import datetime as dt
import random
from dataclasses import dataclass
from email.utils import parsedate_to_datetime


@dataclass(frozen=True)
class RetryPolicy:
    """Exponential backoff with full jitter, bounded in tries and in time. Times are in seconds."""

    tries: int = 6
    """Tries in a row that bring nothing new; one that brings bytes starts the count again."""
    few_tries: int = 3
    """Tries where there is less hope: of an answer 403, which may be throttling, and of a file that comes damaged."""
    first_wait: float = 1.0
    longest_wait: float = 60.0
    total_wait: float = 600.0
    connect_timeout: float = 10.0
    read_timeout: float = 60.0

    def wait(self, tries: int, asked: float | None = None) -> float:
        """How long to wait after so many tries; a server's own wish is granted as far as ``total_wait`` goes."""
        if asked is not None:
            return asked
        longest = min(self.longest_wait, self.first_wait * 2 ** (tries - 1))
        return random.uniform(0, longest)  # noqa: S311  # jitter, no secret


def parse_retry_after(value: str | None, now: dt.datetime) -> float | None:
    """The seconds that a Retry-After header asks for, in either of its forms (RFC 9110, 10.2.3); None if unreadable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=dt.UTC)
    return max(0.0, (moment - now).total_seconds())
