"""Trips of yellow and green taxis: what the meter and the driver wrote, before any publisher's layout."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from tarn_publishers.taxi import zones
from tarn_publishers.taxi.demand import Demand, chunks
from tarn_publishers.taxi.draws import Draws, Flags, Ints, quantile_deck, weighted_deck
from tarn_publishers.taxi.months import in_force, month_start
from tarn_publishers.taxi.tariffs import tariff_of

# Miles, in hundredths, of trips that touch no airport.
_YELLOW_MILES = quantile_deck(
    [(0, 0), (8, 0), (9, 10), (50, 45), (250, 92), (500, 150), (750, 245), (900, 420), (990, 1000), (1000, 2500)]
)
_GREEN_MILES = quantile_deck(
    [(0, 0), (15, 0), (16, 10), (50, 50), (250, 108), (500, 188), (750, 380), (950, 1050), (990, 1800), (1000, 3200)]
)
_DISPATCHED_MILES = quantile_deck([(0, 0), (250, 220), (500, 450), (750, 880), (950, 1500), (1000, 2800)])
_PASSENGERS = weighted_deck({1: 703, 2: 149, 3: 43, 5: 40, 6: 25, 4: 20, 0: 20})
_YELLOW_VENDORS = weighted_deck({1: 355, 2: 645})
_GREEN_VENDORS = weighted_deck({1: 155, 2: 845})
_CAB_VENDORS_OF_2009 = weighted_deck({1: 460, 2: 480, 3: 60})
_YELLOW_PAYMENTS = weighted_deck({1: 706, 2: 287, 3: 5, 4: 2})
_GREEN_PAYMENTS = weighted_deck({1: 500, 2: 490, 3: 8, 4: 2})
_TIP_PERCENT = weighted_deck({0: 8, 10: 10, 15: 17, 18: 8, 20: 35, 25: 15, 30: 7})
_MILES_PER_HOUR = np.array(
    [16, 17, 18, 19, 20, 20, 16, 13, 11, 11, 11, 10, 10, 10, 10, 10, 10, 10, 10, 11, 12, 13, 14, 15], dtype=np.int64
)

# A clock that was never set writes one of these as the pickup's day.
_UNSET_CLOCKS = np.array([month_start(month) for month in ("2008-12", "2009-01", "2003-01", "2001-01")])

# Per million.
_WRONG_CLOCKS = 150
_NEGATIVE_TOTALS = 3_400
_ABSURD_MILES = 60

# How many trips of a thousand came without a vendor's record.
_UNRECORDED = {
    "green": (
        *(("2013-08", 0), ("2019-07", 160), ("2020-01", 220), ("2020-04", 312), ("2020-05", 455), ("2020-06", 400)),
        *(("2021-08", 350), ("2022-01", 110), ("2023-01", 76), ("2025-01", 40)),
    ),
    "yellow": (
        *(("2009-01", 0), ("2019-07", 6), ("2020-03", 8), ("2020-04", 80), ("2020-05", 120), ("2021-01", 70)),
        *(("2022-01", 33), ("2024-01", 95), ("2025-01", 160)),
    ),
}

# What an airport adds to them.
_AIRPORT_MILES = 900

# Codes of the Commission's data dictionary.
_STANDARD, _JFK_FLAT, _NEGOTIATED = 1, 2, 5
_CARD = 1

_COLUMNS = (
    *("vendor", "pickup", "dropoff", "passengers", "distance", "ratecode", "stored", "pu_zone", "do_zone"),
    *("pickup_longitude", "pickup_latitude", "dropoff_longitude", "dropoff_latitude"),
    *("payment", "trip_type", "fare", "extra", "mta_tax", "tip", "tolls", "ehail_fee", "improvement"),
    *("congestion", "airport_fee", "cbd_fee", "total"),
)


@dataclass(frozen=True)
class _Ride:
    pickup: Ints
    seconds: Ints
    miles: Ints
    pu_zone: Ints
    do_zone: Ints
    airport: Flags
    ratecode: Ints


class MeteredMonth:
    """One service's trips of one month, as record batches of whole numbers.

    Money is in cents, distance in hundredths of a mile, times in seconds since 1970 (local), positions in
    millionths of a degree. The last batches hold the trips that came without a vendor's record: times in
    whole minutes, and no vendor, rate, passengers, payment, trip type or congestion surcharge.
    """

    def __init__(self, service: str, month: str, rows: int, seed: str) -> None:
        self._green = service == "green"
        self._month = month
        self._name = (seed, service, month)
        self._unrecorded = rows * in_force(_UNRECORDED[service], month) // 1000
        self._recorded = rows - self._unrecorded
        self._tariff = tariff_of(month)

    def batches(self) -> Iterator[pa.RecordBatch]:
        demand = Demand(self._month, self._recorded)
        for rows in chunks(self._recorded):
            draws = Draws(*self._name, "recorded", rows.start)
            pickup = self._with_wrong_clocks(demand.pickups(rows, draws), rows, draws)
            yield self._recorded_batch(pickup, draws)
        demand = Demand(self._month, self._unrecorded)
        for rows in chunks(self._unrecorded):
            draws = Draws(*self._name, "unrecorded", rows.start)
            yield self._unrecorded_batch(demand.pickups(rows, draws, resolution=60), draws)

    def _with_wrong_clocks(self, pickup: Ints, rows: range, draws: Draws) -> Ints:
        """Some clocks were never set; and the month's fourth trip began before midnight of the month before."""
        count = len(pickup)
        unset = _UNSET_CLOCKS[draws.below(len(_UNSET_CLOCKS), count)] + pickup % 86_400
        pickup = np.where(draws.chance(_WRONG_CLOCKS, count), unset, pickup)
        if rows.start == 0 and count > 3:
            pickup[3] = month_start(self._month) - 242
        return pickup

    def _recorded_batch(self, pickup: Ints, draws: Draws) -> pa.RecordBatch:
        count = len(pickup)
        ride = self._ride(pickup, draws)
        vendor = draws.deal(self._vendors(), count)
        refunded = draws.chance(_NEGATIVE_TOTALS, count)
        paid = draws.deal(_GREEN_PAYMENTS if self._green else _YELLOW_PAYMENTS, count)
        payment = np.where(refunded, 3 + paid % 2, paid)
        charges = self._charges(ride, payment, draws)
        if not self._green:
            # Vendor 1 writes the congestion surcharge into `extra` as well; the total counts it once.
            charges["extra"] = charges["extra"] + charges["congestion"] * (vendor == 1)
        absurd = draws.chance(_ABSURD_MILES, count)
        columns = {
            "vendor": vendor,
            "pickup": pickup,
            "dropoff": pickup + ride.seconds,
            "passengers": draws.deal(_PASSENGERS, count),
            "distance": np.where(absurd, ride.miles * 1_913 + 1_000_000, ride.miles),
            "ratecode": ride.ratecode,
            "stored": draws.chance(8_000, count).astype(np.int64),
            "pu_zone": ride.pu_zone,
            "do_zone": ride.do_zone,
            "payment": payment,
            "trip_type": np.where(ride.ratecode == _NEGOTIATED, 2, 1),
        }
        sign = np.where(refunded, -1, 1)
        columns |= {name: charge * sign for name, charge in charges.items()}
        if self._month < "2016-07":
            columns |= _positions("pickup", ride.pu_zone, draws) | _positions("dropoff", ride.do_zone, draws)
        return self._batch(columns)

    def _ride(self, pickup: Ints, draws: Draws) -> _Ride:
        count = len(pickup)
        pu_zone = draws.deal(zones.GREEN_PICKUPS if self._green else zones.YELLOW_PICKUPS, count)
        do_zone = draws.deal(zones.GREEN_DROPOFFS if self._green else zones.YELLOW_DROPOFFS, count)
        airport = _is_airport(pu_zone) | _is_airport(do_zone)
        miles = draws.deal(_GREEN_MILES if self._green else _YELLOW_MILES, count) + _AIRPORT_MILES * airport
        flat = ((pu_zone == zones.JFK) & zones.IN_MANHATTAN[do_zone]) | (
            (do_zone == zones.JFK) & zones.IN_MANHATTAN[pu_zone]
        )
        ratecode = np.where(flat, _JFK_FLAT, np.where(draws.chance(8_000, count), _NEGOTIATED, _STANDARD))
        return _Ride(pickup, _driving_seconds(pickup, miles, draws), miles, pu_zone, do_zone, airport, ratecode)

    def _charges(self, ride: _Ride, payment: Ints, draws: Draws) -> dict[str, Ints]:
        count, tariff = len(ride.pickup), self._tariff
        in_centre = zones.IN_YELLOW_ZONE[ride.pu_zone] | zones.IN_YELLOW_ZONE[ride.do_zone]
        from_airport = (ride.pu_zone == zones.JFK) | (ride.pu_zone == zones.LAGUARDIA)
        metered = self._metered_fare(ride.miles, ride.seconds)
        charges = {
            "fare": np.where(ride.ratecode == _JFK_FLAT, tariff.airport_flat, metered),
            "extra": _surcharge_by_hour(ride.pickup),
            "mta_tax": np.full(count, 50),
            "tolls": tariff.toll * (ride.airport & draws.chance(350_000, count)),
            "improvement": np.full(count, tariff.improvement),
            "congestion": in_centre * (tariff.congestion_green if self._green else tariff.congestion_yellow),
            "airport_fee": tariff.airport_fee * (from_airport & (not self._green)),
            "cbd_fee": tariff.cbd_fee * (in_centre & draws.chance(750_000, count)),
        }
        before_tip = np.sum(list(charges.values()), axis=0)
        # Tips in cash are not written down.
        tip = np.where(payment == _CARD, before_tip * draws.deal(_TIP_PERCENT, count) // 100, 0)
        return charges | {"tip": tip, "total": before_tip + tip}

    def _unrecorded_batch(self, pickup: Ints, draws: Draws) -> pa.RecordBatch:
        count = len(pickup)
        miles = draws.deal(_DISPATCHED_MILES, count)
        seconds = _driving_seconds(pickup, miles, draws) // 60 * 60
        # Such fares are agreed beforehand: any number of cents.
        fare = self._metered_fare(miles, seconds) + draws.below(300, count)
        tip = 275 * draws.chance(400_000, count)
        tolls = self._tariff.toll * draws.chance(80_000, count)
        zero = np.zeros(count, dtype=np.int64)
        improvement = np.full(count, self._tariff.improvement)
        return self._batch(
            {
                "pickup": pickup,
                "dropoff": pickup + seconds,
                "distance": miles,
                "pu_zone": draws.deal(zones.HIRED, count),
                "do_zone": draws.deal(zones.HIRED, count),
                "fare": fare,
                "extra": zero,
                "mta_tax": zero,
                "tip": tip,
                "tolls": tolls,
                "improvement": improvement,
                "cbd_fee": zero,
                "total": fare + tip + tolls + improvement,
            }
        )

    def _batch(self, columns: dict[str, Ints]) -> pa.RecordBatch:
        """One schema for every batch: what a batch lacks is null, and so is a surcharge not yet introduced."""
        rows = len(columns["pickup"])
        missing = {"congestion"} if self._month < "2019-02" else set()
        return pa.record_batch(
            {
                name: pa.array(columns[name]) if name in columns and name not in missing else pa.nulls(rows, pa.int64())
                for name in _COLUMNS
            }
        )

    def _vendors(self) -> Ints:
        if self._green:
            return _GREEN_VENDORS
        return _CAB_VENDORS_OF_2009 if self._month < "2011-01" else _YELLOW_VENDORS

    def _metered_fare(self, miles: Ints, seconds: Ints) -> Ints:
        units = -(-miles // 20) + seconds // 240
        return self._tariff.flag_drop + self._tariff.unit * units


def _is_airport(zone: Ints) -> Flags:
    return (zone == zones.JFK) | (zone == zones.LAGUARDIA) | (zone == zones.NEWARK)


def _driving_seconds(pickup: Ints, miles: Ints, draws: Draws) -> Ints:
    """Two minutes to stop and go, then the distance at the hour's usual speed, give or take a third."""
    percent = 70 + draws.below(61, len(pickup))
    return 120 + miles * 36 * percent // (_MILES_PER_HOUR[pickup // 3600 % 24] * 100)


def _surcharge_by_hour(pickup: Ints) -> Ints:
    """50 cents by night, a dollar in the evening rush of working days."""
    hour = pickup // 3600 % 24
    weekday = (pickup // 86_400 + 3) % 7  # 1970-01-01 was a Thursday
    rush = (weekday < 5) & (hour >= 16) & (hour < 20)
    night = (hour >= 20) | (hour < 6)
    return np.where(rush, 100, np.where(night, 50, 0))


def _positions(end: str, zone: Ints, draws: Draws) -> dict[str, Ints]:
    """Where a trip began or ended; some devices had no fix and wrote zeros."""
    count = len(zone)
    fixed = ~draws.chance(15_000, count) & (zones.CORNERS[zone, 0] != 0)
    return {
        f"{end}_longitude": (zones.CORNERS[zone, 0] + draws.below(64, count) * 137) * fixed,
        f"{end}_latitude": (zones.CORNERS[zone, 1] + draws.below(64, count) * 113) * fixed,
    }
