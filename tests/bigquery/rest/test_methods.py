"""Every method of the API: served, or refused by its name; and routines from their making to their end."""

import json
from pathlib import Path
from typing import Any

import pytest
from googleapiclient import discovery_cache

from .conftest import Api, field, make_table

DOCUMENT = json.loads((Path(discovery_cache.__file__).parent / "documents" / "bigquery.v2.json").read_text("utf-8"))
METHODS = {
    method["id"].removeprefix("bigquery."): (method["httpMethod"], method["flatPath"])
    for resource in DOCUMENT["resources"].values()
    for method in resource["methods"].values()
}
UNSUPPORTED = {
    "datasets.undelete", "routines.setIamPolicy", "rowAccessPolicies.batchDelete", "rowAccessPolicies.getIamPolicy",
    "rowAccessPolicies.insert", "rowAccessPolicies.testIamPermissions", "rowAccessPolicies.update",
    "tables.setIamPolicy",
}  # fmt: skip


@pytest.mark.feature("REST", "every method of the API is served, or refused by its name")
@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_known(api: Api, name: str) -> None:
    method, path = METHODS[name]
    for part in ("projects", "datasets", "tables", "routines", "models", "jobs", "queries", "rowAccessPolicies"):
        path = path.replace(f"{{{part}Id}}", "lake" if part == "projects" else "none")
    answer = api.send(method, f"/bigquery/v2/{path}", json={})
    error = answer.json()["error"] if answer.content and answer.status_code >= 400 else {"message": ""}
    assert "has no method" not in error["message"]
    if name in UNSUPPORTED:
        assert (answer.status_code, error["status"]) == (501, "UNIMPLEMENTED")
        assert error["message"] == f"The emulator does not support the method {name}."
    else:
        assert answer.status_code in {200, 400, 404}


@pytest.mark.feature("REST", "IAM policies, row access policies and models", lacks="any that is set: there are none")
def test_what_there_is_none_of(api: Api, home: str) -> None:
    table = make_table(api, home, "t", field("a", "INTEGER"))
    assert api.call("GET", f"{home}/models") == {}
    assert api.call("GET", f"{table}/rowAccessPolicies") == {}
    for path in (f"{home}/models/m", f"{table}/rowAccessPolicies/p", "datasets/none/models",
                 f"{home}/tables/none/rowAccessPolicies"):  # fmt: skip
        assert api.refused("GET", path)["code"] == 404
    assert api.call("POST", f"{table}:getIamPolicy", {"options": {"requestedPolicyVersion": 3}})["version"] == 1
    wanted = ["bigquery.tables.get", "bigquery.tables.delete"]
    assert api.call("POST", f"{table}:testIamPermissions", {"permissions": wanted}) == {"permissions": wanted}
    assert api.refused("POST", f"{table}:testIamPermissions", {"permissions": 1})["code"] == 400
    assert api.refused("POST", f"{home}/tables/none:getIamPolicy", {})["code"] == 404


def test_a_service_account(api: Api) -> None:
    answer = api.call("GET", "serviceAccount")
    assert answer["kind"] == "bigquery#getServiceAccountResponse"
    assert answer["email"].startswith("bq-lake@")


FUNCTION = {
    "routineReference": {"routineId": "twice"},
    "routineType": "SCALAR_FUNCTION",
    "language": "SQL",
    "definitionBody": "x * 2",
    "description": "doubles",
    "determinismLevel": "DETERMINISTIC",
    "arguments": [{"name": "x", "dataType": {"typeKind": "INT64"}}],
    "returnType": {"typeKind": "INT64"},
}


