"""A file over HTTP: whole, in parts, on conditions, and absent."""

import pytest
import requests

GREEN = "/taxi/green/green_tripdata_2020-04.csv.gz"


@pytest.fixture
def whole(publishers) -> requests.Response:
    return publishers.get(GREEN)


def test_a_whole_file_says_what_it_is(publishers, whole):
    assert whole.status_code == 200
    assert whole.headers["Content-Length"] == str(len(whole.content))
    assert whole.headers["Accept-Ranges"] == "bytes"
    assert whole.headers["ETag"].startswith('"')
    assert whole.headers["Last-Modified"] == "Wed, 01 Jan 2025 00:01:00 GMT"
    assert publishers.get(GREEN).content == whole.content


def test_head_has_the_headers_and_no_body(publishers, whole):
    head = requests.head(publishers.url + GREEN, timeout=10)
    assert head.content == b""
    for name in ("Content-Length", "ETag", "Last-Modified", "Accept-Ranges", "Content-Type"):
        assert head.headers[name] == whole.headers[name]


@pytest.mark.parametrize(
    ("asked", "part"), [("0-99", slice(0, 100)), ("100-", slice(100, None)), ("-7", slice(-7, None))]
)
def test_a_range_is_that_part_of_the_file(publishers, whole, asked, part):
    answer = publishers.get(GREEN, headers={"Range": f"bytes={asked}"})
    size = len(whole.content)
    positions = range(size)[part]
    assert answer.status_code == 206
    assert answer.content == whole.content[part]
    assert answer.headers["Content-Range"] == f"bytes {positions[0]}-{positions[-1]}/{size}"
    assert answer.headers["Content-Length"] == str(len(positions))


def test_a_range_behind_the_end_is_416(publishers, whole):
    size = len(whole.content)
    answer = publishers.get(GREEN, headers={"Range": f"bytes={size}-"})
    assert (answer.status_code, answer.headers["Content-Range"]) == (416, f"bytes */{size}")


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "rows=0-1"])
def test_other_ranges_give_the_whole_file(publishers, whole, asked):
    answer = publishers.get(GREEN, headers={"Range": asked})
    assert (answer.status_code, answer.content) == (200, whole.content)


@pytest.mark.parametrize("validator", ["ETag", "Last-Modified"])
def test_if_range_with_the_current_validator_gives_the_part(publishers, whole, validator):
    answer = publishers.get(GREEN, headers={"Range": "bytes=10-", "If-Range": whole.headers[validator]})
    assert (answer.status_code, answer.content) == (206, whole.content[10:])


@pytest.mark.parametrize("stale", ['"another"', "Wed, 01 Jan 2020 00:00:00 GMT"])
def test_if_range_with_a_stale_validator_gives_the_whole(publishers, whole, stale):
    answer = publishers.get(GREEN, headers={"Range": "bytes=10-", "If-Range": stale})
    assert (answer.status_code, answer.content) == (200, whole.content)


def test_if_range_never_matches_a_weak_tag(publishers, whole):
    answer = publishers.get(GREEN, headers={"Range": "bytes=10-", "If-Range": "W/" + whole.headers["ETag"]})
    assert answer.status_code == 200


@pytest.mark.parametrize("form", ["{}", "W/{}", '"other", {}', "*"])
def test_if_none_match_of_a_known_file_is_304(publishers, whole, form):
    answer = publishers.get(GREEN, headers={"If-None-Match": form.format(whole.headers["ETag"])})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["ETag"] == whole.headers["ETag"]


def test_if_none_match_of_another_file_is_the_file(publishers, whole):
    assert publishers.get(GREEN, headers={"If-None-Match": '"another"'}).content == whole.content


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/taxi/green/green_tripdata_2013-07.csv.gz", 404),
        ("/taxi/yellow/yellow_tripdata_2021-08.csv.gz", 404),
        ("/taxi/green/yellow_tripdata_2020-04.csv.gz", 404),
        ("/taxi/green/green_tripdata_2020-13.csv.gz", 404),
        ("/trip-data/yellow_tripdata_2026-01.parquet", 403),
        ("/trip-data/fhvhv_tripdata_2019-01.parquet", 403),
        ("/misc/other.csv", 403),
        ("/nowhere", 404),
    ],
)
def test_what_is_not_published(publishers, path, status):
    assert publishers.get(path).status_code == status


@pytest.mark.parametrize(
    "path",
    [
        "/taxi/yellow/yellow_tripdata_2021-07.csv.gz",
        "/trip-data/green_tripdata_2013-08.parquet",
        "/trip-data/yellow_tripdata_2025-12.parquet",
    ],
)
def test_first_and_last_months_are_published(publishers, path):
    assert publishers.get(path).status_code == 200


def test_the_front_page_lists_every_file_with_its_rows(publishers):
    page = publishers.get("/").text
    assert f'<a href="{GREEN}">2020-04</a> {int(publishers.get(GREEN).headers["X-Tarn-Rows"]):,}' in page
    for first_and_last in ("yellow_tripdata_2009-01.csv.gz", "fhvhv_tripdata_2025-12.parquet", "taxi_zone_lookup.csv"):
        assert first_and_last in page


def test_health(publishers):
    assert publishers.get("/healthz").text == "ok"


def test_zones_have_265_rows_and_editions_differ_in_the_last_two(publishers):
    today, before = (
        publishers.get(f"/misc/{name}_lookup.csv").text.splitlines() for name in ("taxi_zone", "taxi+_zone")
    )
    assert len(today) == len(before) == 266
    assert today[0] == '"LocationID","Borough","Zone","service_zone"'
    assert [ours[:3] for ours, theirs in zip(today, before, strict=True) if ours != theirs] == ["264", "265"]
