"""The names that the publishers gave to a trip's values over the years, and what kind of value each is."""

# Which value stands under a published name, whatever its case and surrounding blanks.
_SOURCES = {
    "vendor": ("vendorid", "vendor_id", "vendor_name"),
    "pickup": (
        *("tpep_pickup_datetime", "lpep_pickup_datetime", "pickup_datetime", "trip_pickup_datetime"),
        "pickup_date",
    ),
    "dropoff": ("tpep_dropoff_datetime", "lpep_dropoff_datetime", "dropoff_datetime", "trip_dropoff_datetime"),
    "passengers": ("passenger_count",),
    "distance": ("trip_distance", "trip_miles"),
    "ratecode": ("ratecodeid", "rate_code"),
    "stored": ("store_and_fwd_flag", "store_and_forward"),
    "pu_zone": ("pulocationid", "locationid"),
    "do_zone": ("dolocationid",),
    "pickup_longitude": ("pickup_longitude", "start_lon"),
    "pickup_latitude": ("pickup_latitude", "start_lat"),
    "dropoff_longitude": ("dropoff_longitude", "end_lon"),
    "dropoff_latitude": ("dropoff_latitude", "end_lat"),
    "payment": ("payment_type",),
    "trip_type": ("trip_type",),
    "fare": ("fare_amount", "fare_amt", "base_passenger_fare"),
    "extra": ("extra", "surcharge"),
    "mta_tax": ("mta_tax",),
    "tip": ("tip_amount", "tip_amt", "tips"),
    "tolls": ("tolls_amount", "tolls_amt", "tolls"),
    "ehail_fee": ("ehail_fee",),
    "improvement": ("improvement_surcharge",),
    "congestion": ("congestion_surcharge",),
    "airport_fee": ("airport_fee",),
    "cbd_fee": ("cbd_congestion_fee",),
    "total": ("total_amount", "total_amt"),
    "base": ("dispatching_base_num",),
    "affiliated_base": ("affiliated_base_number", "dispatching_base_number"),
    "shared": ("sr_flag",),
    "license": ("hvfhs_license_num",),
    "originating_base": ("originating_base_num",),
    "requested": ("request_datetime",),
    "on_scene": ("on_scene_datetime",),
    "trip_seconds": ("trip_time",),
    "black_car_fund": ("bcf",),
    "sales_tax": ("sales_tax",),
    "driver_pay": ("driver_pay",),
    "shared_request": ("shared_request_flag",),
    "shared_match": ("shared_match_flag",),
    "access_a_ride": ("access_a_ride_flag",),
    "wheelchair_request": ("wav_request_flag",),
    "wheelchair_match": ("wav_match_flag",),
}
_SOURCE_OF = {name: source for source, names in _SOURCES.items() for name in names}

# Kinds of value; all others are whole numbers.
TIMES = frozenset({"pickup", "dropoff", "requested", "on_scene"})
MONEY = frozenset(
    {"fare", "extra", "mta_tax", "tip", "tolls", "ehail_fee", "improvement", "congestion", "airport_fee", "cbd_fee"}
    | {"total", "black_car_fund", "sales_tax", "driver_pay"}
)
POSITIONS = frozenset({"pickup_longitude", "pickup_latitude", "dropoff_longitude", "dropoff_latitude"})
TEXTS = frozenset(
    {"base", "affiliated_base", "license", "originating_base", "shared_request", "shared_match", "access_a_ride"}
    | {"wheelchair_request", "wheelchair_match"}
)


def sources(header: str) -> list[str]:
    """The values that stand under the header's names, in their order."""
    return [_SOURCE_OF[name.strip().strip('"').lower()] for name in header.split(",")]
