"""A wavering line that can be read at any point: the same on every machine, and without the points before it."""

import hashlib
from functools import lru_cache

HOUR = 3_600
DAY = 24 * HOUR

# (seconds between two of the line's own points, how far it may go there, per mille)
_WAVES = ((HOUR, 4), (DAY, 25), (9 * DAY, 60), (61 * DAY, 150), (397 * DAY, 350))
_UNIT = 1 << 20


def per_million(name: str, second: int) -> int:
    """The line's height at a time, in millionths of its mean; from about 400,000 to 1,600,000.

    Only whole numbers are computed: a sine's last bit differs from one CPU to the next.
    """
    height = 1_000_000
    for step, amplitude in _WAVES:
        before, into = divmod(second, step)
        left, right = _corner(name, step, before), _corner(name, step, before + 1)
        height += (left + (right - left) * into // step) * amplitude * 1_000 // _UNIT
    return height


@lru_cache(maxsize=1 << 16)
def _corner(name: str, step: int, number: int) -> int:
    """From -2**20 to 2**20."""
    return draw(2 * _UNIT + 1, name, step, number) - _UNIT


def draw(bound: int, *name: object) -> int:
    """A whole number from 0 up to, not including, `bound`, that belongs to a name."""
    digest = hashlib.blake2b("/".join(map(str, name)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % bound
