"""How dbt is told which partitions to build."""

from tarn.marts import WINDOW, window_variables
from tarn.partition import Granularity, Partition


def test_the_window_is_the_first_and_the_last_partition_of_each_length() -> None:
    days = [Partition.parse(day, Granularity.DAY) for day in ("2024-04-15", "2024-04-14", "2024-04-16")]
    window = window_variables([*days, Partition.parse("2022", Granularity.YEAR)])
    assert {name: value for name, value in window.items() if value} == {
        "TARN_START_DAY": "2024-04-14",
        "TARN_END_DAY": "2024-04-16",
        "TARN_START_YEAR": "2022-01-01",
        "TARN_END_YEAR": "2022-01-01",
    }


def test_what_is_not_named_is_told_as_empty_so_that_the_callers_own_does_not_count() -> None:
    assert window_variables(()) == dict.fromkeys(WINDOW, "")
    assert len(WINDOW) == 6
