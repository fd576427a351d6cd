"""Series as records: whatever order and repetition a publisher sends, one record a time of the partition."""

import datetime as dt
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.api.records import records_in
from tarn.errors import FileRefused
from tarn.partition import Granularity, Partition
from tarn.source import ApiSource

DAY = Partition.parse("2024-05-19", Granularity.DAY)
FIRST = int(dt.datetime(2024, 5, 19, tzinfo=dt.UTC).timestamp() * 1000)
END = FIRST + 86_400_000
SOURCE = ApiSource.model_validate(
    {
        "format": "json",
        "url": "https://example.org",
        "mirror": "chart",
        "series": {"time": "at", "values": {"prices": "price", "volumes": "volume"}},
    }
)
POINTS = st.lists(st.tuples(st.integers(FIRST - 5, FIRST + 5) | st.integers(END - 5, END + 5), st.integers(0, 9)))


def found(prices: Any, volumes: Any) -> list[dict[str, Any]]:
    return records_in({"prices": prices, "volumes": volumes}, SOURCE, DAY, {})


@settings(deadline=None)  # the machine may be busy
@given(POINTS, POINTS)
def test_each_time_of_the_partition_is_one_record_in_order(
    prices: list[tuple[int, int]], volumes: list[tuple[int, int]]
) -> None:
    records = found(prices, volumes)
    times = [int(record["at"]) for record in records]
    asked = {time for time, _ in prices + volumes if FIRST <= time < END}
    assert times == sorted(asked)
    for record in records:
        at = int(record["at"])
        assert record.get("price") == dict(prices).get(at)
        assert record.get("volume") == dict(volumes).get(at)


def test_a_series_that_ends_with_its_last_time_again_has_the_later_value() -> None:
    assert found([[FIRST, 1], [FIRST + 9, 2], [FIRST + 9, 3], [FIRST + 4, 4]], []) == [
        {"at": str(FIRST), "price": 1},
        {"at": str(FIRST + 4), "price": 4},
        {"at": str(FIRST + 9), "price": 3},
    ]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        ({}, "should have a series at 'prices', and is an empty object"),
        ({"prices": [[1]], "volumes": []}, r"should be of \[milliseconds, value\]"),
        ({"prices": [["soon", 1]], "volumes": []}, r"should be of \[milliseconds, value\]"),
    ],
)
def test_what_is_no_series_is_told(answer: Any, words: str) -> None:
    with pytest.raises(FileRefused, match=words):
        records_in(answer, SOURCE, DAY, {})
