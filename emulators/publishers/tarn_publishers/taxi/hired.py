"""Trips of for-hire vehicles (fhv) and of the high-volume services, the ride-hailing apps (fhvhv)."""

from collections.abc import Callable, Iterator

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from tarn_publishers.taxi import zones
from tarn_publishers.taxi.demand import Demand, chunks
from tarn_publishers.taxi.draws import Draws, Ints, quantile_deck, weighted_deck

# Base numbers: a few large companies, and many bases with a handful of cars.
_BASES = weighted_deck(
    {2764: 90, 2682: 60, 2617: 55, 3035: 50, 2510: 40, 2836: 30} | {13 + 11 * n: 3 for n in range(150)}
)
_APP_BASES = weighted_deck({2764: 16, 2872: 14, 2875: 13, 2867: 7, 2879: 6, 2510: 27, 2800: 2})
_APP_MILES = quantile_deck(
    [(0, 0), (50, 75), (250, 160), (500, 295), (750, 620), (950, 1600), (990, 2300), (1000, 4500)]
)
_SECONDS_PER_MILE = 240


def hired_batches(month: str, rows: int, seed: str) -> Iterator[pa.RecordBatch]:
    """A month of fhv: bases report as they like, so most columns have holes."""
    return _each_chunk(_hired_batch, ("fhv", month, seed), rows)


def app_batches(month: str, rows: int, seed: str) -> Iterator[pa.RecordBatch]:
    """A month of fhvhv. Money in cents, distance in hundredths of a mile, times in seconds since 1970."""
    return _each_chunk(_app_batch, ("fhvhv", month, seed), rows)


def _each_chunk(
    make: Callable[[str, Ints, Draws], pa.RecordBatch], name: tuple[str, str, str], rows: int
) -> Iterator[pa.RecordBatch]:
    _, month, _ = name
    demand = Demand(month, rows)
    for chunk in chunks(rows):
        draws = Draws(*name, chunk.start)
        yield make(month, demand.pickups(chunk, draws), draws)


def _hired_batch(month: str, pickup: Ints, draws: Draws) -> pa.RecordBatch:
    count = len(pickup)
    number = draws.deal(_BASES, count)
    base = _base_text(number)
    pu_zone, do_zone = draws.deal(zones.HIRED, count), draws.deal(zones.HIRED, count)
    no_pickup_zone = draws.chance(650_000 if month < "2017-07" else 250_000, count)
    no_dropoff_zone = draws.chance(120_000, count) if month >= "2017-07" else no_pickup_zone
    no_dropoff = draws.chance(300_000 if month < "2017-07" else 0, count)
    not_shared = ~draws.chance(220_000, count) if "2017-07" <= month < "2019-01" else np.full(count, True)
    seconds = 300 + draws.below(2_400, count)
    return pa.record_batch(
        {
            "base": base,
            "pickup": pa.array(pickup),
            "dropoff": pa.array(pickup + seconds, mask=no_dropoff),
            "pu_zone": pa.array(pu_zone, mask=no_pickup_zone),
            "do_zone": pa.array(do_zone, mask=no_dropoff_zone),
            "shared": pa.array(np.ones(count, dtype=np.int64), mask=not_shared),
            "affiliated_base": base,
        }
    )


def _app_batch(month: str, pickup: Ints, draws: Draws) -> pa.RecordBatch:
    count = len(pickup)
    number = draws.deal(_APP_BASES, count)
    base = _base_text(number)
    miles = draws.deal(_APP_MILES, count)
    seconds = 180 + miles * _SECONDS_PER_MILE * (70 + draws.below(61, count)) // 10_000
    pu_zone, do_zone = draws.deal(zones.HIRED, count), draws.deal(zones.HIRED, count)
    fare = 300 + miles * 175 // 100 + seconds * 35 // 60
    waited = 60 + draws.below(540, count)
    lyft = number == 2510
    shared_request = draws.chance(60_000, count)
    in_yellow_zone = zones.IN_YELLOW_ZONE[pu_zone] | zones.IN_YELLOW_ZONE[do_zone]
    at_airport = (pu_zone == zones.JFK) | (pu_zone == zones.LAGUARDIA)
    flags = {
        "shared_request": shared_request,
        "shared_match": shared_request & draws.chance(400_000, count),
        "access_a_ride": draws.chance(1_000, count),
        "wheelchair_request": draws.chance(2_000, count),
        "wheelchair_match": draws.chance(60_000, count),
    }
    numbers = {
        "pickup": pickup,
        "dropoff": pickup + seconds,
        "requested": pickup - waited,
        "pu_zone": pu_zone,
        "do_zone": do_zone,
        "distance": miles,
        "trip_seconds": seconds,
        "fare": fare,
        "tolls": 612 * draws.chance(70_000, count),
        "black_car_fund": fare * 25 // 1000,
        "sales_tax": fare * 8875 // 100_000,
        "congestion": 275 * in_yellow_zone,
        "airport_fee": 250 * (at_airport & (month >= "2021-06")),
        "cbd_fee": 150 * (in_yellow_zone & (month >= "2025-01")),
        "tip": fare * 18 // 100 * draws.chance(180_000, count),
        "driver_pay": fare * 78 // 100,
    }
    return pa.record_batch(
        {name: pa.array(values) for name, values in numbers.items()}
        | {name: pa.array(np.where(flag, "Y", "N")) for name, flag in flags.items()}
        | {
            "license": pa.array(np.where(lyft, "HV0005", "HV0003")),
            "base": base,
            "originating_base": pc.if_else(pa.array(lyft), pa.scalar(None, pa.string()), base),
            "on_scene": pa.array(pickup - waited // 4, mask=lyft),
            "shared": pa.array(np.ones(count, dtype=np.int64), mask=~flags["shared_match"]),
        }
    )


def _base_text(number: Ints) -> pa.Array:
    """Base numbers as published: B and five digits."""
    distinct, places = np.unique(number, return_inverse=True)
    return pa.array([f"B{base:05d}" for base in distinct]).take(pa.array(places))
