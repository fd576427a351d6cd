"""The coins of the market: the best known under their own names, the rest made up."""

from dataclasses import dataclass

from tarn_publishers.coingecko.noise import draw
from tarn_publishers.sample import Sample

# id, symbol, name, mean price in hundred-millionths of a dollar, coins in circulation, most there can ever be
_KNOWN = (
    ("bitcoin", "btc", "Bitcoin", 6_100_000_000_000, 19_700_000, 21_000_000),
    ("ethereum", "eth", "Ethereum", 290_000_000_000, 120_300_000, None),
    ("tether", "usdt", "Tether", 100_000_000, 110_000_000_000, None),
    ("binancecoin", "bnb", "BNB", 54_000_000_000, 148_000_000, 200_000_000),
    ("solana", "sol", "Solana", 14_000_000_000, 455_000_000, None),
    ("usd-coin", "usdc", "USDC", 100_000_000, 33_000_000_000, None),
    ("ripple", "xrp", "XRP", 58_000_000, 55_000_000_000, 100_000_000_000),
    ("dogecoin", "doge", "Dogecoin", 14_000_000, 144_000_000_000, None),
    ("cardano", "ada", "Cardano", 48_000_000, 35_500_000_000, 45_000_000_000),
    ("tron", "trx", "TRON", 12_500_000, 87_500_000_000, None),
    ("avalanche-2", "avax", "Avalanche", 3_500_000_000, 390_000_000, 720_000_000),
    ("chainlink", "link", "Chainlink", 1_450_000_000, 587_000_000, 1_000_000_000),
    ("polkadot", "dot", "Polkadot", 690_000_000, 1_430_000_000, None),
    ("bitcoin-cash", "bch", "Bitcoin Cash", 42_000_000_000, 19_700_000, 21_000_000),
    ("litecoin", "ltc", "Litecoin", 8_300_000_000, 74_500_000, 84_000_000),
    ("monero", "xmr", "Monero", 15_000_000_000, 18_400_000, None),
    ("stellar", "xlm", "Stellar", 11_000_000, 29_000_000_000, 50_001_806_812),
)
_STABLE = frozenset({"tether", "usd-coin"})
_LEAST, _MOST, _ROWS_A_COIN = 300, 10_000, 200
_SYLLABLES = ("ba", "co", "do", "fi", "ga", "lu", "me", "no", "pi", "ra", "so", "ta", "ve", "xi", "zu", "qua")
_ENDINGS = ("coin", "swap", "chain", "dao", "protocol", "token")


@dataclass(frozen=True)
class Coin:
    """A coin and what its figures hover about."""

    id: str
    symbol: str
    name: str
    number: int  # of its page and picture
    price: int  # mean, in hundred-millionths of a dollar
    circulating: int
    maximum: int | None
    stable: bool = False


def coin_count(rows: int) -> int:
    """How many coins a sample has: more than a page of the API holds."""
    return min(_MOST, max(_LEAST, rows // _ROWS_A_COIN))


def coins(sample: Sample) -> list[Coin]:
    """The market of a sample, the largest coins first by and large."""
    known = [
        Coin(id_, symbol, name, number, price, circulating, maximum, id_ in _STABLE)
        for number, (id_, symbol, name, price, circulating, maximum) in enumerate(_KNOWN, 1)
    ]
    made_up = range(len(known), coin_count(sample.rows))
    return known + [_made_up(sample.seed, number) for number in made_up]


def _made_up(seed: int, number: int) -> Coin:
    def among(bound: int, what: str) -> int:
        return draw(bound, seed, "coin", number, what)

    word = "".join(_SYLLABLES[among(len(_SYLLABLES), f"syllable {at}")] for at in range(2 + among(2, "length")))
    ending = _ENDINGS[among(len(_ENDINGS), "ending")]
    # A smaller rank is a smaller market: from a billion dollars down to a few thousand.
    market = 1_000_000_000 * 17 * 17 // (number * number)
    price = 10 ** (2 + among(9, "magnitude")) * (100 + among(900, "price")) // 100
    circulating = max(1_000, market * 100_000_000 // price)
    capped = among(3, "capped") == 0
    return Coin(
        id=f"{word}-{ending}-{number}",
        symbol=f"{word[:3]}{ending[0]}",
        name=f"{word.capitalize()} {ending.capitalize()}",
        number=1_000 + number,
        price=price,
        circulating=circulating,
        maximum=circulating * (10 + among(20, "maximum")) // 10 if capped else None,
    )
