"""Equal settings give equal files, on every machine and in every process."""

import gzip
import hashlib
import io

import pytest
import requests

from tarn_publishers.taxi.publisher import trip_files

FILES = {file.path: file for file in trip_files()}

# The text of each file, of seed 1 and 500 rows. A change here is a change to everyone's sample data: raise
# `tarn_publishers.sample.GENERATION` with it.
KNOWN = {
    "/taxi/yellow/yellow_tripdata_2010-03.csv.gz": "dc42d0be1d10eb3e46e7a6151a1d085aafe0b63ff111c8059e339ff944196a0d",
    "/taxi/yellow/yellow_tripdata_2019-03.csv.gz": "809edd1c28a34ce91ed1fcd30e1a76b64f6d0fa923b094e422ea1c5476c6a00a",
    "/taxi/green/green_tripdata_2014-03.csv.gz": "72e126e47ecd18ffefbdf0c14db1a1d582e9c30631ced8646bf772e1154b3952",
    "/taxi/green/green_tripdata_2020-04.csv.gz": "07d7fde803c43d1ff9281f8dd880f6404b9e99681db2953e91ede45bfb3baded",
    "/taxi/fhv/fhv_tripdata_2018-03.csv.gz": "2e8b3ce5f3f990d4756218691645031b3303f059de06c4bbb6d6232bd42f09f5",
    "/taxi/fhvhv/fhvhv_tripdata_2020-03.csv.gz": "34df41fe70b3b3ae26c832739d544599f8d2d9693767fd9bededd85e9594fbf0",
}


@pytest.mark.parametrize("path", KNOWN)
def test_the_text_is_the_known_one(path):
    out = io.BytesIO()
    FILES[path].write(out, rows=500, seed="1", bad_per_million=0)
    assert hashlib.sha256(gzip.decompress(out.getvalue())).hexdigest() == KNOWN[path]


def test_two_servers_give_the_same_bytes_and_another_seed_others(start_publishers, tmp_path):
    paths = ["/taxi/fhv/fhv_tripdata_2018-03.csv.gz", "/trip-data/yellow_tripdata_2025-01.parquet"]

    def serve(folder: str, seed: int) -> list[requests.Response]:
        with start_publishers(tmp_path / folder, "--rows", "300", "--seed", str(seed)) as publishers:
            return [publishers.get(path) for path in paths]

    for same, again, other in zip(serve("a", 7), serve("b", 7), serve("c", 8), strict=True):
        assert same.content == again.content != other.content
        for name in ("ETag", "Last-Modified"):
            assert same.headers[name] == again.headers[name] != other.headers[name]


def test_a_file_of_several_batches_has_all_its_rows(start_publishers, tmp_path):
    with start_publishers(tmp_path, "--rows", "140_000") as publishers:
        text = publishers.csv("green", "2019-03")
    assert text.count(b"\n") == 140_001


def test_rows_of_a_month_follow_its_real_volume(publishers):
    def rows(month: str) -> int:
        return int(publishers.get(f"/taxi/yellow/yellow_tripdata_{month}.csv.gz").headers["X-Tarn-Rows"])

    assert rows("2019-03") == 2_000
    assert rows("2020-04") == 60
    assert rows("2012-03") > rows("2019-03")
