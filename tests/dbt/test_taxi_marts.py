"""The taxi models on a real emulator: what the marts hold, and that they hold it however often they are built."""

import datetime as dt
import json
from decimal import Decimal
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINE = "taxi"
APRIL, MAY, JUNE = "2020-04-01", "2020-05-01", "2020-06-01"
MARTS = ("trips", "daily_revenue_by_zone", "monthly_summary")


def trip(pickup: str, **columns: Any) -> dict[str, Any]:
    """A trip of ten minutes that begins at an ISO time; columns that are not named are NULL."""
    began = dt.datetime.fromisoformat(pickup)
    ended = began + dt.timedelta(minutes=10)
    usual = {"pickup_datetime": began, "dropoff_datetime": ended, "pickup_location_id": 74, "total_amount": 10.0}
    return usual | columns


GREEN_APRIL = [
    trip("2020-04-01T00:00:00", payment_type=1, passenger_count=2, total_amount=0.1),
    trip("2020-04-01T23:59:59", payment_type=2, passenger_count=1, total_amount=0.2),
    trip("2020-04-01T12:00:00", total_amount=0.3),
    trip("2020-04-30T23:59:59", payment_type=1, total_amount=-5.5),
    trip("2020-05-01T00:00:00", payment_type=1, total_amount=7.0),
    trip("2009-01-01T00:00:00", payment_type=77, total_amount=1.0, pickup_location_id=999),
]
YELLOW_APRIL = [
    trip("2020-04-01T08:00:00", payment_type=1, total_amount=20.0, airport_fee=1.25),
    trip("2020-04-02T08:00:00", payment_type=1, total_amount=30.0, pickup_location_id=None),
]
YELLOW_MAY = [trip("2020-05-05T08:00:00", payment_type=2, total_amount=40.0)] * 3


@pytest.fixture(scope="module")
def filled(lake):
    """A lake with green trips of April and yellow ones of April and May; for-hire trips and zones were never loaded."""
    lake.put("taxi_green", APRIL, GREEN_APRIL)
    lake.put("taxi_yellow", APRIL, YELLOW_APRIL)
    lake.put("taxi_yellow", MAY, YELLOW_MAY)
    return lake


@pytest.fixture(scope="module")
def statuses(filled, dbt) -> dict[str, str]:
    """How the first build of everything went, by node."""
    return dbt.statuses("build")


@pytest.fixture(scope="module")
def marts(filled, statuses: dict[str, str]):
    """The lake with marts built over all of it. A test that changes either changes it back."""
    assert "error" not in statuses.values()
    return filled


def contents(lake) -> dict[str, list[str]]:
    """Every row of every mart."""
    return {name: lake.mart(name) for name in MARTS}


def test_the_first_build_passes_and_warns_of_what_is_odd(statuses: dict[str, str]) -> None:
    odd = {name for name, status in statuses.items() if status == "warn"}
    assert set(statuses.values()) == {"success", "pass", "warn"}
    assert [name.split("__")[0] for name in sorted(odd)] == [
        "relationships_trips_payment_type",
        "relationships_trips_pickup_location_id",
    ]


def test_trips_are_the_lake_row_for_row(marts) -> None:
    found = marts.rows("SELECT month, service, COUNT(*) AS n, SUM(total_amount) AS dollars FROM trips GROUP BY 1, 2")
    assert {(str(row["month"]), row["service"]): (row["n"], row["dollars"]) for row in found} == {
        (APRIL, "green"): (6, Decimal("3.1")),
        (APRIL, "yellow"): (2, Decimal("50")),
        (MAY, "yellow"): (3, Decimal("120")),
    }


def test_seeds_views_and_tables_have_the_lake_s_labels(marts) -> None:
    labels = marts.labels()
    assert {"trips", "taxi_zone_names", "stg_taxi_green"} <= labels.keys()
    assert {name: one for name, one in labels.items() if one != marts.settings.resource_labels} == {}


