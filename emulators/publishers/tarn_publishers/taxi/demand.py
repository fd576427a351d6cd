"""How many trips a month has, and when in the month they begin."""

import calendar
from collections.abc import Iterator

import numpy as np

from tarn_publishers.taxi.draws import Draws, Ints
from tarn_publishers.taxi.months import month_start

REFERENCE_MONTH = "2019-03"
CHUNK_ROWS = 1 << 16  # part of the format: another size gives other draws

# Trips of an average month of the year, per mille of the service's trips in the reference month.
_YEARS = {
    "yellow": {2009: 1820, 2010: 1800, 2011: 1880, 2012: 1900, 2013: 1840, 2014: 1760, 2015: 1560}
    | {2016: 1395, 2017: 1210, 2018: 1095, 2022: 421, 2023: 408, 2024: 438, 2025: 500},
    "green": {2013: 350, 2014: 2190, 2015: 2670, 2016: 2270, 2017: 1630, 2018: 1220, 2022: 116}
    | {2023: 109, 2024: 91, 2025: 85},
    "fhv": {2015: 2600, 2016: 4700, 2017: 9300, 2018: 12600, 2019: 1050, 2021: 680, 2022: 700}
    | {2023: 900, 2024: 1100, 2025: 1300},
    "fhvhv": {2022: 742, 2023: 812, 2024: 837, 2025: 860},
}
# Months told one by one, per mille of the reference month: the split of fhv in 2019, the pandemic.
_MONTHS = {
    "yellow": {
        2019: (979, 896, 1000, 949, 966, 887, 806, 775, 839, 921, 877, 880),
        2020: (818, 804, 384, 30, 44, 70, 102, 129, 171, 215, 193, 187),
        2021: (175, 175, 246, 277, 320, 362, 360, 357, 378, 443, 444, 411),
    },
    "green": {
        2019: (1050, 957, 1000, 856, 839, 783, 782, 749, 747, 792, 832, 749),
        2020: (745, 663, 372, 59, 95, 105, 120, 134, 146, 158, 147, 138),
        2021: (127, 107, 139, 144, 148, 145, 139, 139, 157, 182, 180, 166),
    },
    "fhv": {
        2019: (12000, 900, 1000, 1020, 1100, 1040, 1020, 990, 960, 1060, 1050, 1120),
        2020: (1020, 960, 720, 300, 340, 440, 560, 620, 700, 730, 690, 680),
    },
    "fhvhv": {
        2019: (0, 843, 1000, 909, 937, 881, 849, 842, 845, 906, 904, 942),
        2020: (862, 910, 561, 181, 255, 317, 417, 465, 507, 556, 486, 488),
        2021: (500, 486, 596, 591, 616, 627, 628, 607, 624, 694, 672, 673),
    },
}
_SEASON_PERCENT = (97, 94, 106, 103, 105, 100, 95, 92, 97, 105, 100, 102)

# Trips by hour of the day, per mille, on a working day and at the weekend.
_WORKDAY = (18, 11, 7, 5, 6, 10, 24, 40, 46, 45, 44, 45, 46, 47, 52, 53, 51, 58, 71, 69, 63, 60, 50, 34)
_WEEKEND = (52, 43, 34, 25, 15, 9, 9, 13, 21, 31, 41, 46, 50, 51, 50, 49, 47, 51, 56, 52, 47, 46, 49, 51)
_WEEKDAY_PERCENT = (90, 97, 101, 104, 106, 108, 94)


def month_rows(service: str, month: str, reference_rows: int) -> int:
    """Rows of a month, where the reference month has `reference_rows`; at least one."""
    year, number = int(month[:4]), int(month[5:])
    if year in _MONTHS[service]:
        return max(1, reference_rows * _MONTHS[service][year][number - 1] // 1000)
    return max(1, reference_rows * _YEARS[service][year] * _SEASON_PERCENT[number - 1] // 100_000)


def chunks(rows: int) -> Iterator[range]:
    """Row numbers 0 to `rows`, in slices small enough to be made in memory."""
    return (range(start, min(start + CHUNK_ROWS, rows)) for start in range(0, rows, CHUNK_ROWS))


class Demand:
    """Spreads a number of trips over the hours of a month: by weekday and by hour of the day.

    Trips come in the order of their hours, as in the publisher's files; the row's place in the month alone
    tells its hour, so that any slice can be made without the rows before it.
    """

    def __init__(self, month: str, rows: int) -> None:
        self._start = month_start(month)
        first_weekday, days = calendar.monthrange(int(month[:4]), int(month[5:]))
        weights = [
            hour * _WEEKDAY_PERCENT[(first_weekday + day) % 7]
            for day in range(days)
            for hour in (_WEEKEND if (first_weekday + day) % 7 >= 5 else _WORKDAY)
        ]
        cumulative = np.cumsum(weights, dtype=np.int64)
        self._ends = cumulative * rows // cumulative[-1]

    def pickups(self, rows: range, draws: Draws, resolution: int = 1) -> Ints:
        """Pickup times, in seconds since 1970, of the given rows; whole multiples of `resolution` seconds."""
        hours = np.searchsorted(self._ends, np.arange(rows.start, rows.stop), side="right")
        seconds = draws.below(3600 // resolution, len(rows)) * resolution
        return self._start + hours * 3600 + seconds
