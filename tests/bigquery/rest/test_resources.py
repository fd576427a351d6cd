"""Datasets and tables made, changed and dropped over HTTP: what is refused, and what PATCH and PUT leave."""

from typing import Any

import pytest

from .conftest import Api, field, make_table

RECORD = field("r", "RECORD", "NULLABLE", field("x", "FLOAT"), field("y", "DATE", "REQUIRED"))
FIELDS = [field("id", "INTEGER", "REQUIRED"), field("s", "STRING"), RECORD, field("l", "INTEGER", "REPEATED")]
LONG = "x" * 1025


@pytest.fixture
def table(api: Api, home: str) -> str:
    return make_table(api, home, "t", *FIELDS, description="d", labels={"a": "1", "b": "2"})


def invalid(error: Any) -> bool:
    return (error["code"], error["status"], error["errors"][0]["reason"]) == (400, "INVALID_ARGUMENT", "invalid")


@pytest.mark.parametrize("name", ["a-b", "a b", "a.b", "", LONG, "é", "a$b"])
def test_names_that_no_dataset_has(api: Api, name: str) -> None:
    error = api.refused("POST", "datasets", {"datasetReference": {"datasetId": name}})
    assert invalid(error)
    assert error["message"].startswith(f'Invalid dataset ID "{name}". Dataset IDs must be alphanumeric')


@pytest.mark.parametrize("name", ["a/b", "a*", "a.b", "", LONG, "a`b", "a:b"])
def test_names_that_no_table_has(api: Api, home: str, name: str) -> None:
    error = api.refused("POST", f"{home}/tables", {"tableReference": {"tableId": name}})
    assert invalid(error)
    assert error["message"].startswith(f'Invalid table ID "{name}". Table IDs must be alphanumeric')


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ([field("a", "INTEGER"), field("A", "STRING")], "Field A already exists in schema"),
        ([field("a", "NUMBER")], "Invalid value for type: NUMBER is not a valid value"),
        ([field("a", "STRING", "OPTIONAL")], "Invalid value for mode: OPTIONAL is not a valid value"),
        ([field("a", "RECORD")], "Field a is type RECORD but has no schema"),
        ([field("r", "RECORD", "NULLABLE", field("x", "DATE", "x"))], "Invalid value for mode: X is not a valid value"),
        (
            [field("r", "RECORD", "NULLABLE", field("x", "DATE"), field("X", "DATE"))],
            "Field X already exists in schema",
        ),
    ],
)
def test_schemas_that_no_table_has(api: Api, home: str, fields: Any, message: str) -> None:
    body = {"tableReference": {"tableId": "t"}, "schema": {"fields": fields}}
    error = api.refused("POST", f"{home}/tables", body)
    assert invalid(error)
    assert error["message"] == message


@pytest.mark.parametrize("method", ["PATCH", "PUT"])
@pytest.mark.parametrize(
    ("fields", "detail"),
    [
        (FIELDS[:3], "Field l is missing in new schema"),
        ([*FIELDS, field("z", "STRING", "REQUIRED")],
         "Cannot add required fields to an existing schema. (field: z)"),
        ([field("id", "STRING", "REQUIRED"), *FIELDS[1:]], "Field id has changed type from INTEGER to STRING"),
        ([FIELDS[0], field("s", "STRING", "REQUIRED"), *FIELDS[2:]],
         "Field s has changed mode from NULLABLE to REQUIRED"),
        ([*FIELDS[:3], field("l", "INTEGER")], "Field l has changed mode from REPEATED to NULLABLE"),
        ([*FIELDS[:2], {**RECORD, "fields": RECORD["fields"][:1]}, FIELDS[3]], "Field r.y is missing in new schema"),
        ([*FIELDS[:2], {**RECORD, "fields": [*RECORD["fields"], field("z", "DATE", "REQUIRED")]}, FIELDS[3]],
         "Cannot add required fields to an existing schema. (field: r.z)"),
        ([*FIELDS[:2], {**RECORD, "fields": [field("x", "FLOAT", "REPEATED"), RECORD["fields"][1]]}, FIELDS[3]],
         "Field r.x has changed mode from NULLABLE to REPEATED"),
    ],
)  # fmt: skip
def test_a_schema_never_narrows(api: Api, home: str, table: str, method: str, fields: Any, detail: str) -> None:
    error = api.refused(method, table, {"schema": {"fields": fields}})
    assert invalid(error)
    name = home.partition("/")[2]
    assert error["message"] == f"Provided Schema does not match Table lake:{name}.t. {detail}"
    assert api.call("GET", table)["schema"]["fields"] == FIELDS


def test_a_schema_widens(api: Api, table: str) -> None:
    wider = [field("id", "INTEGER"), FIELDS[1], {**RECORD, "fields": [*RECORD["fields"], field("z", "DATE")]}]
    after = [*wider, FIELDS[3], field("n", "STRING")]
    assert api.call("PATCH", table, {"schema": {"fields": after}})["schema"]["fields"] == after


