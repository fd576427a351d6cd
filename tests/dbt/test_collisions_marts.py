"""The crashes on a real emulator: the latest state of each, whatever is loaded, in whatever order it is built."""

import datetime as dt
import json
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINE, GRANULARITY = "collisions", "day"
MARTS = (
    "crashes",
    "crash_vehicles",
    "dim_boroughs",
    "dim_dates",
    "crashes_by_borough",
    "crashes_by_hour",
    "crashes_by_factor",
    "crashes_by_severity",
)
NONE_HURT = {
    f"{who}_{harm}": 0 for who in ("persons", "pedestrians", "cyclists", "motorists") for harm in ("injured", "killed")
}


def crash(collision_id: int, day: str, updated: str | None, **columns: Any) -> dict[str, Any]:
    """A crash that hurts nobody, at eight; ``updated`` is a day, NULL as in the export where None."""
    usual = {
        "collision_id": collision_id,
        "row_id": f"row-{collision_id}" if updated else None,
        "updated_at": dt.datetime.fromisoformat(f"{updated}T10:30:00+00:00") if updated else None,
        "crash_date": dt.date.fromisoformat(day),
        "crash_time": "8:05",
        "borough": "BRONX",
        "factor_1": "Unspecified",
        "vehicle_type_1": "Sedan",
    }
    return usual | NONE_HURT | columns


HURT = {"persons_injured": 1, "motorists_injured": 1}
DEAD = {"persons_killed": 1, "motorists_killed": 1}


def first(lake) -> None:
    """Two days of updates and a year of history."""
    lake.put(
        "collisions_updates",
        "2022-04-20",
        [
            crash(1, "2022-04-18", "2022-04-20", **HURT),
            crash(2, "2022-04-18", "2022-04-20", location="POINT (-73.9 40.8)"),
            crash(3, "2022-03-31", "2022-04-20", borough=None, crash_time="24:01"),
        ],
    )
    lake.put("collisions_updates", "2022-04-21", [crash(1, "2022-04-18", "2022-04-21", **DEAD, factor_1="Illnes")])
    lake.put(
        "collisions_history",
        "2022-01-01",
        [
            crash(1, "2022-04-18", "2022-04-20", **HURT),
            crash(4, "2022-01-02", "2022-01-05", vehicle_type_2="E SCOOTER", factor_2="Glare"),
            crash(5, "2022-02-02", None, location="(0.0, 0.0)"),
        ],
    )


@pytest.fixture(scope="module")
def marts(lake, dbt):
    """A lake whose marts are built over all of it. A test that changes either changes it back."""
    first(lake)
    dbt.build()
    return lake


def contents(lake) -> dict[str, list[str]]:
    return {name: lake.mart(name) for name in MARTS}


def full(lake, dbt) -> dict[str, list[str]]:
    """What the marts hold when everything is made anew."""
    dbt.refresh()
    return contents(lake)


def test_a_crash_is_as_it_last_was(marts) -> None:
    found = marts.rows("SELECT collision_id, severity, loaded_from, CAST(loaded_partition AS STRING) AS p FROM crashes")
    assert {row["collision_id"]: (row["severity"], row["loaded_from"], row["p"]) for row in found} == {
        1: ("fatal", "updates", "2022-04-21"),
        2: ("damage only", "updates", "2022-04-20"),
        3: ("damage only", "updates", "2022-04-20"),
        4: ("damage only", "history", "2022-01-01"),
        5: ("damage only", "history", "2022-01-01"),
    }


def test_what_was_dirty_is_clean(marts) -> None:
    rows = {row["collision_id"]: row for row in marts.rows("SELECT * FROM crashes")}
    assert (rows[2]["latitude"], rows[2]["longitude"], rows[2]["borough"]) == (40.8, -73.9, "Bronx")
    assert (rows[1]["crash_time"], rows[1]["crash_hour"]) == (dt.time(8, 5), 8)
    assert (rows[3]["crash_time"], rows[3]["crash_hour"], rows[3]["borough"]) == (None, None, None)
    assert (rows[5]["latitude"], rows[5]["longitude"]) == (None, None)


def test_vehicles_stand_in_rows(marts) -> None:
    found = marts.rows("SELECT collision_id, vehicle_number, vehicle_type, factor FROM crash_vehicles ORDER BY 1, 2")
    assert [tuple(row.values()) for row in found] == [
        (1, 1, "Sedan", "Illness"),
        (2, 1, "Sedan", None),
        (3, 1, "Sedan", None),
        (4, 1, "Sedan", None),
        (4, 2, "E-Scooter", "Glare"),
        (5, 1, "Sedan", None),
    ]


