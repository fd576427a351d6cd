"""Which lanes a run has: what is asked for by params, key or date, and what is refused."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarn.airflow.lanes import Request, UnknownKey, pipeline_datasets
from tarn.errors import InvalidPartition
from tarn.partition import Granularity
from tarn.settings import Settings

PARAMS = {"start_month": None, "end_month": None, "datasets": ["taxi_green", "taxi_zones"], "force": False}
MONTHLY = {"taxi_green": Granularity.MONTH, "taxi_zones": Granularity.MONTH}
LOGICAL = dt.datetime(2022, 7, 31, 23, 59, tzinfo=dt.UTC)


def months(**asked: object) -> list[str]:
    params = PARAMS | asked.pop("params", {})  # type: ignore[operator]
    return [str(partition) for partition in Request(params, **asked).partitions()]  # type: ignore[arg-type]


def test_a_lane_for_each_dataset_and_month() -> None:
    request = Request(PARAMS | {"start_month": "2020-04-01", "end_month": "2020-05-31"})
    assert request.lanes(MONTHLY) == [
        {"dataset": "taxi_green", "partition": "2020-04"},
        {"dataset": "taxi_zones", "partition": "2020-04"},
        {"dataset": "taxi_green", "partition": "2020-05"},
        {"dataset": "taxi_zones", "partition": "2020-05"},
    ]


def test_dates_go_before_the_key_and_the_key_before_the_logical_date() -> None:
    dates = {"start_month": "2020-04-17"}
    assert months(params=dates, partition_key="2021-01", logical_date=LOGICAL) == ["2020-04"]
    assert months(partition_key="2021-01", logical_date=LOGICAL) == ["2021-01"]
    assert months(logical_date=LOGICAL) == ["2022-07"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "names no month"),
        ({"params": {"end_month": "2020-04-01"}}, "without start_month"),
        ({"params": {"start_month": "2020-05-01", "end_month": "2020-04-01"}}, "runs backwards"),
        ({"partition_key": "spring"}, "'spring' is not a month"),
    ],
)
def test_a_request_without_a_valid_month_is_refused(asked: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidPartition, match=message):
        months(**asked)


def test_unknown_keys_are_refused_by_name_with_those_there_are() -> None:
    request = Request(PARAMS | {"start_month": "2020-04-01"}, conf={"month": "2020-04", "Force": True, "force": True})
    with pytest.raises(UnknownKey, match=r"'Force' and 'month'.*start_month, end_month, datasets, force"):
        request.lanes(MONTHLY)


def test_a_daily_pipeline_is_asked_for_by_days() -> None:
    params = {"start_day": "2020-02-28", "end_day": "2020-03-01", "datasets": ["crypto_prices"], "force": False}
    lanes = Request(params).lanes({"crypto_prices": Granularity.DAY}, Granularity.DAY)
    assert [lane["partition"] for lane in lanes] == ["2020-02-28", "2020-02-29", "2020-03-01"]


def test_each_dataset_has_lanes_of_its_own_granularity() -> None:
    datasets = {"collisions_history": Granularity.YEAR, "collisions_updates": Granularity.DAY}
    params = {"start_day": "2019-12-30", "end_day": "2020-01-02", "datasets": [*datasets]}
    assert [(lane["dataset"], lane["partition"]) for lane in Request(params).lanes(datasets, Granularity.DAY)] == [
        ("collisions_history", "2019"),
        ("collisions_updates", "2019-12-30"),
        ("collisions_updates", "2019-12-31"),
        ("collisions_history", "2020"),
        ("collisions_updates", "2020-01-01"),
        ("collisions_updates", "2020-01-02"),
    ]


def test_a_dataset_that_was_not_chosen_has_no_lane() -> None:
    request = Request(PARAMS | {"start_month": "2020-04-01", "datasets": ["taxi_zones"]})
    assert [lane["dataset"] for lane in request.lanes(MONTHLY)] == ["taxi_zones"]


def test_a_month_is_all_its_days() -> None:
    request = Request({"start_month": "2020-02-01", "datasets": ["weather"]})
    lanes = request.lanes({"weather": Granularity.DAY})
    assert (len(lanes), lanes[-1]["partition"]) == (29, "2020-02-29")


@given(st.dates(dt.date(2009, 1, 1), dt.date(2030, 12, 31)), st.integers(0, 60))
def test_a_range_has_each_of_its_months_once(start: dt.date, count: int) -> None:
    end = start + dt.timedelta(days=31 * count)
    found = months(params={"start_month": start.isoformat(), "end_month": end.isoformat()})
    assert found == sorted(set(found))
    assert (found[0], found[-1]) == (f"{start:%Y-%m}", f"{end:%Y-%m}")
    assert len(found) == (end.year - start.year) * 12 + end.month - start.month + 1


def test_a_pipeline_has_the_datasets_that_begin_with_its_name(settings: Settings) -> None:
    settings.datasets_folder.mkdir(parents=True)
    for name in ("taxi_green", "taxi_yellow", "taxicab", "crypto_prices"):
        (settings.datasets_folder / f"{name}.yaml").touch()
    assert pipeline_datasets("taxi", settings) == ["taxi_green", "taxi_yellow"]
