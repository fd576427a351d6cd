"""The crashes of each day, and what the city learns of them later: a row is put in once and may be mended twice.

Everything that changes on a day changes at one time of it, in a batch: rows put in share one `:updated_at`, rows
mended another. So the dataset as it stood at the end of a day never depends on the hour at which one asks.
"""

import datetime as dt
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from tarn_publishers.socrata.fields import ALL_FIELDS, FACTOR_FIELDS, VEHICLE_FIELDS
from tarn_publishers.socrata.vocabulary import BICYCLES, BOROUGHS, FACTORS, HOURS, UNSPECIFIED, VEHICLES, Borough

FIRST_DAY = dt.date(2012, 7, 1)
BATCH_TIME = dt.time(10, 30)
_MOST_DAYS_TO_PUBLISH, _MOST_DAYS_TO_MEND, _MOST_DAYS_TO_MEND_AGAIN = 4, 45, 75
MOST_DAYS_LATE = _MOST_DAYS_TO_PUBLISH + _MOST_DAYS_TO_MEND + _MOST_DAYS_TO_MEND_AGAIN
"""No row changes more days than this after its crash."""

# Rows of a year in per mille of the year with most of them; later years are as the last.
_YEARS = dict(zip(range(2012, 2024), (870, 880, 890, 940, 990, 1000, 1000, 910, 490, 480, 450, 420), strict=True))
_DAYS_KEPT = 256
_DRAWS = 64
_DAY = dt.timedelta(days=1)
_STREET_WIDTH = 32
_INDEX = {name: position for position, name in enumerate(ALL_FIELDS)}

Value = str | int | None
Row = tuple[Value, ...]
"""The values of `ALL_FIELDS`, in their order; `location` holds nothing, for it says again what stands before it."""


def position_of(field: str) -> int:
    """Where a row has a field."""
    return _INDEX[field]


def location_of(row: Row) -> tuple[str, str] | None:
    """Latitude and longitude as `location` writes them: where the columns say 0 it says 0.0."""
    latitude, longitude = row[_INDEX["latitude"]], row[_INDEX["longitude"]]
    if latitude is None or longitude is None:
        return None
    return _with_fraction(latitude), _with_fraction(longitude)


def _with_fraction(degrees: Value) -> str:
    return "0.0" if degrees == "0" else str(degrees)


@dataclass(frozen=True, slots=True)
class Crash:
    """What the dataset says of one crash from each day on that it changes."""

    versions: tuple[tuple[dt.date, Row], ...]

    def at(self, day: dt.date) -> Row | None:
        """The row at the end of a day; None where it is not in yet."""
        known = [row for since, row in self.versions if since <= day]
        return known[-1] if known else None


