"""How the publishers laid out each service's files, month by month, as data.

The headers are the publishers' own, to the letter: case, blanks and quotes move between eras, and readers
have to cope. The rest of a layout says how the rows under the header are written. Sources: the heads of the
genuine CSV files of 2009 to 2020, and the genuine Parquet files.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

import pyarrow as pa

from tarn_publishers.taxi.number_text import ALL_DIGITS, PLAIN, NumberText

Words = Mapping[str, Mapping[int, str]]


@dataclass(frozen=True)
class CsvLayout:
    """An era of a service's CSV files."""

    header: str
    header_end: str = "\r\n"  # all that stands between the header and the first row
    line_end: str = "\r\n"
    extra_fields: int = 0  # fields at the end of each row that the header does not name
    quoted: bool = False
    numbers: NumberText = PLAIN
    words: Words = field(default_factory=dict)  # text that stands for a code
    blank: frozenset[str] = frozenset()  # values that this era leaves empty


@dataclass(frozen=True)
class ParquetLayout:
    """An era of a service's Parquet files."""

    header: str
    types: Mapping[str, pa.DataType] = field(default_factory=dict)  # where they are not the usual ones
    words: Words = field(default_factory=dict)
    blank: frozenset[str] = frozenset()
    filled: Mapping[str, int] = field(default_factory=dict)  # codes that stand where the CSV files have nothing
    text: pa.DataType = field(default_factory=pa.string)
    compression: str = "snappy"


_CODES_2009: Words = {
    "vendor": {1: "CMT", 2: "VTS", 3: "DDS"},
    "payment": {1: "Credit", 2: "CASH", 3: "No Charge", 4: "Dispute"},
}
_CODES_2010_H1: Words = {
    "vendor": _CODES_2009["vendor"],
    "payment": {1: "Cre", 2: "CAS", 3: "No", 4: "Dis"},
    "stored": {0: "0", 1: "1"},
}
_FLAGS: Words = {"stored": {0: "N", 1: "Y"}}
_CODES_2010_H2: Words = {
    "vendor": _CODES_2009["vendor"],
    "stored": _FLAGS["stored"],
    "payment": {1: "CRD", 2: "CSH", 3: "NOC", 4: "DIS"},
}
_UNUSED_2009 = frozenset({"ratecode", "stored", "mta_tax"})

_YELLOW_2009 = (
    "vendor_name,Trip_Pickup_DateTime,Trip_Dropoff_DateTime,Passenger_Count,Trip_Distance,Start_Lon,Start_Lat,"
    "Rate_Code,store_and_forward,End_Lon,End_Lat,Payment_Type,Fare_Amt,surcharge,mta_tax,Tip_Amt,Tolls_Amt,Total_Amt"
)
_YELLOW_2010 = (
    "vendor_id,pickup_datetime,dropoff_datetime,passenger_count,trip_distance,pickup_longitude,pickup_latitude,"
    "rate_code,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,surcharge,mta_tax,"
    "tip_amount,tolls_amount,total_amount"
)
_YELLOW_2015_H1 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,pickup_longitude,"
    "pickup_latitude,RateCodeID,store_and_fwd_flag,dropoff_longitude,dropoff_latitude,payment_type,fare_amount,"
    "extra,mta_tax,tip_amount,tolls_amount,improvement_surcharge,total_amount"
)
_YELLOW_2016_H2 = (
    "VendorID,tpep_pickup_datetime,tpep_dropoff_datetime,passenger_count,trip_distance,RatecodeID,"
    "store_and_fwd_flag,PULocationID,DOLocationID,payment_type,fare_amount,extra,mta_tax,tip_amount,tolls_amount,"
    "improvement_surcharge,total_amount"
)
_GREEN_2013 = (
    "VendorID,lpep_pickup_datetime,Lpep_dropoff_datetime,Store_and_fwd_flag,RateCodeID,Pickup_longitude,"
    "Pickup_latitude,Dropoff_longitude,Dropoff_latitude,Passenger_count,Trip_distance,Fare_amount,Extra,MTA_tax,"
    "Tip_amount,Tolls_amount,Ehail_fee,Total_amount,Payment_type,Trip_type "
)
_GREEN_2015 = _GREEN_2013.replace("Ehail_fee,", "Ehail_fee,improvement_surcharge,")
_GREEN_2016_H2 = (
    "VendorID,lpep_pickup_datetime,lpep_dropoff_datetime,store_and_fwd_flag,RatecodeID,PULocationID,DOLocationID,"
    "passenger_count,trip_distance,fare_amount,extra,mta_tax,tip_amount,tolls_amount,ehail_fee,"
    "improvement_surcharge,total_amount,payment_type,trip_type"
)
_FHV_2019 = "dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag"
_FHV_PARQUET = (
    "dispatching_base_num,pickup_datetime,dropOff_datetime,PUlocationID,DOlocationID,SR_Flag,Affiliated_base_number"
)
_FHVHV_CSV = "hvfhs_license_num,dispatching_base_num,pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,SR_Flag"
_FHVHV_PARQUET = (
    "hvfhs_license_num,dispatching_base_num,originating_base_num,request_datetime,on_scene_datetime,"
    "pickup_datetime,dropoff_datetime,PULocationID,DOLocationID,trip_miles,trip_time,base_passenger_fare,tolls,bcf,"
    "sales_tax,congestion_surcharge,airport_fee,tips,driver_pay,shared_request_flag,shared_match_flag,"
    "access_a_ride_flag,wav_request_flag,wav_match_flag"
)