def test_a_day_holds_the_trips_of_its_own_month_by_zone(marts) -> None:
    found = marts.rows("SELECT * FROM daily_revenue_by_zone")
    assert {(str(row["pickup_date"]), row["zone"]): (row["trips"], row["total_amount"]) for row in found} == {
        ("2020-04-01", "East Harlem North"): (4, Decimal("20.6")),
        ("2020-04-30", "East Harlem North"): (1, Decimal("-5.5")),
        ("2020-04-02", "Unknown"): (1, Decimal("30")),
        ("2020-05-05", "East Harlem North"): (3, Decimal("120")),
    }


def test_a_month_sums_up_its_file(marts) -> None:
    [april] = marts.rows(f"SELECT * FROM monthly_summary WHERE month = '{APRIL}' AND service = 'green'")
    expected = {
        "trips": 6,
        "trips_outside_month": 2,
        "trips_without_payment": 1,
        "card_trips": 3,
        "cash_trips": 1,
        "refunds": 1,
        "passengers": 3,
        "total_amount": Decimal("3.1"),
        "mean_total_amount": Decimal("0.52"),
        "mean_duration_minutes": Decimal("10"),
    }
    assert april.items() >= expected.items()


@pytest.mark.parametrize(
    ("arguments", "months"),
    [((), {"start": APRIL, "end": MAY}), ((), {}), (("--full-refresh",), {})],
    ids=["named months", "no months", "full refresh"],
)
def test_building_again_changes_nothing(marts, dbt, arguments: tuple[str, ...], months: dict[str, str]) -> None:
    before = contents(marts)
    dbt.build(*arguments, **months)
    assert contents(marts) == before


def test_a_month_that_comes_changes_or_goes_leaves_the_others_alone(marts, dbt) -> None:
    before = contents(marts)
    for trips in (1, 3):
        marts.put("taxi_green", JUNE, [trip("2020-06-03T10:00:00")] * trips)
        dbt.build(start=JUNE, end=JUNE)
        [summary] = marts.rows(f"SELECT trips FROM monthly_summary WHERE month = '{JUNE}'")
        assert summary == {"trips": trips}
    marts.file("taxi_green", JUNE).delete()
    dbt.build(start=JUNE, end=JUNE)
    assert contents(marts) == before


def test_a_build_of_one_month_reads_no_other(marts, dbt) -> None:
    broken = marts.file("taxi_yellow", JUNE)
    broken.upload_from_string(b"not Parquet")
    try:
        dbt.build(start=MAY, end=MAY)
    finally:
        broken.delete()


@pytest.mark.parametrize(
    ("mart", "noticed"),
    [
        ("trips", {"trips_are_all_rows_of_the_lake", "monthly_summary_agrees_with_trips"}),
        ("monthly_summary", {"unique_together_monthly_summary_month__service"}),
        ("daily_revenue_by_zone", {"days_and_left_out_trips_make_up_the_month"}),
    ],
)
def test_a_row_too_many_fails_the_tests(marts, dbt, mart: str, noticed: set[str]) -> None:
    try:
        marts.rows(f"INSERT INTO {mart} SELECT * FROM {mart} LIMIT 1")
        statuses = dbt.statuses("test", "--exclude-resource-type", "unit_test")
    finally:
        dbt.build("--select", mart, "--full-refresh")
    assert noticed <= {name for name, status in statuses.items() if status == "fail"}


def test_the_documentation_knows_every_column_of_a_mart(marts, dbt) -> None:
    assert dbt.run("docs", "generate").success
    catalog = json.loads((dbt.target / "catalog.json").read_text())
    manifest = json.loads((dbt.target / "manifest.json").read_text())
    for mart in MARTS:
        node = f"model.tarn.{mart}"
        described = {name: column["description"] for name, column in manifest["nodes"][node]["columns"].items()}
        found = sorted(catalog["nodes"][node]["columns"].values(), key=lambda column: column["index"])
        assert [column["name"] for column in found] == list(described)
        assert all(described.values())
    assert {"source.tarn.lake.taxi_green", "source.tarn.lake.taxi_yellow"} <= set(catalog["sources"])