@pytest.mark.feature("REST", "routines: insert, get, update, list, delete")
def test_the_life_of_a_routine(api: Api, home: str) -> None:
    dataset, path = home.partition("/")[2], f"{home}/routines/twice"
    made = api.call("POST", f"{home}/routines", FUNCTION)
    assert made.items() >= {**FUNCTION, "routineReference": {
        "projectId": "lake", "datasetId": dataset, "routineId": "twice"}}.items()  # fmt: skip
    assert made.keys() >= {"etag", "creationTime", "lastModifiedTime"}
    assert api.rows(f"SELECT {dataset}.twice(21)") == [["42"]]
    assert api.call("GET", path) == made
    assert api.refused("POST", f"{home}/routines", FUNCTION)["code"] == 409
    changed = api.call("PUT", path, {**FUNCTION, "definitionBody": "x * 4", "description": None})
    assert (changed["definitionBody"], "description" in changed) == ("x * 4", False)
    assert (changed["creationTime"], changed["etag"] != made["etag"]) == (made["creationTime"], True)
    assert api.rows(f"SELECT {dataset}.twice(21)") == [["84"]]
    listed = api.call("GET", f"{home}/routines")["routines"]
    assert [routine["routineReference"]["routineId"] for routine in listed] == ["twice"]
    assert "definitionBody" not in listed[0]
    assert api.send("DELETE", path).status_code == 204
    assert api.refused("GET", path)["code"] == 404
    assert api.refused("DELETE", path)["code"] == 404
    assert api.refused("PUT", path, FUNCTION)["code"] == 404


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"routineReference": {}}, "required"),
        ({"routineType": None}, "required"),
        ({"definitionBody": None}, "required"),
        ({"routineType": "FUNCTION"}, "invalid"),
        ({"language": "COBOL"}, "invalid"),
        ({"arguments": [{"name": "x", "dataType": {"typeKind": "NUMBER"}}]}, "invalid"),
        ({"arguments": {"name": "x"}}, "invalid"),
        ({"routineReference": {"routineId": "a-b"}}, "invalid"),
        ({"routineReference": {"routineId": "x" * 257}}, "invalid"),
    ],
)
def test_routines_that_cannot_be(api: Api, home: str, change: Any, reason: str) -> None:
    error = api.refused("POST", f"{home}/routines", {**FUNCTION, **change})
    assert (error["code"], error["errors"][0]["reason"]) == (400, reason)


def test_a_list_of_routines_of_one_kind(api: Api, home: str) -> None:
    api.call("POST", f"{home}/routines", FUNCTION)
    procedure = {"routineReference": {"routineId": "p"}, "routineType": "PROCEDURE", "definitionBody": "BEGIN END"}
    api.call("POST", f"{home}/routines", procedure)

    def names(**parameters: Any) -> list[str]:
        found = api.call("GET", f"{home}/routines", **parameters).get("routines", [])
        return [routine["routineReference"]["routineId"] for routine in found]

    assert names() == ["p", "twice"]
    assert names(maxResults=1) == ["p"]
    assert names(filter="routineType:SCALAR_FUNCTION") == ["twice"]
    assert api.refused("GET", f"{home}/routines", filter="language:SQL")["errors"][0]["location"] == "filter"


@pytest.mark.parametrize(
    ("members", "name"),
    [
        ({"queryResultsFormat": "ARROW"}, "queryResultsFormat ARROW"),
        ({"formatOptions": {"timestampOutputFormat": "ISO8601_STRING"}}, "timestamps in the form ISO8601_STRING"),
    ],
)
def test_forms_of_rows_that_are_not_served(api: Api, home: str, members: Any, name: str) -> None:
    sql = f"CREATE TABLE {home.partition('/')[2]}.t AS SELECT 1 AS x"
    error = api.refused("POST", "queries", {"query": sql, "useLegacySql": False, **members})
    assert (error["code"], error["message"]) == (501, f"The emulator does not support {name}.")
    assert api.refused("GET", f"{home}/tables/t")["code"] == 404


def test_timestamps_in_the_form_that_is_asked_for(api: Api) -> None:
    body = {"query": "SELECT TIMESTAMP '2024-01-01'", "useLegacySql": False}
    answer = api.call("POST", "queries", {**body, "formatOptions": {"timestampOutputFormat": "INT64"}})
    assert answer["rows"][0]["f"][0]["v"] == "1704067200000000"


@pytest.mark.parametrize("body", [
    {"query": "SELECT 1", "jobCreationMode": "NEVER"}, {"query": "SELECT 1", "queryResultsFormat": "CSV"},
    {"query": "SELECT 1", "formatOptions": {"timestampOutputFormat": "TEXT"}},
])  # fmt: skip
def test_words_that_a_member_does_not_take(api: Api, body: Any) -> None:
    error = api.refused("POST", "queries", body)
    assert error["errors"][0]["reason"] == "invalid"
    assert error["message"].startswith("Invalid value at '")