_EMPTY_LINE = "\n\r\n"

CSV_LAYOUTS: Mapping[str, tuple[tuple[str, CsvLayout], ...]] = {
    "yellow": (
        ("2009-01", CsvLayout(_YELLOW_2009, _EMPTY_LINE, numbers=ALL_DIGITS, words=_CODES_2009, blank=_UNUSED_2009)),
        ("2010-01", CsvLayout(_YELLOW_2010, _EMPTY_LINE, numbers=ALL_DIGITS, words=_CODES_2010_H1)),
        ("2010-08", CsvLayout(_YELLOW_2010, _EMPTY_LINE, numbers=ALL_DIGITS, words=_CODES_2010_H2)),
        (
            "2014-01",
            CsvLayout(_YELLOW_2010.replace(",", ", "), _EMPTY_LINE, numbers=ALL_DIGITS, words=_CODES_2010_H2),
        ),
        ("2015-01", CsvLayout(_YELLOW_2015_H1, words=_FLAGS)),
        ("2015-07", CsvLayout(_YELLOW_2015_H1.replace("RateCodeID", "RatecodeID"), words=_FLAGS)),
        ("2016-07", CsvLayout(_YELLOW_2016_H2, extra_fields=2, words=_FLAGS)),
        ("2017-01", CsvLayout(_YELLOW_2016_H2, _EMPTY_LINE, words=_FLAGS)),
        ("2019-01", CsvLayout(_YELLOW_2016_H2 + ",congestion_surcharge", words=_FLAGS)),
        ("2021-01", CsvLayout(_YELLOW_2016_H2 + ",congestion_surcharge", "\n", "\n", words=_FLAGS)),
    ),
    "green": (
        ("2013-08", CsvLayout(_GREEN_2013, _EMPTY_LINE, extra_fields=2, words=_FLAGS)),
        ("2014-01", CsvLayout(_GREEN_2013, "\n" + _EMPTY_LINE, extra_fields=2, words=_FLAGS)),
        ("2015-01", CsvLayout(_GREEN_2015, extra_fields=2, words=_FLAGS)),
        ("2015-07", CsvLayout(_GREEN_2015, words=_FLAGS)),
        ("2016-01", CsvLayout(_GREEN_2015, _EMPTY_LINE, words=_FLAGS)),
        ("2016-07", CsvLayout(_GREEN_2016_H2, _EMPTY_LINE, extra_fields=2, words=_FLAGS)),
        ("2017-01", CsvLayout(_GREEN_2016_H2, _EMPTY_LINE, words=_FLAGS)),
        ("2019-01", CsvLayout(_GREEN_2016_H2 + ",congestion_surcharge", words=_FLAGS)),
        ("2021-01", CsvLayout(_GREEN_2016_H2 + ",congestion_surcharge", "\n", "\n", words=_FLAGS)),
    ),
    "fhv": (
        ("2015-01", CsvLayout("Dispatching_base_num,Pickup_date,locationID")),
        ("2017-01", CsvLayout("Dispatching_base_num,Pickup_DateTime,DropOff_datetime,PUlocationID,DOlocationID")),
        (
            "2017-07",
            CsvLayout(
                '"Dispatching_base_num","Pickup_DateTime","DropOff_datetime","PUlocationID","DOlocationID","SR_Flag"',
                quoted=True,
            ),
        ),
        (
            "2018-01",
            CsvLayout(
                '"Pickup_DateTime","DropOff_datetime","PUlocationID","DOlocationID","SR_Flag",'
                '"Dispatching_base_number","Dispatching_base_num"',
                quoted=True,
                blank=frozenset({"base"}),  # the base moves to the column before
            ),
        ),
        ("2019-01", CsvLayout(_FHV_2019)),
        ("2020-07", CsvLayout(_FHV_PARQUET)),
        ("2021-01", CsvLayout(_FHV_PARQUET, "\n", "\n")),
    ),
    "fhvhv": (
        ("2019-02", CsvLayout(_FHVHV_CSV)),
        ("2021-01", CsvLayout(_FHVHV_CSV, "\n", "\n")),
    ),
}

