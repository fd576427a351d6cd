"""What every method's answer has in common: etags, partial responses, forms, and what stands for no method."""

from typing import Any

import pytest

from tarn_bigquery.errors import ApiError
from tarn_bigquery.rest.partial import mask_of, parted

from .conftest import Api, field, make_table


@pytest.fixture
def table(api: Api, home: str) -> str:
    return make_table(api, home, "t", field("a", "INTEGER"), field("b", "STRING"), labels={"x": "y"})


@pytest.mark.feature("REST", "etags: If-Match, and If-None-Match with 304")
@pytest.mark.parametrize("shape", ['{}', '"{}"', 'W/"{}"', '"other", "{}"', "*"])  # fmt: skip
def test_what_is_known_is_not_told_again(api: Api, table: str, shape: str) -> None:
    etag = api.send("GET", table).headers["etag"]
    answer = api.send("GET", table, headers={"If-None-Match": shape.format(etag)})
    assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", etag)
    assert api.send("GET", table, headers={"If-None-Match": '"other"'}).status_code == 200


SCHEMA = {"fields": [field("a", "INTEGER"), field("b", "STRING")]}


@pytest.mark.parametrize("change", [
    ("PATCH", "", {"description": "d"}), ("PATCH", "", {"labels": {"x": "y"}}), ("PUT", "", {"schema": SCHEMA}),
    ("POST", "/insertAll", {"rows": [{"json": {"a": 1}}]}),
])  # fmt: skip
def test_every_change_gives_another_etag(api: Api, table: str, change: tuple[str, str, Any]) -> None:
    method, path, body = change
    before = api.call("GET", table)["etag"]
    api.call(method, table + path, body)
    assert api.call("GET", table)["etag"] != before
    assert api.send("GET", table, headers={"If-None-Match": before}).status_code == 200


ROUTINE = {"routineReference": {"routineId": "f"}, "routineType": "SCALAR_FUNCTION", "definitionBody": "1"}


@pytest.mark.parametrize(("path", "method"), [
    ("", "PATCH"), ("", "PUT"), ("", "DELETE"), ("/tables/t", "PATCH"), ("/tables/t", "PUT"), ("/tables/t", "DELETE"),
    ("/routines/f", "PUT"), ("/routines/f", "DELETE"),
])  # fmt: skip
def test_a_change_of_another_version_is_refused(api: Api, home: str, table: str, path: str, method: str) -> None:
    api.call("POST", f"{home}/routines", ROUTINE)
    path = home + path
    etag = api.call("GET", path)["etag"]
    answer = api.send(method, path, json={}, headers={"If-Match": "other"})
    error = answer.json()["error"]
    assert (answer.status_code, error["status"], error["message"]) == (
        412, "FAILED_PRECONDITION", "Precondition check failed.",
    )  # fmt: skip
    assert error["errors"][0] == {
        "message": error["message"], "domain": "global", "reason": "conditionNotMet",
        "location": "If-Match", "locationType": "header",
    }  # fmt: skip
    assert api.call("GET", path)["etag"] == etag
    if method == "PATCH":
        assert api.send(method, path, json={}, headers={"If-Match": f'"{etag}"'}).ok


@pytest.mark.parametrize("path", ["datasets", "{}/tables", "jobs", "{}/tables/t/data", "/bigquery/v2/projects"])
def test_a_list_has_an_etag_of_its_own(api: Api, home: str, table: str, path: str) -> None:
    path = path.format(home)
    before = api.call("GET", path, maxResults=1000)
    assert api.call("GET", path, maxResults=1000)["etag"] == before["etag"]
    answer = api.send("GET", path, params={"maxResults": 1000}, headers={"If-None-Match": before["etag"]})
    assert answer.status_code == 304


def test_a_list_that_has_changed_is_told(api: Api, home: str, table: str) -> None:
    before = api.call("GET", f"{home}/tables")["etag"]
    api.call("DELETE", table)
    answer = api.send("GET", f"{home}/tables", headers={"If-None-Match": before})
    assert (answer.status_code, answer.json()["tables"]) == (200, [])


