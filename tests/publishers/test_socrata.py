"""The city's portal: the API's paging and little language, the export beside it, and rows that are mended later."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

REAL = Path(__file__).parents[3] / "shared" / "data" / "real" / "collisions"
API = "/socrata/resource/h9gi-nx95.json"
EXPORT = "/socrata/api/views/h9gi-nx95/rows.csv"
YEAR = "crash_date between '2022-01-01' and '2022-12-31'"
MONTH = "crash_date between '2022-04-01' and '2022-04-30'"


def ask(publishers, *, status: int = 200, path: str = API, **clauses: Any) -> Any:
    """The answer to clauses, whose names stand here without their dollar."""
    parameters = {name if name == "as_of" else f"${name}": value for name, value in clauses.items()}
    answer = publishers.get(path, params=parameters)
    assert answer.status_code == status, answer.text
    return answer.json()


def exported(publishers, query: str, **parameters: str) -> list[dict[str, str]]:
    """The rows of the export of a query."""
    answer = publishers.get(EXPORT, params={"query": query, "accessType": "DOWNLOAD"} | parameters)
    answer.raise_for_status()
    return list(csv.DictReader(io.StringIO(answer.text, newline="")))


def test_pages_in_an_order_make_up_the_whole_once(publishers):
    whole = ask(publishers, where=YEAR, select=":id", order=":id", limit=50_000)
    pages = [
        row
        for offset in range(0, len(whole) + 400, 400)
        for row in ask(publishers, where=YEAR, select=":id", order=":id", limit=400, offset=offset)
    ]
    assert pages == whole
    assert len({row[":id"] for row in whole}) == len(whole) > 1_000


def test_without_an_order_each_answer_has_its_own(publishers):
    answers = [[row[":id"] for row in ask(publishers, where=MONTH, select=":id")] for _ in range(2)]
    assert answers[0] != answers[1]
    assert sorted(answers[0]) == sorted(answers[1])


def test_rows_that_the_order_does_not_tell_apart_come_as_they_like(publishers):
    answers = [ask(publishers, where=MONTH, select=":id, crash_date", order="crash_date DESC") for _ in range(2)]
    assert answers[0] != answers[1]
    days = [row["crash_date"] for row in answers[0]]
    assert days == sorted(days, reverse=True)


def test_a_page_is_a_thousand_rows_unless_said_otherwise(publishers):
    assert len(ask(publishers, where=YEAR)) == 1_000
    assert "50000" in ask(publishers, limit=50_001, status=400)["message"]


def test_json_leaves_nulls_out_and_writes_numbers_as_text(publishers):
    rows = ask(publishers, where=YEAR, limit=50_000)
    assert {type(value) for row in rows for value in row.values()} == {str, dict}
    without = [row for row in rows if "latitude" not in row]
    assert without
    assert all("location" not in row for row in without)
    nowhere = [row for row in rows if row.get("latitude") == "0"]
    assert {row["location"]["latitude"] for row in nowhere} == {"0.0"}
    assert not any(name.startswith(":") for row in rows for name in row)


def test_the_dirt_of_the_real_thing_is_there(publishers):
    rows = ask(publishers, where=YEAR, limit=50_000)
    times = {row["crash_time"] for row in rows}
    assert any(len(time) == 4 for time in times)
    assert not any(time.startswith("0") and len(time) == 5 for time in times)
    streets = [row["on_street_name"] for row in rows if "on_street_name" in row]
    assert any(street.endswith(" ") for street in streets)
    assert any("\n" in street for street in streets)
    assert any("        " in row["cross_street_name"] for row in rows if "cross_street_name" in row)
    assert {"vehicle_type_code1", "vehicle_type_code2", "vehicle_type_code_3"} < {name for row in rows for name in row}


def test_conditions_select_what_they_say(publishers):
    rows = ask(publishers, where=YEAR, limit=50_000)
    for condition, holds in {
        "number_of_persons_injured > 1": lambda row: int(row.get("number_of_persons_injured", 0)) > 1,
        "latitude is null": lambda row: "latitude" not in row,
        "borough in ('BRONX', 'QUEENS') and not latitude = 0": lambda row: (
            row.get("borough") in ("BRONX", "QUEENS") and float(row.get("latitude", 0)) != 0
        ),
        "`vehicle_type_code1` like '%Truck%' or borough = 'STATEN ISLAND'": lambda row: (
            "Truck" in row.get("vehicle_type_code1", "") or row.get("borough") == "STATEN ISLAND"
        ),
    }.items():
        found = ask(publishers, where=f"{YEAR} and ({condition})", select="collision_id", limit=50_000)
        expected = {row["collision_id"] for row in rows if holds(row)}
        assert {row["collision_id"] for row in found} == expected, condition
        assert 0 < len(expected) < len(rows), condition
    simple = publishers.get(API, params={"borough": "BRONX", "$where": MONTH}).json()
    assert simple
    assert {row["borough"] for row in simple} == {"BRONX"}


def test_aggregates_agree_with_the_rows(publishers):
    rows = ask(publishers, where=MONTH, select=":updated_at")
    [found] = ask(publishers, where=MONTH, select="count(*), max(:updated_at) as mark")
    assert found == {"count": str(len(rows)), "mark": max(row[":updated_at"] for row in rows)}


@pytest.mark.parametrize(
    ("clauses", "code"),
    [
        ({"where": "colour = 'red'"}, "query.soql.no-such-column"),
        ({"where": "crash_date ="}, "query.compiler.malformed"),
        ({"where": "crash_date = 'April'"}, "query.soql.type-mismatch"),
        ({"order": ":id; drop"}, "query.compiler.malformed"),
        ({"select": "borough, count(*)"}, "query.soql.column-not-in-group-bys"),
        ({"group": "borough"}, "query.soql.no-such-column"),
        ({"limit": "many"}, "invalid-request"),
    ],
)
def test_a_query_that_makes_no_sense_is_refused_with_the_apis_word(publishers, clauses, code):
    refusal = ask(publishers, status=400, **clauses)
    assert (refusal["code"], refusal["error"]) == (code, True)


def test_another_dataset_is_not_there_and_a_wrong_token_is_refused(publishers):
    assert publishers.get("/socrata/resource/aaaa-bbbb.json").status_code == 404
    assert publishers.get("/socrata/api/views/aaaa-bbbb/rows.csv").status_code == 404
    assert publishers.get(API, headers={"X-App-Token": "no"}).status_code == 403
    assert publishers.get(API, params={"$limit": "1"}, headers={"X-App-Token": "a" * 25}).status_code == 200


def test_an_answer_has_an_etag_that_spares_the_second(publishers):
    query = {"$where": MONTH, "$order": ":id", "as_of": "2022-06-01"}
    for path in (API, API.replace(".json", ".csv"), EXPORT):
        first = publishers.get(path, params=query)
        again = publishers.get(path, params=query, headers={"If-None-Match": first.headers["ETag"]})
        assert (first.status_code, again.status_code) == (200, 304)


def test_a_row_is_mended_later_and_then_found_by_its_update(publishers):
    clauses = {"where": MONTH, "select": ":*, *", "order": ":id"}
    early, late = (
        {row["collision_id"]: row for row in ask(publishers, as_of=day, **clauses)}
        for day in ("2022-04-30", "2022-09-30")
    )
    assert set(early) < set(late)
    mended = {key for key, row in early.items() if late[key] != row}
    assert mended
    for key in mended:
        one, other = early[key], late[key]
        assert one[":updated_at"] <= "2022-05-01" < other[":updated_at"]
        assert (one[":id"], one[":created_at"]) == (other[":id"], other[":created_at"])
        assert {name: value for name, value in one.items() if name[0] != ":"} != {
            name: value for name, value in other.items() if name[0] != ":"
        }
    [key, *_] = mended
    moment = late[key][":updated_at"]
    found = ask(publishers, where=f":updated_at = '{moment}'", as_of="2022-09-30", select=":*, *")
    assert late[key] in found
    assert key not in {
        row["collision_id"]
        for row in ask(publishers, where=f":updated_at = '{moment}'", as_of="2022-04-30", select="collision_id")
    }


def test_updates_day_by_day_lead_to_the_whole(publishers):
    known: dict[str, Any] = {}
    for day in range(1, 31):
        date = f"2022-04-{day:02}"
        for row in ask(
            publishers,
            where=f":updated_at > '{date}' and :updated_at <= '{date}T23:59:59.999'",
            select=":*, *",
            order=":id",
            as_of=date,
        ):
            known[row["collision_id"]] = row
    final = ask(publishers, where=":updated_at >= '2022-04-01'", select=":*, *", limit=50_000, as_of="2022-04-30")
    assert sorted(known) == sorted(row["collision_id"] for row in final)
    assert all(known[row["collision_id"]] == row for row in final)


def test_the_export_says_of_each_crash_what_the_api_says(publishers):
    rows = {row["collision_id"]: row for row in ask(publishers, where=YEAR, limit=50_000, as_of="2023-06-01")}
    export = exported(publishers, f"select * where {YEAR}", as_of="2023-06-01")
    assert len(export) == len(rows)
    for line in export:
        row = rows[line["COLLISION_ID"]]
        assert line["CRASH DATE"] == "{1}/{2}/{0}".format(*row["crash_date"][:10].split("-"))
        assert line["CROSS STREET NAME"] == row.get("off_street_name", "")
        assert line["OFF STREET NAME"] == row.get("cross_street_name", "")
        assert line["VEHICLE TYPE CODE 1"] == row.get("vehicle_type_code1", "")
        location = row.get("location")
        assert line["LOCATION"] == (f"({location['latitude']}, {location['longitude']})" if location else "")


def test_an_old_edition_writes_places_as_well_known_text(publishers):
    answer = publishers.get(EXPORT, params={"query": "select * where crash_date = '2019-08-16'", "as_of": "2020-02-01"})
    assert b"\r\n" in answer.content
    places = {row["LOCATION"] for row in csv.DictReader(io.StringIO(answer.text, newline=""))}
    assert {place[:7] for place in places - {""}} == {"POINT ("}


@pytest.mark.skipif(not REAL.is_dir(), reason="the genuine files are not beside the project")
def test_names_types_and_headers_are_the_genuine_ones(publishers):
    told = dict(
        line.split(": ", 1) for line in (REAL / "socrata_h9gi-nx95_headers.txt").read_text().splitlines() if line
    )
    answer = publishers.get(API, params={"$limit": "1"})
    for name in ("X-SODA2-Fields", "X-SODA2-Types"):
        assert json.loads(answer.headers[name]) == json.loads(told[name])
    genuine = (REAL / "nyc_crashes_2022-04-18_one_day.csv").read_text().splitlines()[0]
    made = publishers.get(EXPORT, params={"query": "select * where crash_date = '2022-04-18'"}).text.splitlines()[0]
    assert made == genuine
    [*genuine_rows] = json.loads((REAL / "socrata_h9gi-nx95_2rows_2022.json").read_text())
    names = {name for row in ask(publishers, where=YEAR, limit=50_000) for name in row}
    assert {name for row in genuine_rows for name in row} <= names