@dataclass(frozen=True)
class City:
    """The crashes of one seed; `per_day` is about how many a day has in the worst years."""

    seed: str
    per_day: int

    def day(self, day: dt.date) -> tuple[Crash, ...]:
        """The crashes of a day, whenever they become known."""
        return _crashes(self, day)

    def count(self, day: dt.date) -> int:
        """How many crashes a day has."""
        share = _YEARS.get(day.year, _YEARS[max(_YEARS)])
        return max(1, self.per_day * share * (850 + _Dice(self.seed, day).below(301)) // 1_000_000)

    def collision_id(self, day: dt.date, number: int) -> int:
        """Unique, and growing with the days."""
        stride = 1_000
        while stride < 2 * self.per_day:
            stride *= 10
        return 3_000_000 + (day - FIRST_DAY).days * stride + number


class _Dice:
    """Draws that belong to a name: only a hash and whole numbers, the same on every machine."""

    def __init__(self, *name: object) -> None:
        digest = hashlib.shake_256("/".join(map(str, name)).encode()).digest(4 * _DRAWS)
        self._left: Iterator[int] = iter(struct.unpack(f">{_DRAWS}I", digest))

    def below(self, bound: int) -> int:
        return next(self._left) * bound >> 32

    def chance(self, per_mille: int) -> bool:
        return self.below(1_000) < per_mille


@lru_cache(maxsize=_DAYS_KEPT)
def _crashes(city: City, day: dt.date) -> tuple[Crash, ...]:
    if day < FIRST_DAY:
        return ()
    return tuple(_crash(city, day, number) for number in range(city.count(day)))


def _crash(city: City, day: dt.date, number: int) -> Crash:
    collision_id = city.collision_id(day, number)
    dice = _Dice(city.seed, collision_id)
    borough = BOROUGHS.pick(dice.below(BOROUGHS.tickets))
    first = {
        ":id": _row_id(city.seed, collision_id),
        "crash_date": f"{day}T00:00:00.000",
        "crash_time": f"{HOURS.pick(dice.below(HOURS.tickets))}:{5 * dice.below(12):02}",
        "collision_id": collision_id,
        **_place(dice, borough),
        **_vehicles(dice),
    }
    first |= _harm(dice, cyclist=any(value in ("Bike", "E-Bike", "BICYCLE") for value in first.values()))
    in_since = day + (1 + dice.below(_MOST_DAYS_TO_PUBLISH)) * _DAY
    versions = [(in_since, _stamped(first, in_since, in_since, 1))]
    row, since = first, in_since
    for most_days, per_mille in ((_MOST_DAYS_TO_MEND, 300), (_MOST_DAYS_TO_MEND_AGAIN, 250)):
        if not dice.chance(per_mille):
            break
        since += (1 + dice.below(most_days) * dice.below(most_days) // most_days) * _DAY
        row = _mended(dice, row, borough)
        versions.append((since, _stamped(row, in_since, since, len(versions) + 1)))
    return Crash(tuple(versions))


def _row_id(seed: str, collision_id: int) -> str:
    digits = hashlib.blake2b(f"{seed}/{collision_id}".encode(), digest_size=6).hexdigest()
    return f"row-{digits[:4]}~{digits[4:8]}~{digits[8:]}"


def _stamped(fields: dict[str, Value], created: dt.date, updated: dt.date, version: int) -> Row:
    # Rows that are mended follow, in the same batch, those that are new.
    stamps = {
        ":created_at": f"{created}T{BATCH_TIME:%H:%M}:00.000Z",
        ":updated_at": f"{updated}T{BATCH_TIME:%H:%M}:{'00' if version == 1 else '07'}.{version - 1:03}Z",
        ":version": f"rv-{updated:%y%m%d}~{version:04}",
    }
    stamped = fields | stamps
    return tuple(map(stamped.get, ALL_FIELDS))


def _place(dice: _Dice, borough: Borough) -> dict[str, Value]:
    at, street, other = dice.below(1_000), dice.below(1_000), dice.below(1_000)
    on_street = _street(dice, borough, street)
    # The API's names: what it calls cross_street_name is an address, and off_street_name the street that crosses.
    place: dict[str, Value] = {"on_street_name": on_street, "off_street_name": _street(dice, borough, other)}
    if at < 250:
        house = str(1 + dice.below(3_000))
        place = {"cross_street_name": f"{house:<10}{borough.streets[street % len(borough.streets)]}"}
    elif at < 500:
        del place["off_street_name"]
    low, high = borough.zip_codes
    if dice.chance(660):
        place |= {"borough": borough.name, "zip_code": str(low + dice.below(high - low + 1))}
    return place | _coordinates(dice, borough)


def _coordinates(dice: _Dice, borough: Borough) -> dict[str, Value]:
    fate, latitude, longitude = dice.below(1_000), dice.below(1_000_000), dice.below(1_000_000)
    if fate < 90:
        return {}
    if fate < 106:
        return {"latitude": "0", "longitude": "0"}
    if fate < 107:
        return {"latitude": "40.665226", "longitude": "-201.23706"}  # a place that no map has; the publisher's own
    return {
        "latitude": _degrees(borough.latitudes, latitude),
        "longitude": _degrees(borough.longitudes, longitude),
    }


def _degrees(bounds: tuple[int, int], draw: int) -> str:
    low, high = bounds
    millionths = low + (high - low) * draw // 1_000_000
    sign, size = ("-" if millionths < 0 else ""), abs(millionths)
    return f"{sign}{size // 1_000_000}.{size % 1_000_000:06}".rstrip("0")


def _street(dice: _Dice, borough: Borough, draw: int) -> str:
    name = borough.streets[draw % len(borough.streets)]
    manner = dice.below(1_000)
    if manner < 150:
        return f"{name:<{_STREET_WIDTH}}"
    return f"{name}\n" if manner < 155 else name


def _vehicles(dice: _Dice) -> dict[str, Value]:
    count = (1, 2, 2, 2, 2, 2, 2, 3, 4, 5)[dice.below(10)]
    fields: dict[str, Value] = {}
    for number, (factor, vehicle) in enumerate(zip(FACTOR_FIELDS, VEHICLE_FIELDS, strict=True), 1):
        drawn, known, type_, typed = dice.below(FACTORS.tickets), dice.chance(760), dice.below(10_000), dice.chance(985)
        if number > count:
            continue
        fields[factor] = FACTORS.pick(drawn) if known and number == 1 else UNSPECIFIED
        if typed:
            lot = BICYCLES if number > 1 and type_ % 10 == 0 else VEHICLES
            fields[vehicle] = lot.pick(type_ * lot.tickets // 10_000)
    return fields


def _harm(dice: _Dice, *, cyclist: bool) -> dict[str, Value]:
    injured = (0, 0, 0, 0, 0, 0, 1, 1, 1, 2)[dice.below(10)]
    killed = 1 if dice.chance(2) else 0
    who = "cyclist" if cyclist else "pedestrians" if dice.chance(150) else "motorist"
    counts: dict[str, Value] = {
        f"number_of_{people}_{harm}": count if people in ("persons", who) else 0
        for people in ("persons", "pedestrians", "cyclist", "motorist")
        for harm, count in (("injured", injured), ("killed", killed))
    }
    if dice.chance(5):
        # What the officer left blank is made up only for the groups.
        del counts["number_of_persons_injured"], counts["number_of_persons_killed"]
    return counts


def _mended(dice: _Dice, row: dict[str, Value], borough: Borough) -> dict[str, Value]:
    """The row after a correction, which always changes something: harm, factors or place."""
    kind, factor, place = dice.below(10), FACTORS.pick(dice.below(FACTORS.tickets)), _coordinates(dice, borough)
    injured, killed = row.get("number_of_persons_injured"), row.get("number_of_persons_killed")
    groups = [name.removesuffix("_injured") for name, value in row.items() if name.endswith("_injured") and value]
    if kind == 0 and isinstance(injured, int) and isinstance(killed, int) and injured > 0:
        # Someone died of it later.
        died = {f"{group}_killed": 1 for group in groups}
        return row | died | {f"{group}_injured": int(row[f"{group}_injured"] or 0) - 1 for group in groups}
    if kind < 5 and isinstance(injured, int):
        one_more = dict.fromkeys(groups or ["number_of_persons", "number_of_motorist"], 1)
        return row | {f"{group}_injured": int(row[f"{group}_injured"] or 0) + more for group, more in one_more.items()}
    if kind < 7 and "latitude" in place and row.get("latitude") in (None, "0"):
        return row | place | {"borough": borough.name, "zip_code": str(borough.zip_codes[0])}
    name = FACTOR_FIELDS[0]
    return row | {name: factor if factor != row[name] else UNSPECIFIED}
