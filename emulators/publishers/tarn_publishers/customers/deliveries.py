"""The rows of a day's delivery, with the dirt of the genuine file: its kinds, its places and so its proportions.

In the genuine file each kind of dirt comes back after a fixed number of transactions: every tenth has a letter before
its id, every seventh lacks its customer, and so on. So it does here, with the transaction's number to count by.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from tarn_publishers.taxi.draws import Draws

HEADER = "transaction_id,customer_id,transaction_date,product_id,product_name,quantity,price,tax"
FIRST_DAY = dt.date(2020, 1, 1)
FIRST_NUMBER = 1001
SENT_AGAIN_EVERY = 7  # days
REPEATED_EVERY = 50  # rows
CHUNK_ROWS = 1 << 14  # part of the format: another size gives other draws

_LETTER_BEFORE_ID, _NO_CUSTOMER, _NO_QUANTITY = 10, 7, 6
_PRICE_IN_WORDS, _TAX_IN_WORDS, _DAY_FIRST, _LETTER_BEFORE_PRODUCT = 9, 11, 8, 15
_FIRST_CUSTOMER, _FIRST_PRODUCT, _PRODUCTS = 500, 100, "EABCD"


@dataclass(frozen=True)
class Delivery:
    """A day's file: the transactions of a shop whose days have ``transactions`` each."""

    day: dt.date
    transactions: int
    seed: str

    @property
    def sends_again(self) -> bool:
        """Whether the file of the day before is in this one too: once a week somebody sends it twice."""
        return self.day > FIRST_DAY and self.day.toordinal() % SENT_AGAIN_EVERY == 0

    @property
    def rows(self) -> int:
        """How many rows the file has, those that come twice included."""
        own = self.transactions + self.transactions // REPEATED_EVERY
        return own * (2 if self.sends_again else 1)

    def lines(self) -> Iterator[str]:
        """The file, line by line, without line ends."""
        yield HEADER
        if self.sends_again:
            yield from self._on(self.day - dt.timedelta(days=1))._own_lines()
        yield from self._own_lines()

    def _on(self, day: dt.date) -> "Delivery":
        return Delivery(day, self.transactions, self.seed)

    def _own_lines(self) -> Iterator[str]:
        first = FIRST_NUMBER + (self.day - FIRST_DAY).days * self.transactions
        for start in range(0, self.transactions, CHUNK_ROWS):
            count = min(CHUNK_ROWS, self.transactions - start)
            for place, line in enumerate(self._lines_of(first + start, count), start + 1):
                yield line
                if place % REPEATED_EVERY == 0:
                    yield line

    def _lines_of(self, first: int, count: int) -> Iterator[str]:
        draws = Draws("customers", self.day, self.seed, first)
        customers = draws.below(max(10, self.transactions // 10), count)
        products = draws.below(len(_PRODUCTS), count)
        days_late = draws.below(10, count) // 8  # most of the day itself, some of the day before
        quantities = 1 + draws.below(5, count)
        prices = 5_000 + draws.below(25_000, count)
        taxes = 500 + draws.below(2_500, count)
        for row in range(count):
            number = first + row
            date = max(FIRST_DAY, self.day - dt.timedelta(days=int(days_late[row])))
            product = int(products[row])
            yield ",".join(
                (
                    f"T{number}" if number % _LETTER_BEFORE_ID == 0 else str(number),
                    "" if number % _NO_CUSTOMER == _NO_CUSTOMER - 1 else f"{_FIRST_CUSTOMER + customers[row]}.0",
                    f"{date:%d-%m-%Y}" if number % _DAY_FIRST == 0 else str(date),
                    f"{'P' if number % _LETTER_BEFORE_PRODUCT == 10 else ''}{_FIRST_PRODUCT + product}",
                    f"Product {_PRODUCTS[product]}",
                    "" if number % _NO_QUANTITY == 4 else f"{quantities[row]}.0",
                    "Two Hundred" if number % _PRICE_IN_WORDS == 1 else str(prices[row] / 100),
                    "Fifteen" if number % _TAX_IN_WORDS == _TAX_IN_WORDS - 1 else str(taxes[row] / 100),
                )
            )
