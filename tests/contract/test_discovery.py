"""The check itself: what is not in Google's documents is found."""

import json
from dataclasses import replace

import pytest

from .discovery import api
from .recorder import Exchange

TABLES = "/bigquery/v2/projects/p/datasets/d/tables"
JSON = {"content-type": "application/json"}
REFERENCE = {"projectId": "p", "datasetId": "d", "tableId": "t"}


def exchange(method: str, target: str, body: object = None, answer: object = None, status: int = 200) -> Exchange:
    texts = [b"" if part is None else json.dumps(part).encode() for part in (body, answer)]
    return Exchange(method, target, JSON, texts[0], status, JSON, texts[1])


def sent(method: str, target: str, body: object = None, document: str = "bigquery.v2") -> list[str]:
    return list(api(document).request_violations(exchange(method, target, body)))


def answered(answer: object, status: int = 200, target: str = f"{TABLES}/t") -> list[str]:
    return list(api("bigquery.v2").answer_violations(exchange("GET", target, answer=answer, status=status)))


@pytest.mark.parametrize(
    ("method", "target", "body"),
    [
        ("POST", TABLES, {"tableReference": REFERENCE, "schema": {"fields": [{"name": "a", "type": "INT64"}]}}),
        ("POST", TABLES, {"tableReference": REFERENCE, "labels": {"a": "b"}, "expirationTime": 5, "view": None}),
        ("GET", f"{TABLES}/t?selectedFields=a&prettyPrint=false&alt=json", None),
        ("POST", f"{TABLES}/t:testIamPermissions", {"permissions": ["bigquery.tables.get"]}),
    ],
)
def test_what_the_documents_know_passes(method: str, target: str, body: object) -> None:
    assert sent(method, target, body) == []


@pytest.mark.parametrize(
    ("method", "target", "body", "problem"),
    [
        ("POST", "/bigquery/v2/projects/p/tabels", None, "there is no such method"),
        ("PUT", TABLES, None, "there is no such method"),
        ("GET", f"{TABLES}?maxresults=1", None, "there is no parameter maxresults"),
        ("GET", f"{TABLES}?maxResults=ten", None, "'ten' is no whole number"),
        ("GET", f"{TABLES}/t?view=ALL", None, "'ALL' is none of"),
        ("POST", TABLES, {"tableRef": {}}, "there is no field Table.tableRef"),
        ("POST", TABLES, {"schema": {"fields": [{"nam": "a"}]}}, "no field Table.schema.fields[].nam"),
        ("POST", TABLES, {"schema": []}, "Table.schema is no object"),
        ("POST", TABLES, {"labels": {"a": ["b"]}}, "Table.labels.a: ['b'] is no string"),
        ("POST", TABLES, {"requirePartitionFilter": "maybe"}, "'maybe' is no boolean"),
        ("GET", f"{TABLES}/t", {"a": 1}, "it takes no body"),
    ],
)
def test_what_they_do_not_know_is_found(method: str, target: str, body: object, problem: str) -> None:
    [found] = sent(method, target, body)
    assert problem in found


def test_a_parameter_that_must_be_given_is_missed() -> None:
    assert sent("POST", "/storage/v1/b", {"name": "b"}, "storage.v1") == [
        "storage.buckets.insert: the parameter project is missing"
    ]


def test_the_head_of_a_multipart_upload_is_read() -> None:
    body = b'--x\r\nContent-Type: application/json\r\n\r\n{"nam": "a"}\r\n--x\r\n\r\n\x00\xff\r\n--x--'
    upload = replace(
        exchange("POST", "/upload/storage/v1/b/bucket/o?uploadType=multipart"),
        body=body,
        headers={"content-type": 'multipart/related; boundary="x"'},
    )
    assert list(api("storage.v1").request_violations(upload)) == [
        "storage.objects.insert: there is no field Object.nam"
    ]


@pytest.mark.parametrize(
    ("answer", "status", "problem"),
    [
        ({"numRows": 5}, 200, "Table.numRows: 5 is no uint64"),
        ({"description": None}, 200, "Table.description: None is no string"),
        ({"rows": []}, 200, "there is no field Table.rows"),
        ({"error": "no"}, 404, "an error without its object"),
        ({"error": {"code": 400, "message": "No.", "errors": []}}, 404, "whose code or message is not told"),
    ],
)
def test_answers_that_google_would_not_give_are_found(answer: object, status: int, problem: str) -> None:
    assert any(problem in found for found in answered(answer, status))


def test_an_answer_as_google_s_passes() -> None:
    assert answered({"kind": "bigquery#table", "numRows": "5", "tableReference": REFERENCE}) == []
    detail = {"reason": "notFound", "message": "Not found", "domain": "global"}
    assert answered({"error": {"code": 404, "message": "Not found", "errors": [detail]}}, 404) == []