@pytest.mark.feature("REST", "PATCH and PUT: null members go, labels are merged by PATCH, PUT replaces everything")
def test_patch_changes_what_it_names(api: Api, table: str) -> None:
    body = api.call("PATCH", table, {"description": None, "friendlyName": "f", "labels": {"a": None, "c": "3"}})
    assert "description" not in body
    assert (body["friendlyName"], body["labels"]) == ("f", {"b": "2", "c": "3"})
    assert "labels" not in api.call("PATCH", table, {"labels": None})
    assert api.call("PATCH", table, {"schema": None})["schema"]["fields"] == FIELDS


def test_put_leaves_what_it_names(api: Api, home: str, table: str) -> None:
    body = api.call("PUT", table, {"schema": {"fields": FIELDS}, "friendlyName": "f"})
    assert body["friendlyName"] == "f"
    assert body.keys() & {"description", "labels"} == set()
    api.call("PATCH", home, {"description": "d", "access": [{"role": "OWNER", "userByEmail": "a@b.c"}]})
    body = api.call("PUT", home, {"friendlyName": "f"})
    assert (body["friendlyName"], "description" in body, len(body["access"])) == ("f", False, 3)


@pytest.mark.parametrize("labels", [
    {"A": "b"}, {"a b": ""}, {"": "x"}, {"1a": "x"}, {"a": "X"}, {"a": "x y"}, {"a" * 64: ""}, {"a": "x" * 64},
    {f"l{n}": "" for n in range(65)},
])  # fmt: skip
@pytest.mark.parametrize("kind", ["dataset", "table", "new table", "job", "query"])
def test_labels_that_cannot_be(api: Api, home: str, table: str, kind: str, labels: Any) -> None:
    query = {"query": "SELECT 1", "useLegacySql": False}
    method, path, body = {
        "dataset": ("PATCH", home, {"labels": labels}),
        "table": ("PATCH", table, {"labels": labels}),
        "new table": ("POST", f"{home}/tables", {"tableReference": {"tableId": "n"}, "labels": labels}),
        "job": ("POST", "jobs", {"configuration": {"query": query, "labels": labels}}),
        "query": ("POST", "queries", {**query, "labels": labels}),
    }[kind]
    error = api.refused(method, path, body)
    assert invalid(error)
    assert error["errors"][0]["location"] == "labels"


def test_labels_that_can_be(api: Api, table: str) -> None:
    labels = {"a" * 63: "", "é_-1": "1-é", **{f"l{n}": "" for n in range(60)}}
    assert api.call("PATCH", table, {"labels": labels})["labels"].items() >= labels.items()


def test_a_reference_to_another_than_the_path_is_refused(api: Api, home: str, table: str) -> None:
    wrong = [
        ("POST", "datasets", {"datasetReference": {"projectId": "other", "datasetId": "x"}}),
        ("PATCH", home, {"datasetReference": {"datasetId": "x"}}),
        ("POST", f"{home}/tables", {"tableReference": {"datasetId": "other", "tableId": "x"}}),
        ("PUT", table, {"tableReference": {"tableId": "x"}, "schema": {"fields": FIELDS}}),
        ("POST", "jobs", {"jobReference": {"projectId": "other"}, "configuration": {"query": {"query": "SELECT 1"}}}),
    ]
    for method, path, body in wrong:
        error = api.refused(method, path, body)
        assert invalid(error)
        assert "in content does not agree with value" in error["message"]


def test_a_dataset_stays_where_it_is(api: Api, home: str) -> None:
    assert invalid(api.refused("PATCH", home, {"location": "EU"}))
    assert api.call("PATCH", home, {"location": "us", "description": "d"})["location"] == "US"


def test_a_dataset_that_is_not_empty(api: Api, home: str, table: str) -> None:
    error = api.refused("DELETE", home)
    name = home.partition("/")[2]
    assert (error["code"], error["errors"][0]["reason"]) == (400, "resourceInUse")
    assert error["message"] == f"Dataset lake:{name} is still in use"
    assert api.send("DELETE", home, params={"deleteContents": "true"}).status_code == 204
    assert api.refused("GET", table)["code"] == 404


def test_what_is_there_or_is_not(api: Api, home: str, table: str) -> None:
    assert api.refused("POST", "datasets", {"datasetReference": {"datasetId": home.partition("/")[2]}})["code"] == 409
    error = api.refused("POST", f"{home}/tables", {"tableReference": {"tableId": "t"}})
    assert (error["code"], error["status"], error["errors"][0]["reason"]) == (409, "ALREADY_EXISTS", "duplicate")
    for path in (f"{home}/tables/no", "datasets/no", "datasets/no/tables", "datasets/no/tables/t", f"{home}/routines/f",
                 "datasets/no/routines", "/bigquery/v2/projects/none/datasets/d"):  # fmt: skip
        error = api.refused("GET", path)
        assert (error["code"], error["status"], error["errors"][0]["reason"]) == (404, "NOT_FOUND", "notFound")