def test_the_analyses_count_each_crash(marts) -> None:
    borough = marts.rows(
        "SELECT borough, SUM(crashes) AS n, SUM(persons_killed) AS dead FROM crashes_by_borough GROUP BY 1"
    )
    assert {row["borough"]: (row["n"], row["dead"]) for row in borough} == {"Bronx": (4, 1), "Not recorded": (1, 0)}
    factor = marts.rows("SELECT factor, SUM(crashes) AS n FROM crashes_by_factor GROUP BY 1")
    assert {row["factor"]: row["n"] for row in factor} == {"Illness": 1, "Glare": 1, "Not recorded": 4}
    hours = marts.rows("SELECT crash_hour, is_weekend, SUM(crashes) AS n FROM crashes_by_hour GROUP BY 1, 2")
    assert {(row["crash_hour"], row["is_weekend"]): row["n"] for row in hours} == {
        (8, False): 3,
        (8, True): 1,
        (None, False): 1,
    }
    dates = marts.rows("SELECT MIN(calendar_date) AS a, MAX(calendar_date) AS z, COUNT(*) AS n FROM dim_dates")
    assert [tuple(row.values()) for row in dates] == [(dt.date(2022, 1, 1), dt.date(2022, 12, 31), 365)]


@pytest.mark.parametrize(
    ("arguments", "days"),
    [((), {"start": "2022-04-20", "end": "2022-04-21"}), ((), {"start": "2022-04-21", "end": "2022-04-21"}), ((), {})],
    ids=["both days", "one day", "no days"],
)
def test_building_again_changes_nothing(marts, dbt, arguments: tuple[str, ...], days: dict[str, str]) -> None:
    before = contents(marts)
    dbt.build(*arguments, "--exclude-resource-type", "unit_test", **days)
    assert contents(marts) == before


def test_a_window_leads_where_a_full_refresh_leads(marts, dbt) -> None:
    changes = (
        # A late day mends a crash of an earlier month and moves another into the next month.
        ("2022-05-09", [crash(3, "2022-03-31", "2022-05-09", **DEAD), crash(2, "2022-05-01", "2022-05-09")]),
        # A day that was missed arrives after a later one, with a state that is no longer the latest.
        ("2022-04-30", [crash(3, "2022-03-31", "2022-04-30", **HURT), crash(6, "2022-04-28", "2022-04-30")]),
        # A day is loaded again with other rows.
        ("2022-04-30", [crash(7, "2022-04-28", "2022-04-30", borough="QUEENS")]),
        ("2022-05-09", []),
    )
    for day, rows in changes:
        marts.put("collisions_updates", day, rows)
        dbt.build("--exclude-resource-type", "unit_test", start=day, end=day)
        built = contents(marts)
        assert built == full(marts, dbt), day
    for day in ("2022-04-30", "2022-05-09"):
        marts.file("collisions_updates", day).delete()
    full(marts, dbt)


def test_a_year_of_history_that_is_loaded_again_brings_later_states(marts, dbt) -> None:
    before = contents(marts)
    later = [crash(2, "2022-04-18", "2022-06-01", **HURT), crash(1, "2022-04-18", "2022-04-20", **HURT)]
    marts.put("collisions_history", "2022-01-01", later)
    dbt.build("--exclude-resource-type", "unit_test", start="2022-01-01", end="2022-01-01", granularity="year")
    severities = {row["collision_id"]: row["severity"] for row in marts.rows("SELECT * FROM crashes")}
    assert severities == {1: "fatal", 2: "injury", 3: "damage only"}
    assert contents(marts) == full(marts, dbt)
    first(marts)
    assert full(marts, dbt) == before


def test_a_row_too_many_fails_the_tests(marts, dbt) -> None:
    try:
        marts.rows("INSERT INTO crashes SELECT * FROM crashes WHERE collision_id = 2")
        statuses = dbt.statuses("test", "--exclude-resource-type", "unit_test")
    finally:
        full(marts, dbt)
    failed = {name for name, status in statuses.items() if status == "fail"}
    assert {"unique_crashes_collision_id", "every_analysis_counts_every_crash"} <= failed


def test_the_lake_is_fresh_while_days_come_in(marts, dbt) -> None:
    today = dt.datetime.now(dt.UTC).date()
    fresh = crash(9, "2022-04-18", str(today))
    for day, status in ((today, "pass"), (None, "error")):
        if day:
            marts.put("collisions_updates", str(day), [fresh])
        else:
            marts.file("collisions_updates", str(today)).delete()
        outcome = dbt.run("source", "freshness")
        found = {result.node.name: str(result.status) for result in outcome.result}
        assert found == {"collisions_updates": status}


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
