"""What a coin costs and is traded for at any time; the other publishers convert their money by it."""

from tarn_publishers.coingecko.coins import Coin
from tarn_publishers.coingecko.noise import DAY, draw, per_million


class Course:
    """The course of one coin in dollars, of a sample's seed."""

    def __init__(self, coin: Coin, seed: str) -> None:
        self._coin = coin
        self._name = f"{seed}/{coin.id}"

    def price(self, second: int) -> int:
        """In hundred-millionths of a dollar; never zero."""
        height = per_million(self._name, second)
        if self._coin.stable:
            height = 1_000_000 + (height - 1_000_000) // 500
        return max(1, self._coin.price * height // 1_000_000)

    def supply(self, second: int) -> int:
        """Coins in circulation: a little fewer the farther back, on the scale of years."""
        years_to_2026 = max(0, (1_767_225_600 - second) // (365 * DAY))
        return self._coin.circulating * (1_000 - 15 * min(years_to_2026, 20)) // 1_000

    def market_cap(self, second: int) -> int:
        """In hundred-millionths of a dollar."""
        return self.price(second) * self.supply(second)

    def volume(self, second: int) -> int:
        """What was traded in the 24 hours before, in hundred-millionths of a dollar."""
        share = 5_000 + draw(90_000, self._name, "volume", second // DAY) + draw(5_000, self._name, "volume", second)
        return self.market_cap(second) * share // 1_000_000