@pytest.mark.feature("REST", "tables.get: view and selectedFields; datasets.get: datasetView")
def test_views_of_a_table(api: Api, table: str) -> None:
    api.call("POST", f"{table}/insertAll", {"rows": [{"json": {"id": 1}}]})
    for view in ("STORAGE_STATS", "FULL", "TABLE_METADATA_VIEW_UNSPECIFIED", ""):
        assert api.call("GET", table, view=view)["numRows"] == "1"
    basic = api.call("GET", table, view="basic")
    assert basic.keys() & {"numRows", "numBytes", "numLongTermBytes"} == set()
    assert basic["schema"]["fields"] == FIELDS
    assert invalid(api.refused("GET", table, view="ALL"))


def test_fields_of_a_table(api: Api, table: str) -> None:
    chosen = api.call("GET", table, selectedFields="r.y,S")["schema"]["fields"]
    assert chosen == [FIELDS[1], {**RECORD, "fields": RECORD["fields"][1:]}]
    error = api.refused("GET", table, selectedFields="id,r.no")
    assert (error["code"], error["message"]) == (400, "No such field: r.no")


def test_views_of_a_dataset(api: Api, home: str) -> None:
    assert "access" not in api.call("GET", home, datasetView="METADATA")
    assert api.call("GET", home, datasetView="ACL").keys() >= {"access", "datasetReference"}
    assert api.call("GET", home, datasetView="FULL") == api.call("GET", home)
    assert invalid(api.refused("GET", home, datasetView="ALL"))


def test_rows_of_chosen_fields(api: Api, table: str) -> None:
    row = {"id": 1, "s": "x", "r": {"x": 2.5, "y": "2024-01-01"}, "l": [1, 2]}
    api.call("POST", f"{table}/insertAll", {"rows": [{"json": row}, {"json": {"id": 2}}]})
    answer = api.call("GET", f"{table}/data", selectedFields="r.y,id")
    assert [[cell["v"] for cell in row["f"]] for row in answer["rows"]] == [
        ["1", {"f": [{"v": "2024-01-01"}]}], ["2", None],
    ]  # fmt: skip


@pytest.mark.parametrize("project", ["a b", "a!", "é", "a/../b", "x" * 64, "a:b:c"])
def test_projects_that_there_cannot_be(api: Api, project: str) -> None:
    error = api.refused("GET", f"/bigquery/v2/projects/{project.replace('/', '%00')}/datasets")
    assert invalid(error)
    assert error["message"].startswith("Invalid project ID '")


@pytest.mark.parametrize("project", ["lake", "my-project-1", "example.com:my-project", "Dev_1"])
def test_projects_that_there_can_be(api: Api, project: str) -> None:
    assert api.call("GET", f"/bigquery/v2/projects/{project}/datasets")["kind"] == "bigquery#datasetList"


@pytest.mark.feature("REST", "datasets without case or in other catalogs, linked datasets, collations", refused=True)
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("isCaseInsensitive", True),
        ("defaultCollation", "und:ci"),
        ("linkedDatasetSource", {"sourceDataset": {"projectId": "p", "datasetId": "d"}}),
        ("externalDatasetReference", {"externalSource": "s", "connection": "c"}),
    ],
)
def test_datasets_of_another_kind(api: Api, home: str, member: str, value: Any) -> None:
    for method, path, body in (("POST", "datasets", {"datasetReference": {"datasetId": "n"}}), ("PATCH", home, {})):
        error = api.refused(method, path, {**body, member: value})
        assert (error["code"], error["message"]) == (501, f"The emulator does not support {member} of a dataset.")


def test_a_layout_that_no_table_has(api: Api, home: str, table: str) -> None:
    for method in ("PATCH", "PUT"):
        body = {"schema": {"fields": FIELDS}, "clustering": {"fields": ["none"]}}
        assert invalid(api.refused(method, table, body))
    assert invalid(api.refused("PATCH", table, {"timePartitioning": {"type": "DAY"}}))
    assert api.call("PATCH", table, {"clustering": {"fields": ["s"]}})["clustering"] == {"fields": ["s"]}


def test_a_table_that_would_be_over_already(api: Api, home: str) -> None:
    error = api.refused("POST", f"{home}/tables", {"tableReference": {"tableId": "t"}, "expirationTime": "1000"})
    assert invalid(error)
    assert error["errors"][0]["location"] == "expirationTime"
    assert api.refused("GET", f"{home}/tables/t")["code"] == 404


@pytest.mark.parametrize(
    ("data", "headers", "code"),
    [
        (b"{", {}, 400),
        (b"\x1f\x8bzzz", {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 501),
        (b'{"datasetReference": {"datasetId": 5}}', {}, 400),
        (b"", {}, 400),
    ],
)
def test_bodies_that_cannot_be_read(api: Api, data: bytes, headers: dict[str, str], code: int) -> None:
    answer = api.send("POST", "datasets", data=data, headers={"Content-Type": "application/json", **headers})
    assert (answer.status_code, answer.json()["error"]["code"]) == (code, code)


def test_a_flag_that_is_none(api: Api, home: str) -> None:
    error = api.refused("DELETE", home, deleteContents="maybe")
    assert invalid(error)
    assert error["errors"][0]["location"] == "deleteContents"
