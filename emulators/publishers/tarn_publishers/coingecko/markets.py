"""The market's list: a record a coin, as it stands at one moment."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tarn_publishers.coingecko.coins import Coin
from tarn_publishers.coingecko.courses import Course
from tarn_publishers.coingecko.noise import DAY, HOUR, draw
from tarn_publishers.coingecko.numbers import DOLLAR, dollars, mixed, percent

_PICTURES = "https://coin-images.coingecko.com/coins/images"
_UNRANKED_IN = 60


@dataclass(frozen=True)
class Market:
    """The market of a sample's seed at one moment."""

    seed: str
    second: int

    def ranked(self, coins: Iterable[Coin], revision: int = 0) -> list[Coin]:
        """The coins in the order of their market caps; each revision has neighbours change places."""
        caps = [(Course(coin, self.seed).market_cap(self.second), coin) for coin in coins]
        ranked = [coin for _, coin in sorted(caps, key=lambda entry: (-entry[0], entry[1].id))]
        if revision % 2 == 0:
            return ranked
        # As when coins are overtaken between two pages. The first stays, so that the others pair across even pages.
        pairs = zip(ranked[2::2], ranked[1::2], strict=False)
        moved = [ranked[0], *(coin for pair in pairs for coin in pair)]
        return moved + ranked[len(moved) :]

    def record(self, coin: Coin, rank: int) -> dict[str, Any]:
        """A coin as the list has it, at its place."""
        course, now = Course(coin, self.seed), self.second
        price, before = course.price(now), course.price(now - DAY)
        cap, cap_before = course.market_cap(now), course.market_cap(now - DAY)
        of_day = [course.price(now - hours * HOUR) for hours in range(0, 25, 4)]
        supply = course.supply(now)
        total = coin.maximum if coin.maximum and coin.number % 2 else supply + supply // 50
        highest, lowest = coin.price * 2, max(1, coin.price // 50)
        as_float = draw(2, self.seed, coin.id, "float", now // DAY) == 0
        # Coins that are not traded enough are listed without a rank, a cap or a volume.
        listed = coin.number < 1_000 or draw(_UNRANKED_IN, self.seed, coin.id, "unranked") > 0
        return {
            "id": coin.id,
            "symbol": coin.symbol,
            "name": coin.name,
            "image": f"{_PICTURES}/{coin.number}/large/{coin.id}.png?{1_696_501_400 + coin.number}",
            "current_price": dollars(price),
            "market_cap": dollars(cap) if listed else 0,
            "market_cap_rank": rank if listed else None,
            "fully_diluted_valuation": dollars(price * total) if listed else None,
            "total_volume": dollars(course.volume(now)) if listed else None,
            "high_24h": dollars(max(of_day)),
            "low_24h": dollars(min(of_day)),
            "price_change_24h": (price - before) / DOLLAR,
            "price_change_percentage_24h": percent(price - before, before),
            "market_cap_change_24h": (cap - cap_before) / DOLLAR if listed else None,
            "market_cap_change_percentage_24h": percent(cap - cap_before, cap_before) if listed else None,
            "circulating_supply": mixed(supply, as_float),
            "total_supply": mixed(total, as_float),
            "max_supply": None if coin.maximum is None else mixed(coin.maximum, as_float),
            "ath": dollars(highest),
            "ath_change_percentage": percent(price - highest, highest),
            "ath_date": _iso(1_600_000_000 + draw(50_000_000, coin.id, "highest")),
            "atl": dollars(lowest),
            "atl_change_percentage": percent(price - lowest, lowest),
            "atl_date": _iso(1_373_000_000 + draw(50_000_000, coin.id, "lowest")),
            "roi": self._return(coin, course),
            "last_updated": _iso(now - draw(60, coin.id, "updated", now), draw(1_000, coin.id, "millisecond", now)),
        }

    def _return(self, coin: Coin, course: Course) -> dict[str, Any] | None:
        """What a buyer at the first sale has made of it, for the few coins where CoinGecko knows."""
        if coin.id == "bitcoin" or draw(8, self.seed, coin.id, "roi"):
            return None
        start = max(1, coin.price // (2 + draw(40, coin.id, "start")))
        gain = course.price(self.second) - start
        return {
            "times": gain / start,
            "currency": ("usd", "btc", "eth")[coin.number % 3],
            "percentage": gain * 100 / start,
        }


def _iso(second: int, millisecond: int = 0) -> str:
    return f"{dt.datetime.fromtimestamp(second, dt.UTC):%Y-%m-%dT%H:%M:%S}.{millisecond:03d}Z"