@pytest.mark.feature("REST", "partial responses: fields")
@pytest.mark.parametrize(
    ("fields", "answer"),
    [
        ("tableReference/tableId,schema(fields(name))", {
            "tableReference": {"tableId": "t"}, "schema": {"fields": [{"name": "a"}, {"name": "b"}]}}),
        ("schema/fields/type, labels", {
            "schema": {"fields": [{"type": "INTEGER"}, {"type": "STRING"}]}, "labels": {"x": "y"}}),
        ("nothing", {}),
    ],
)  # fmt: skip
def test_an_answer_in_part(api: Api, table: str, fields: str, answer: Any) -> None:
    assert api.call("GET", table, fields=fields) == answer


def test_rows_in_part(api: Api, table: str) -> None:
    api.call("POST", f"{table}/insertAll", {"rows": [{"json": {"a": 1}}, {"json": {"a": 2}}]})
    answer = api.call("GET", f"{table}/data", fields="rows(f(v)),totalRows", maxResults=1)
    assert answer == {"rows": [{"f": [{"v": "1"}, {"v": None}]}], "totalRows": "2"}


@pytest.mark.parametrize(
    ("fields", "mask"),
    [
        ("a", {"a": {}}),
        ("a/b/c,d", {"a": {"b": {"c": {}}}, "d": {}}),
        ("a(b,c/d),a/e", {"a": {"b": {}, "c": {"d": {}}, "e": {}}}),
        ("a,a/b", {"a": {}}),
        ("a/b,a", {"a": {}}),
        ("*/x", {"*": {"x": {}}}),
    ],
)
def test_masks(fields: str, mask: Any) -> None:
    assert mask_of(fields) == mask


@pytest.mark.parametrize("fields", ["a(", "a)", "a,,b", "/a", "a/", "a(b", "()", "a b", "a;b", "a(b)c"])
def test_what_is_no_mask(fields: str) -> None:
    with pytest.raises(ApiError, match="Invalid field selection"):
        mask_of(fields)


def test_a_star_is_every_member() -> None:
    value = {"x": {"id": 1, "n": 2}, "y": {"id": 3}, "z": 4}
    assert parted(value, mask_of("*/id")) == {"x": {"id": 1}, "y": {"id": 3}, "z": 4}


def test_a_wish_that_cannot_be_changes_nothing(api: Api, table: str) -> None:
    error = api.refused("PATCH", table, {"description": "d"}, fields="a(")
    assert (error["code"], error["errors"][0]["location"]) == (400, "fields")
    error = api.refused("PATCH", table, {"description": "d"}, alt="proto")
    assert (error["code"], error["message"]) == (501, "The emulator does not support answers in the form alt=proto.")
    assert "description" not in api.call("GET", table)


def test_an_answer_may_be_indented(api: Api, home: str) -> None:
    assert api.send("GET", home, params={"prettyPrint": "true"}).text.startswith('{\n  "kind"')
    assert api.send("GET", home, params={"prettyPrint": "false", "alt": "json"}).text.startswith('{"kind"')


@pytest.mark.parametrize("path", [
    "/bigquery/v2/projects/lake/datasets/", "/projects/lake/datasets", "//bigquery/v2/projects/lake/datasets",
])  # fmt: skip
def test_slashes_too_many_and_addresses_without_a_path(api: Api, path: str) -> None:
    assert api.call("GET", path)["kind"] == "bigquery#datasetList"


@pytest.mark.parametrize("path", ["/bigquery/v2", "/bigquery/v2/", "/", "/nowhere", "/bigquery/v2/nowhere"])
def test_a_path_that_is_none(api: Api, path: str) -> None:
    assert api.refused("GET", path)["code"] == 404
    assert api.refused("POST", path, {})["code"] == 404


def test_a_method_that_a_path_has_not(api: Api, home: str) -> None:
    answer = api.send("POST", home, json={})
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PATCH, PUT"
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (405, "methodNotAllowed")
    assert api.refused("TRACE", home)["code"] == 405
    answer = api.send("OPTIONS", home)
    assert (answer.status_code, answer.headers["allow"]) == (204, "DELETE, GET, HEAD, PATCH, PUT")


def test_head_is_get_without_the_body(api: Api, home: str) -> None:
    head, get = api.send("HEAD", home), api.send("GET", home)
    assert (head.status_code, head.content, head.headers["etag"]) == (200, b"", get.headers["etag"])


def test_the_place_of_an_error(api: Api) -> None:
    error = api.refused("POST", "queries", {"query": "SELECT nope", "useLegacySql": False})
    assert {**error["errors"][0], "message": ""} == {
        "message": "", "domain": "global", "reason": "invalidQuery", "location": "q", "locationType": "parameter",
    }  # fmt: skip
