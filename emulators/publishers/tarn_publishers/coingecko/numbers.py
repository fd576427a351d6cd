"""Numbers as CoinGecko writes them: a whole one may come as an integer in one answer and as a float in the next."""

DOLLAR = 100_000_000


def dollars(units: int) -> int | float:
    """Hundred-millionths of a dollar; large amounts come without cents."""
    return units // DOLLAR if units >= 1_000 * DOLLAR else units / DOLLAR


def exact(units: int) -> float:
    """Hundred-millionths of a dollar as a series has them: with all the digits of a float."""
    return units / DOLLAR


def mixed(value: int, as_float: bool) -> int | float:
    """A whole number in either of the two ways."""
    return float(value) if as_float else value


def percent(change: int, of: int) -> float | None:
    """A change in per cent, to five digits; None of nothing."""
    return round(change * 100 / of, 5) if of else None
