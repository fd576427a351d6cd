"""What a metered trip costs, as the city's rules changed it. All prices are in cents."""

from dataclasses import dataclass

from tarn_publishers.taxi.months import in_force


@dataclass(frozen=True)
class Tariff:
    """The prices of one month."""

    flag_drop: int
    unit: int  # a fifth of a mile, or a minute in slow traffic
    airport_flat: int  # between Manhattan and JFK
    toll: int
    improvement: int
    congestion_yellow: int  # a trip that touches Manhattan below 96th Street
    congestion_green: int
    airport_fee: int  # a yellow taxi's pickup at an airport
    cbd_fee: int  # a trip that touches Manhattan below 60th Street


_PRICES = {
    "flag_drop": (("2009-01", 250), ("2023-01", 300)),
    "unit": (("2009-01", 40), ("2012-10", 50), ("2023-01", 70)),
    "airport_flat": (("2009-01", 4500), ("2012-10", 5200), ("2023-01", 7000)),
    "toll": (
        *(("2009-01", 457), ("2012-10", 533), ("2015-04", 554), ("2017-04", 576), ("2019-04", 612)),
        *(("2021-05", 655), ("2023-09", 694)),
    ),
    "improvement": (("2009-01", 0), ("2015-01", 30), ("2023-01", 100)),
    "congestion_yellow": (("2009-01", 0), ("2019-02", 250)),
    "congestion_green": (("2009-01", 0), ("2019-02", 275)),
    "airport_fee": (("2009-01", 0), ("2022-04", 125), ("2023-04", 175)),
    "cbd_fee": (("2009-01", 0), ("2025-01", 75)),
}


def tariff_of(month: str) -> Tariff:
    """The tariff in force when the month began."""
    return Tariff(**{name: in_force(changes, month) for name, changes in _PRICES.items()})
