"""The words of the crashes: boroughs and their streets, factors and vehicles, with how often each occurs."""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Lot(Generic[Value]):
    """Values with weights; a ticket from 0 up to `tickets` picks one."""

    def __init__(self, weights: Mapping[Value, int]) -> None:
        self._values = tuple(weights)
        self._edges = tuple(accumulate(weights.values()))
        self.tickets = self._edges[-1]

    def pick(self, ticket: int) -> Value:
        return self._values[bisect_right(self._edges, ticket)]


@dataclass(frozen=True)
class Borough:
    """A borough: where it lies, in millionths of a degree, and what its streets and zip codes are called."""

    name: str
    latitudes: tuple[int, int]
    longitudes: tuple[int, int]
    zip_codes: tuple[int, int]
    streets: tuple[str, ...]


BOROUGHS = Lot(
    {
        Borough(
            "BROOKLYN",
            (40_582_000, 40_716_000),
            (-74_020_000, -73_870_000),
            (11201, 11239),
            ("ATLANTIC AVENUE", "FLATBUSH AVENUE", "LINDEN BOULEVARD", "12 AVENUE", "BELT PARKWAY", "NOSTRAND AVENUE"),
        ): 33,
        Borough(
            "QUEENS",
            (40_600_000, 40_780_000),
            (-73_940_000, -73_730_000),
            (11354, 11436),
            ("QUEENS BOULEVARD", "NORTHERN BOULEVARD", "LONG ISLAND EXPRESSWAY", "ROCKAWAY BOULEVARD", "60 STREET"),
        ): 28,
        Borough(
            "BRONX",
            (40_800_000, 40_900_000),
            (-73_920_000, -73_830_000),
            (10451, 10475),
            ("GRAND CONCOURSE", "MAJOR DEEGAN EXPRESSWAY", "WEBSTER AVENUE", "EAST 149 STREET", "BRUCKNER BOULEVARD"),
        ): 17,
        Borough(
            "MANHATTAN",
            (40_705_000, 40_860_000),
            (-74_010_000, -73_930_000),
            (10001, 10040),
            ("BROADWAY", "3 AVENUE", "WEST 14 STREET", "EAST 52 STREET", "FDR DRIVE", "WEST 96 STREET"),
        ): 19,
        Borough(
            "STATEN ISLAND",
            (40_510_000, 40_640_000),
            (-74_200_000, -74_070_000),
            (10301, 10314),
            ("HYLAN BOULEVARD", "STATEN ISLAND EXPRESSWAY", "VICTORY BOULEVARD", "RICHMOND AVENUE"),
        ): 3,
    }
)

UNSPECIFIED = "Unspecified"
FACTORS = Lot(
    {
        "Driver Inattention/Distraction": 240,
        "Failure to Yield Right-of-Way": 66,
        "Following Too Closely": 57,
        "Passing or Lane Usage Improper": 54,
        "Passing Too Closely": 47,
        "Unsafe Speed": 35,
        "Backing Unsafely": 33,
        "Traffic Control Disregarded": 29,
        "Alcohol Involvement": 24,
        "Other Vehicular": 23,
        "Turning Improperly": 22,
        "Driver Inexperience": 15,
        "Pedestrian/Bicyclist/Other Pedestrian Error/Confusion": 13,
        "View Obstructed/Limited": 9,
        "Pavement Slippery": 4,
        "Illnes": 2,  # an older spelling, never mended
        "Illness": 2,
        "Drugs (illegal)": 1,
        "Drugs (Illegal)": 1,
        "Cell Phone (hand-Held)": 1,
        "Cell Phone (hand-held)": 1,
        "80": 1,  # a code that was never put into words
    }
)
VEHICLES = Lot(
    {
        "Sedan": 470,
        "Station Wagon/Sport Utility Vehicle": 350,
        "Taxi": 30,
        "Pick-up Truck": 24,
        "Bus": 19,
        "Box Truck": 15,
        "Van": 9,
        "van": 1,
        "Motorcycle": 9,
        "Moped": 5,
        "MOPED": 2,
        "Tractor Truck Diesel": 7,
        "Ambulance": 5,
        "AMBULANCE": 1,
        "E-Scooter": 5,
        "E SCOOTER": 1,
        "UNKNOWN": 1,
        "U-HAUL TRU": 1,  # cut off at ten letters
    }
)
BICYCLES = Lot({"Bike": 6, "E-Bike": 3, "BICYCLE": 1})
HOURS = Lot(dict(enumerate((6, 3, 3, 2, 3, 3, 4, 5, 8, 8, 7, 8, 8, 9, 10, 10, 11, 11, 10, 8, 7, 6, 6, 5))))
"""Crashes by the hour of the day."""
