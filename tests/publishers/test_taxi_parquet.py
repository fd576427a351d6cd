"""The Parquet files: their schemas drift as the genuine ones do, and hold the same trips as the CSV files."""

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

REAL_MONTH = (
    Path(__file__).parents[3]
    / "shared"
    / "data"
    / "real"
    / "tlc"
    / "parquet_official"
    / "green_tripdata_2023-12.parquet"
)


@pytest.fixture
def table(publishers):
    def read(service: str, month: str) -> pa.Table:
        answer = publishers.get(f"/trip-data/{service}_tripdata_{month}.parquet")
        answer.raise_for_status()
        return pq.read_table(io.BytesIO(answer.content))

    return read


@pytest.mark.skipif(not REAL_MONTH.is_file(), reason="the genuine files are not beside the project")
def test_the_genuine_schema_of_december_2023(table):
    assert table("green", "2023-12").schema.equals(pq.read_schema(REAL_MONTH), check_metadata=False)


@pytest.mark.parametrize(
    ("service", "month", "column", "expected"),
    [
        ("yellow", "2009-05", "Trip_Pickup_DateTime", "string"),
        ("yellow", "2010-05", "rate_code", "string"),
        ("yellow", "2018-05", "passenger_count", "int64"),
        ("yellow", "2018-05", "airport_fee", "null"),
        ("yellow", "2020-05", "passenger_count", "double"),
        ("yellow", "2021-05", "airport_fee", "double"),
        ("yellow", "2024-05", "Airport_fee", "double"),
        ("yellow", "2024-05", "VendorID", "int32"),
        ("yellow", "2025-05", "cbd_congestion_fee", "double"),
        ("green", "2020-04", "ehail_fee", "null"),
        ("green", "2020-04", "payment_type", "double"),
        ("fhv", "2020-04", "PUlocationID", "double"),
        ("fhvhv", "2020-04", "trip_miles", "double"),
    ],
)
def test_types_drift(table, service, month, column, expected):
    assert str(table(service, month).schema.field(column).type) == expected


@pytest.mark.parametrize(("service", "month"), [("green", "2020-04"), ("yellow", "2019-07"), ("yellow", "2010-03")])
def test_csv_and_parquet_hold_the_same_trips(publishers, table, service, month):
    text = publishers.csv(service, month).replace(b"\n\r\n", b"\r\n", 1)
    ours = pa.csv.read_csv(io.BytesIO(text))
    theirs = table(service, month)
    assert ours.num_rows == theirs.num_rows
    total, distance = ours.schema.get_field_index("total_amount"), ours.schema.get_field_index("trip_distance")
    for index in (total, distance):
        name = ours.schema.names[index]
        assert ours.column(index).to_pylist() == pytest.approx(theirs.column(name).to_pylist())


def test_every_trip_of_a_parquet_file_has_a_vendor(table):
    green = table("green", "2020-04")
    assert green.column("VendorID").null_count == 0
    assert green.column("passenger_count").null_count == green.num_rows * 312 // 1000
