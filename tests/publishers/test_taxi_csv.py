"""The CSV files: the genuine headers, and the genuine dirt under them."""

import csv
import gzip
import io
import re
from pathlib import Path

import pytest

REAL_HEADS = Path(__file__).parents[3] / "shared" / "data" / "real" / "tlc" / "csv_heads_1kib"
_HEAD = re.compile(r"(?P<service>\w+)_tripdata_(?P<month>\d{4}-\d\d)\.csv")


def _rows(text: bytes) -> list[list[str]]:
    """The rows under the header, less the empty ones."""
    return [row for row in csv.reader(io.StringIO(text.decode())) if row][1:]


def _before_first_row(text: bytes) -> bytes:
    """The header, with the line ends and empty lines that follow it."""
    return re.match(rb"[^\n]*\n[\r\n]*", text)[0]


@pytest.mark.skipif(not REAL_HEADS.is_dir(), reason="the genuine files are not beside the project")
def test_every_genuine_head_has_its_header_and_the_shape_of_its_rows(publishers):
    for path in sorted(REAL_HEADS.glob("*.csv")):
        genuine, made = path.read_bytes(), publishers.csv(*_HEAD.fullmatch(path.name).groups())
        assert _before_first_row(made) == _before_first_row(genuine), path.name
        first_row, genuine_row = (text[len(_before_first_row(text)) :].split(b"\n")[0] for text in (made, genuine))
        assert first_row.count(b",") == genuine_row.count(b","), path.name
        assert first_row.count(b'"') == genuine_row.count(b'"'), path.name
        assert first_row.endswith(b"\r") == genuine_row.endswith(b"\r"), path.name


def test_green_of_april_2020_lacks_the_vendor_of_a_third(publishers):
    text = publishers.csv("green", "2020-04")
    rows = list(csv.DictReader(io.StringIO(text.decode())))
    unrecorded = [row for row in rows if not row["VendorID"]]
    assert len(unrecorded) == len(rows) * 312 // 1000
    assert unrecorded == rows[-len(unrecorded) :]
    for row in unrecorded:
        assert row["passenger_count"] == row["payment_type"] == row["trip_type"] == ""


def test_pickups_outside_the_month_and_negative_totals_are_there(publishers):
    rows = list(csv.DictReader(io.StringIO(publishers.csv("yellow", "2019-03").decode())))
    assert len(rows) == 2_000
    assert {row["tpep_pickup_datetime"][:7] for row in rows} >= {"2019-02", "2019-03"}
    assert any(float(row["total_amount"]) < 0 for row in rows)


def test_the_parts_of_a_fare_come_to_its_total(publishers):
    for row in csv.DictReader(io.StringIO(publishers.csv("green", "2019-03").decode())):
        parts = ("fare_amount", "extra", "mta_tax", "tip_amount", "tolls_amount", "improvement_surcharge")
        total = sum(float(row[part]) for part in parts) + float(row["congestion_surcharge"] or 0)
        assert total == pytest.approx(float(row["total_amount"])), row


def test_congestion_surcharge_is_null_before_february_2019(publishers):
    rows = _rows(publishers.csv("yellow", "2019-01"))
    assert {row[-1] for row in rows} == {""}


@pytest.mark.parametrize(
    ("service", "month", "extra"), [("green", "2014-05", 2), ("yellow", "2016-08", 2), ("green", "2015-08", 0)]
)
def test_rows_may_have_two_fields_more_than_the_header(publishers, service, month, extra):
    text = publishers.csv(service, month)
    header = text.split(b"\n")[0].decode()
    for row in _rows(text):
        assert len(row) == len(header.split(",")) + extra


def test_gzip_has_neither_name_nor_time(publishers):
    packed = publishers.get("/taxi/green/green_tripdata_2020-04.csv.gz").content
    assert packed[3:8] == b"\0\0\0\0\0"
    assert gzip.decompress(packed)


def test_bad_rows_come_only_when_asked_and_in_the_number_told(start_publishers, tmp_path):
    with start_publishers(tmp_path, "--rows", "2000", "--bad-rows", "0.01") as publishers:
        answer = publishers.get("/taxi/green/green_tripdata_2019-03.csv.gz")
    text = gzip.decompress(answer.content).decode()
    fields = text.split("\r\n")[0].count(",") + 1
    cut = [row for row in _rows(text.encode()) if len(row) != fields]
    impossible, wordy = text.count("2020-02-31 25:61:00"), text.count(",unknown,")
    assert len(cut) + impossible + wordy == 20 == int(answer.headers["X-Tarn-Bad-Rows"])
    assert min(len(cut), impossible, wordy) >= 6