_FLOAT, _INT32, _NULL, _TEXT = pa.float64(), pa.int32(), pa.null(), pa.string()

_YELLOW_PARQUET = _YELLOW_2016_H2 + ",congestion_surcharge,airport_fee"
_YELLOW_PARQUET_2023 = _YELLOW_2016_H2 + ",congestion_surcharge,Airport_fee"
_GREEN_PARQUET = _GREEN_2016_H2 + ",congestion_surcharge"

_TEXT_TIMES = {"pickup": _TEXT, "dropoff": _TEXT}
_YELLOW_WITH_NULLS = {"passengers": _FLOAT, "ratecode": _FLOAT}
_GREEN_WITH_NULLS = {"passengers": _FLOAT, "ratecode": _FLOAT, "payment": _FLOAT, "trip_type": _FLOAT}
_NARROW = {"vendor": _INT32, "pu_zone": _INT32, "do_zone": _INT32}
_FLOAT_ZONES = {"pu_zone": _FLOAT, "do_zone": _FLOAT}

_yellow = partial(ParquetLayout, words=_FLAGS, filled={"vendor": 2, "payment": 0})
_green = partial(ParquetLayout, words=_FLAGS, filled={"vendor": 2})
# Since 2023-02 another program writes the files.
_SINCE_2023 = {"text": pa.large_string(), "compression": "zstd"}

PARQUET_LAYOUTS: Mapping[str, tuple[tuple[str, ParquetLayout], ...]] = {
    "yellow": (
        (
            "2009-01",
            ParquetLayout(
                _YELLOW_2009,
                _TEXT_TIMES | dict.fromkeys(_UNUSED_2009, _FLOAT),
                words={name: _CODES_2009[name] for name in ("vendor", "payment")},
                blank=_UNUSED_2009,
            ),
        ),
        ("2010-01", ParquetLayout(_YELLOW_2010, _TEXT_TIMES | {"ratecode": _TEXT}, words=_CODES_2010_H1)),
        ("2010-08", ParquetLayout(_YELLOW_2010, _TEXT_TIMES | {"ratecode": _TEXT}, words=_CODES_2010_H2)),
        ("2011-01", _yellow(_YELLOW_PARQUET, {"congestion": _NULL, "airport_fee": _NULL})),
        ("2019-01", _yellow(_YELLOW_PARQUET, _YELLOW_WITH_NULLS | {"airport_fee": _NULL})),
        ("2021-01", _yellow(_YELLOW_PARQUET, _YELLOW_WITH_NULLS)),
        ("2023-02", _yellow(_YELLOW_PARQUET_2023, _NARROW, **_SINCE_2023)),
        (
            "2025-01",
            _yellow(_YELLOW_PARQUET_2023 + ",cbd_congestion_fee", _NARROW | _YELLOW_WITH_NULLS, **_SINCE_2023),
        ),
    ),
    "green": (
        ("2013-08", _green(_GREEN_PARQUET, {"ehail_fee": _NULL, "congestion": _NULL})),
        ("2019-01", _green(_GREEN_PARQUET, _GREEN_WITH_NULLS | {"ehail_fee": _NULL})),
        ("2023-02", _green(_GREEN_PARQUET, _NARROW, **_SINCE_2023)),
        ("2025-01", _green(_GREEN_PARQUET + ",cbd_congestion_fee", _NARROW, **_SINCE_2023)),
    ),
    "fhv": (
        ("2015-01", ParquetLayout(_FHV_PARQUET, _FLOAT_ZONES | {"shared": _NULL})),
        ("2017-07", ParquetLayout(_FHV_PARQUET, _FLOAT_ZONES | {"shared": _FLOAT})),
        ("2019-01", ParquetLayout(_FHV_PARQUET, _FLOAT_ZONES | {"shared": _NULL})),
        ("2023-02", ParquetLayout(_FHV_PARQUET, _NARROW | {"shared": _INT32}, **_SINCE_2023)),
    ),
    "fhvhv": (
        ("2019-02", ParquetLayout(_FHVHV_PARQUET)),
        ("2023-02", ParquetLayout(_FHVHV_PARQUET, _NARROW, **_SINCE_2023)),
        ("2025-01", ParquetLayout(_FHVHV_PARQUET + ",cbd_congestion_fee", _NARROW, **_SINCE_2023)),
    ),
}
