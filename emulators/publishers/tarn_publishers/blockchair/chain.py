"""The made-up chain: which blocks a day has, and where their transactions begin; any day without those before it."""

import datetime as dt
from dataclasses import dataclass

from tarn_publishers.coingecko.noise import draw

FIRST_DAY = dt.date(2009, 1, 9)  # the genesis block is six days older, and alone
_BLOCKS_A_DAY, _BLOCKS_LEEWAY = 144, 12
_LEAST_TRANSACTIONS, _MOST_TRANSACTIONS, _ROWS_A_TRANSACTION = 500, 400_000, 100
_HALVING = 210_000
_FIRST_SUBSIDY = 50 * 100_000_000


@dataclass(frozen=True)
class Chain:
    """A chain of a sample's seed; `rows` is the sample's size."""

    seed: str
    rows: int

    @property
    def transactions_a_day(self) -> int:
        """About how many; in every block is one at least."""
        return min(_MOST_TRANSACTIONS, max(_LEAST_TRANSACTIONS, self.rows // _ROWS_A_TRANSACTION))

    def heights(self, day: dt.date) -> range:
        """The heights of a day's blocks, about 144 of them."""
        return range(
            self._first(day, _BLOCKS_A_DAY, _BLOCKS_LEEWAY), self._first(_after(day), _BLOCKS_A_DAY, _BLOCKS_LEEWAY)
        )

    def transaction_ids(self, day: dt.date) -> range:
        """The ids of a day's transactions."""
        usual = self.transactions_a_day
        return range(self._first(day, usual, usual // 10), self._first(_after(day), usual, usual // 10))

    def _first(self, day: dt.date, usual: int, leeway: int) -> int:
        """The first number of a day in a count that grows by `usual` a day, give or take the leeway."""
        return (day - FIRST_DAY).days * usual + 1 + draw(leeway, self.seed, usual, day)


def subsidy(height: int) -> int:
    """What a block creates, in satoshis: halved every 210,000 blocks."""
    return _FIRST_SUBSIDY >> (height // _HALVING)


def _after(day: dt.date) -> dt.date:
    return day + dt.timedelta(days=1)
