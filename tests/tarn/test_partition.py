import datetime as dt

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.errors import InvalidPartition
from tarn.partition import Granularity, Partition, partition_range

UNHURRIED = settings(deadline=None)  # the machine may be busy


@pytest.mark.parametrize("text", ["2024-02", "2024-02-01", "2024-02-29", " 2024-02-29T23:59:59+00:00 "])
def test_a_month_is_read_in_any_form(text: str) -> None:
    month = Partition.parse(text)
    assert (str(month), month.value, month.hive) == ("2024-02", "2024-02-01", "month=2024-02-01")


def test_a_day_needs_a_day() -> None:
    day = Partition.parse("2024-02-29", Granularity.DAY)
    assert (str(day), day.hive) == ("2024-02-29", "day=2024-02-29")
    with pytest.raises(InvalidPartition, match="write it as YYYY-MM-DD"):
        Partition.parse("2024-02", Granularity.DAY)


@pytest.mark.parametrize("text", ["2024", "2024-05", "2024-12-31T23:59:59"])
def test_a_year_is_read_in_any_form(text: str) -> None:
    year = Partition.parse(text, Granularity.YEAR)
    assert (str(year), year.hive) == ("2024", "year=2024-01-01")
    assert (year.last_day, str(year.next())) == (dt.date(2024, 12, 31), "2025")


def test_a_partition_has_parts_of_another_granularity() -> None:
    year = Partition.parse("2024", Granularity.YEAR)
    assert len(list(year.within(Granularity.DAY))) == 366
    assert [str(one) for one in Partition.parse("2024-02").within(Granularity.YEAR)] == ["2024"]


@pytest.mark.parametrize("text", ["", "2024", "2024-13", "2023-02-29", "yesterday", "../2024-01"])
def test_what_is_no_date_is_told(text: str) -> None:
    with pytest.raises(InvalidPartition, match="is not a month"):
        Partition.parse(text)


def test_a_range_has_both_ends() -> None:
    months = partition_range(Partition.parse("2023-12"), Partition.parse("2024-02"))
    assert [str(month) for month in months] == ["2023-12", "2024-01", "2024-02"]


def test_a_range_that_runs_backwards_is_told() -> None:
    with pytest.raises(InvalidPartition, match="runs backwards"):
        list(partition_range(Partition.parse("2024-02"), Partition.parse("2024-01")))


@UNHURRIED
@given(st.dates(dt.date(1900, 1, 1), dt.date(2200, 1, 1)), st.sampled_from(Granularity))
def test_partitions_follow_each_other_without_gap(day: dt.date, granularity: Granularity) -> None:
    partition = Partition(day, granularity)
    following = partition.next()
    assert partition.start <= day < following.start
    assert Partition(following.start - dt.timedelta(days=1), granularity) == partition
    assert Partition.parse(str(partition), granularity) == partition
