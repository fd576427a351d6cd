"""The taxi zones: how often a trip begins or ends in each, and where on the map they lie.

`zones.csv` lists them as the publisher's edition of 2024 does (names and boroughs are public facts).
"""

import csv
from importlib.resources import files
from typing import BinaryIO

import numpy as np

from tarn_publishers.taxi.draws import Flags, Ints, weighted_deck

LOOKUP = files("tarn_publishers.taxi") / "zones.csv"
# Editions differ in the two zones that are no place: the file of today, and the one of before 2024.
EDITIONS: dict[str, dict[str, str]] = {
    "taxi_zone_lookup.csv": {},
    "taxi+_zone_lookup.csv": {
        '264,"Unknown","N/A","N/A"': '264,"Unknown","NV","N/A"',
        '265,"N/A","Outside of NYC","N/A"': '265,"Unknown","NA","N/A"',
    },
}

JFK, LAGUARDIA, NEWARK = 132, 138, 1
UNKNOWN, OUTSIDE = 264, 265

# Pickups by zone, in ten thousands, for the zones that stand out; the others share the rest.
_YELLOW_PEAKS = {
    161: 447, 237: 396, 132: 372, 162: 368, 186: 366, 230: 365, 236: 330, 234: 319, 48: 311, 170: 306, 164: 276,
    142: 275, 138: 265, 163: 262, 100: 255, 79: 243, 68: 229, 239: 227, 107: 224, 141: 222, 140: 212, 229: 186,
    90: 178, 238: 176, 263: 165, 249: 165, 246: 157, 231: 157, 113: 155, 233: 151, 43: 150, 148: 122, 137: 113,
    262: 110, 114: 105, 143: 104, 144: 99, 158: 97, 151: 95, 50: 91, 13: 89, 211: 81, 264: 78, 87: 75, 75: 72,
    125: 58, 261: 55, 74: 46, 88: 43, 41: 40, 166: 38, 209: 34, 24: 28, 224: 20, 42: 18, 265: 6, 1: 2,
}  # fmt: skip
_GREEN_PEAKS = {
    74: 1013, 75: 921, 41: 768, 42: 707, 244: 413, 97: 337, 166: 244, 65: 230, 116: 205, 159: 176, 82: 172,
    61: 170, 130: 132, 188: 129, 197: 126, 95: 126, 7: 116, 25: 97, 152: 94, 69: 92, 247: 88, 213: 82, 17: 78,
    168: 75, 243: 73, 76: 73, 185: 72, 43: 70, 174: 64, 225: 63, 35: 60, 55: 59, 226: 58, 89: 57, 52: 56,
    242: 54, 49: 54, 235: 53, 92: 53, 39: 52, 29: 51, 37: 51, 181: 50, 51: 49, 265: 30, 264: 10,
}  # fmt: skip

# South-west corner and extent of each borough's inhabited part, in millionths of a degree.
_BOXES = {
    "Manhattan": (-74_010_000, 40_705_000, 70_000, 110_000),
    "Brooklyn": (-74_000_000, 40_600_000, 110_000, 110_000),
    "Queens": (-73_930_000, 40_690_000, 150_000, 80_000),
    "Bronx": (-73_920_000, 40_810_000, 90_000, 70_000),
    "Staten Island": (-74_180_000, 40_540_000, 110_000, 90_000),
    "EWR": (-74_190_000, 40_680_000, 15_000, 15_000),
}


def write_lookup(out: BinaryIO, name: str) -> None:
    """Writes the zone file of the given name, as published."""
    text = LOOKUP.read_text(encoding="utf-8")
    for today, before in EDITIONS[name].items():
        text = text.replace(today, before)
    out.write(text.encode())


_ZONES = list(csv.DictReader(LOOKUP.read_text(encoding="utf-8").splitlines()))
_IDS = [int(zone["LocationID"]) for zone in _ZONES]
COUNT = len(_IDS)


def _deck(peaks: dict[int, int], others: int) -> Ints:
    return weighted_deck({zone: peaks.get(zone, others) for zone in _IDS})


YELLOW_PICKUPS = _deck(_YELLOW_PEAKS, others=2)
YELLOW_DROPOFFS = _deck({zone: weight * 3 // 4 for zone, weight in _YELLOW_PEAKS.items()}, others=12)
GREEN_PICKUPS = _deck(_GREEN_PEAKS, others=12)
GREEN_DROPOFFS = _deck({zone: weight // 2 for zone, weight in _GREEN_PEAKS.items()}, others=25)
HIRED = _deck({JFK: 250, LAGUARDIA: 220, NEWARK: 60, UNKNOWN: 10, OUTSIDE: 300}, others=45)


def _zones_where(column: str, value: str) -> Flags:
    """For each zone id, whether the zone has that value."""
    flags = np.zeros(OUTSIDE + 1, dtype=bool)
    flags[[int(zone["LocationID"]) for zone in _ZONES if zone[column] == value]] = True
    return flags


def _corners() -> Ints:
    """For each zone id, a longitude and latitude in its borough; zeros for the zones that are no place."""
    corners = np.zeros((OUTSIDE + 1, 2), dtype=np.int64)
    for number, zone in zip(_IDS, _ZONES, strict=True):
        if zone["Borough"] in _BOXES:
            west, south, width, height = _BOXES[zone["Borough"]]
            # Two steps that share no factor with 97 scatter a borough's zones over its box.
            corners[number] = (west + width * (number * 37 % 97) // 97, south + height * (number * 61 % 97) // 97)
    return corners


IN_YELLOW_ZONE = _zones_where("service_zone", "Yellow Zone")
IN_MANHATTAN = _zones_where("Borough", "Manhattan")
CORNERS = _corners()
