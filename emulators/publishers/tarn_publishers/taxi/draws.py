"""Random values that are the same on every machine.

Only the raw output of a PCG64 generator is used, which numpy promises never to change, and only whole
numbers are computed from it: no logarithm or exponential, whose last bit differs from one CPU to the next.
"""

import hashlib
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

DECK_SIZE = 1 << 16


class Draws:
    """A stream of draws that belongs to one name: equal names give equal streams."""

    def __init__(self, *name: object) -> None:
        digest = hashlib.sha256("/".join(map(str, name)).encode()).digest()
        self._bits = np.random.PCG64(int.from_bytes(digest, "big"))

    def below(self, bound: int | Ints, count: int) -> Ints:
        """Whole numbers from 0 up to, not including, `bound` (at most 2**31)."""
        raw = self._bits.random_raw((count + 1) // 2)
        words = np.concatenate((raw >> np.uint64(32), raw & np.uint64(0xFFFFFFFF)))[:count]
        return ((words >> np.uint64(1)).astype(np.int64) * bound) >> 31

    def chance(self, per_million: int, count: int) -> Flags:
        """True for about `per_million` of a million."""
        return self.below(1_000_000, count) < per_million

    def deal(self, deck: Ints, count: int) -> Ints:
        """Values from a deck of `DECK_SIZE` cards, each put back after it is drawn."""
        return deck[self.below(DECK_SIZE, count)]


def weighted_deck(weights: Mapping[int, int]) -> Ints:
    """A deck that holds each key in proportion to its weight."""
    values = np.array(list(weights), dtype=np.int64)
    edges = np.cumsum([0, *weights.values()]) * DECK_SIZE // sum(weights.values())
    return np.repeat(values, np.diff(edges))


def quantile_deck(quantiles: Sequence[tuple[int, int]]) -> Ints:
    """A deck spread evenly between quantiles, given as (per mille, value) from (0, least) to (1000, most)."""
    pieces = []
    for (start, low), (end, high) in pairwise(quantiles):
        cards = end * DECK_SIZE // 1000 - start * DECK_SIZE // 1000
        pieces.append(low + np.arange(cards, dtype=np.int64) * (high - low) // cards)
    return np.concatenate(pieces)
