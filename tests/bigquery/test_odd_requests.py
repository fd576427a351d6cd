"""Requests that nobody should send: the answer is Google's 4xx, and never that the emulator failed."""

import importlib.util
import json
import uuid
from collections.abc import Iterator
from importlib import resources
from pathlib import Path as File
from typing import Any

import pytest
import requests
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from .conftest import PROJECT, Bucket, Emulator

MESSAGES = json.loads(resources.files("tarn_bigquery.rest").joinpath("messages.json").read_text(encoding="utf-8"))
UPDATE = File(__file__).parents[2] / "emulators" / "bigquery" / "update_messages.py"
SECONDS = 120
NAME = "odd"
ODD = (
    None, True, 0, -1, 2**63, 1.5, 1e300, "", "x", "null", "-1", "9223372036854775808", "a.b", "gs://", "é\u0000\n'`\"",
    [], {}, [None], [[]], [{}], {"": None}, {"a": {"b": [1]}},
)  # fmt: skip
TABLE = {"projectId": PROJECT, "datasetId": NAME, "tableId": "made"}
KEPT = {**TABLE, "tableId": "kept"}
FIELDS = [
    {"name": "id", "type": "INT64", "mode": "REQUIRED", "description": "d", "defaultValueExpression": "1"},
    {"name": "n", "type": "NUMERIC", "precision": "9", "scale": "2", "policyTags": {"names": ["t"]}},
    {"name": "r", "type": "RECORD", "mode": "REPEATED", "fields": [{"name": "s", "type": "STRING", "maxLength": "9"}]},
    {"name": "d", "type": "DATE"},
]
PARTS = {
    "schema": {"fields": FIELDS},
    "timePartitioning": {"type": "DAY", "field": "d", "expirationMs": "1000"},
    "clustering": {"fields": ["id"]},
}
EXTERNAL = {
    "sourceFormat": "CSV",
    "sourceUris": ["gs://lake/odd/*"],
    "autodetect": True,
    "maxBadRecords": 1,
    "csvOptions": {"skipLeadingRows": "1", "fieldDelimiter": ",", "quote": '"', "encoding": "UTF-8", "nullMarker": ""},
    "hivePartitioningOptions": {"mode": "CUSTOM", "sourceUriPrefix": "gs://lake/odd/{d:DATE}", "fields": ["d"]},
    "parquetOptions": {"enumAsString": True},
}
QUERY = {
    "query": "SELECT @a AS a, @b AS b, kept.id FROM kept",
    "useLegacySql": False,
    "defaultDataset": {"projectId": PROJECT, "datasetId": NAME},
    "parameterMode": "NAMED",
    "queryParameters": [
        {"name": "a", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "1"}},
        {
            "name": "b",
            "parameterType": {
                "type": "ARRAY",
                "arrayType": {"type": "STRUCT", "structTypes": [{"name": "x", "type": {"type": "DATE"}}]},
            },
            "parameterValue": {"arrayValues": [{"structValues": {"x": {"value": "2024-01-01"}}}]},
        },
    ],
    "labels": {"k": "v"},
    "connectionProperties": [{"key": "time_zone", "value": "UTC"}],
    "maximumBytesBilled": "100",
}
LOAD = {**EXTERNAL["csvOptions"], "sourceUris": ["gs://lake/odd/*"], "sourceFormat": "CSV", "destinationTable": TABLE}
REQUESTS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "dataset": (
        "POST", "/datasets", "Dataset",
        {"datasetReference": {"datasetId": "odd_made"}, "labels": {"a": "b"}, "location": "US", "description": "d",
         "defaultTableExpirationMs": "3600000", "access": [{"role": "READER", "userByEmail": "a@b.c"}]},
    ),
    "dataset patch": ("PATCH", f"/datasets/{NAME}", "Dataset", {"labels": {"a": None, "b": "c"}, "description": None}),
    "dataset put": ("PUT", f"/datasets/{NAME}", "Dataset", {"labels": {"a": "b"}, "friendlyName": "f"}),
    "table": ("POST", f"/datasets/{NAME}/tables", "Table", {"tableReference": TABLE, "labels": {"a": "b"}, **PARTS}),
    "ranges": (
        "POST", f"/datasets/{NAME}/tables", "Table",
        {"tableReference": TABLE, "schema": {"fields": FIELDS},
         "rangePartitioning": {"field": "id", "range": {"start": "0", "end": "9", "interval": "1"}}},
    ),
    "view": ("POST", f"/datasets/{NAME}/tables", "Table",
             {"tableReference": TABLE, "view": {"query": "SELECT 1 AS x", "useLegacySql": False}}),
    "external": ("POST", f"/datasets/{NAME}/tables", "Table",
                 {"tableReference": TABLE, "externalDataConfiguration": EXTERNAL}),
    "table patch": ("PATCH", f"/datasets/{NAME}/tables/kept", "Table",
                    {"schema": {"fields": FIELDS}, "labels": {"a": None}, "expirationTime": "4102444800000"}),
    "table put": ("PUT", f"/datasets/{NAME}/tables/kept", "Table", {"tableReference": KEPT, **PARTS}),
    "insertAll": (
        "POST", f"/datasets/{NAME}/tables/kept/insertAll", "TableDataInsertAllRequest",
        {"rows": [{"insertId": "1", "json": {"id": 1, "n": "1.5", "r": [{"s": "x"}], "d": "2024-01-01"}}],
         "skipInvalidRows": True, "ignoreUnknownValues": False, "templateSuffix": "s"},
    ),
    "routine": (
        "POST", f"/datasets/{NAME}/routines", "Routine",
        {"routineReference": {"projectId": PROJECT, "datasetId": NAME, "routineId": "made"},
         "routineType": "SCALAR_FUNCTION", "language": "SQL", "definitionBody": "x + 1",
         "arguments": [{"name": "x", "dataType": {"typeKind": "INT64"}}], "returnType": {"typeKind": "INT64"}},
    ),
    "query": ("POST", "/queries", "QueryRequest", {**QUERY, "timeoutMs": 1000, "maxResults": 5, "requestId": "",
                                                    "formatOptions": {"useInt64Timestamp": True}}),
    "query job": ("POST", "/jobs", "Job", {"configuration": {"query": {
        **QUERY, "destinationTable": TABLE, "writeDisposition": "WRITE_TRUNCATE", "tableDefinitions": {"e": EXTERNAL},
        "schemaUpdateOptions": [], "priority": "BATCH"}, "jobTimeoutMs": "10000", "labels": {"a": "b"}}}),
    "load job": ("POST", "/jobs", "Job", {"configuration": {"load": {
        **LOAD, **PARTS, "writeDisposition": "WRITE_EMPTY"}},
                                          "jobReference": {"location": "US"}}),
    "copy job": ("POST", "/jobs", "Job", {"configuration": {"copy": {
        "sourceTables": [KEPT], "destinationTable": TABLE, "operationType": "COPY", "createDisposition": "CREATE_NEVER",
        "destinationExpirationTime": "2030-01-01T00:00:00Z"}}}),
    "extract job": ("POST", "/jobs", "Job", {"configuration": {"extract": {
        "sourceTable": KEPT, "destinationUris": ["gs://lake/odd-out/*"], "destinationFormat": "CSV",
        "compression": "GZIP", "fieldDelimiter": ",", "printHeader": False}}}),
}  # fmt: skip
GETS = (
    f"/datasets/{NAME}/tables/kept/data", f"/datasets/{NAME}/tables", "/datasets", "/jobs",
    f"/datasets/{NAME}/routines",
    "/queries/none",
)  # fmt: skip
PARAMETERS = ("maxResults", "startIndex", "pageToken", "selectedFields", "filter", "stateFilter", "minCreationTime",
              "maxCreationTime", "projection", "timeoutMs", "all", "parentJobId",
              "formatOptions.useInt64Timestamp")  # fmt: skip

Path = tuple[str | int, ...]


@pytest.fixture(scope="module", autouse=True)
def odd(client: bigquery.Client, bucket: Bucket) -> Iterator[None]:
    """A dataset for odd requests, with a table in it and files beside it."""
    client.create_dataset(NAME)
    client.create_table(
        bigquery.Table(f"{PROJECT}.{NAME}.kept", [bigquery.SchemaField.from_api_repr(f) for f in FIELDS])
    )
    bucket.put("odd/d=2024-01-01/a.csv", b"id,n\n1,2.5\n")
    yield
    client.delete_dataset(NAME, delete_contents=True)


def paths(value: Any, so_far: Path = ()) -> Iterator[Path]:
    """The place of every value in a body."""
    yield so_far
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from paths(item, (*so_far, key))


def put(value: Any, path: Path, odd: Any) -> Any:
    """The body with another value at a place."""
    if not path:
        return odd
    key, *rest = path
    if isinstance(value, list):
        return [put(item, tuple(rest), odd) if index == key else item for index, item in enumerate(value)]
    members = value if isinstance(value, dict) else {}
    return members | {key: put(members.get(key), tuple(rest), odd)}


def kind_at(message: str, path: Path) -> str | None:
    """The message that stands at a place of a body."""
    kind = message
    for key in path:
        if isinstance(key, int) or kind[0] == "{":
            kind = kind[1:-1] if kind[0] in "[{" else kind
        elif isinstance(MESSAGES.get(kind), dict):
            kind = MESSAGES[kind].get(key, "any")
        else:
            return None
    return kind if isinstance(MESSAGES.get(kind), dict) else None


def typed(kind: str) -> st.SearchStrategy[Any]:
    """Values that a member may have by its type, and makes no sense with."""
    if kind[0] == "[":
        return st.lists(typed(kind[1:-1]), max_size=2)
    if kind[0] == "{":
        return st.dictionaries(st.sampled_from(["", "a", "É\u0000"]), typed(kind[1:-1]), max_size=2)
    if isinstance(MESSAGES.get(kind), dict):
        return st.just({})
    scalars: dict[str, list[Any]] = {
        "string": ["", "x", "a b", "0", "é\u0000'`\"", "CSV", "INT64", "p:d.t$20240101", "gs://lake/*", "SELECT 1"],
        "boolean": [True, False],
        "integer": [0, -1, 1, 2**31],
        "int64": ["0", "-1", "9223372036854775808", 1],
        "number": [0, -1.5, 1e300],
    }
    return st.sampled_from(scalars.get(kind, list(ODD)))


@st.composite
def odd_body(draw: st.DrawFn, message: str, body: dict[str, Any]) -> Any:
    """A body with one or two values that do not belong there."""
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(paths(body))))
        kind = kind_at(message, path)
        if kind is not None and draw(st.booleans()):
            member = draw(st.sampled_from(sorted(MESSAGES[kind])))
            body = put(body, (*path, member), draw(typed(MESSAGES[kind][member])))
        elif path:
            body = put(body, path, draw(st.sampled_from(ODD)))
    return body


def told(emulator: Emulator, method: str, path: str, **given: Any) -> Any:
    """The answer's JSON, which must be as Google's are."""
    url = f"{emulator.url}/bigquery/v2/projects/{PROJECT}{path}"
    answer = requests.request(method, url, timeout=SECONDS, **given)
    assert "The emulator failed" not in answer.text, answer.text
    assert answer.status_code < 500 or answer.status_code == 501, answer.text
    body = answer.json() if answer.content else {}
    if answer.status_code >= 400:
        assert body["error"]["message"]
        assert body["error"]["errors"][0]["reason"]
    return body


def wait(emulator: Emulator, job: Any) -> None:
    """Until the job is over, and say that it was no failure of the emulator's."""
    reference = job.get("jobReference")
    if reference and reference.get("jobId"):
        told(emulator, "POST", f"/jobs/{reference['jobId']}/cancel")
        told(emulator, "GET", f"/queries/{reference['jobId']}", params={"timeoutMs": "10000"})
        told(emulator, "GET", f"/jobs/{reference['jobId']}")


@pytest.mark.parametrize("kind", REQUESTS)
@settings(max_examples=25, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_odd_bodies_are_refused_or_served(emulator: Emulator, kind: str, data: st.DataObject) -> None:
    method, path, message, body = REQUESTS[kind]
    answer = told(emulator, method, path, json=data.draw(odd_body(message, body)))
    wait(emulator, answer)
    if method == "POST":
        told(emulator, "DELETE", f"{path}/made")
    assert requests.get(f"{emulator.url}/healthz", timeout=SECONDS).ok


@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    path=st.sampled_from(GETS),
    query=st.dictionaries(
        st.sampled_from(PARAMETERS),
        st.sampled_from(
            ["", "0", "-1", "1", "x", "9" * 30, "id", "id,nope", "r.s", "labels.a:b", "true", "é\u0000", "YXQ6LTU="]
        ),
        max_size=3,
    ),
)
def test_odd_query_strings_are_refused_or_served(emulator: Emulator, path: str, query: dict[str, str]) -> None:
    told(emulator, "GET", path, params=query)


@pytest.mark.parametrize(
    "raw",
    [b"{", b"[]", b"nope", b"\xff\xfe", b'{"a": NaN}',
     b"[" * 100_000, b'{"a":' * 100_000, b'{"labels": {"a": "\\ud800"}}',
     b'{"labels": {"\\ud800": "a"}}', b"1" * 5000, b'{"datasetReference": {"datasetId": "\\u0000"}}', b'"\xc3"'],
)  # fmt: skip
@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_what_is_no_json_object_is_a_parse_error(emulator: Emulator, raw: bytes, encoding: str) -> None:
    head = {"Content-Encoding": encoding, "Content-Type": "application/json"}
    assert told(emulator, "POST", "/datasets", data=raw, headers=head)["error"]["code"] == 400


@pytest.mark.parametrize(
    "name", ["%00", "é", "a b", "..", "%2e%2e%2f", "'", '"', "`", "a" * 2000, "%ff", "a$b", "$", "a$20240101"]
)
@pytest.mark.parametrize("path", [
    "/datasets/{}", "/datasets/{}/tables", "/datasets/odd/tables/{}", "/jobs/{}", "/queries/{}",
                                  "/datasets/odd/tables/{}/data", "/datasets/odd/routines/{}"])  # fmt: skip
def test_odd_names_in_the_path(emulator: Emulator, path: str, name: str) -> None:
    told(emulator, "GET", path.format(name))
    if path.count("/") % 2 == 0:
        told(emulator, "DELETE", path.format(name))
    if path.startswith("/datasets/odd/tables") and not path.endswith("data"):
        told(emulator, "PATCH", path.format(name), json={"description": "d"})
        told(emulator, "POST", path.format(name) + "/insertAll", json={"rows": [{"json": {"id": 1}}]})


@pytest.mark.parametrize("kind", ["", "media", "multipart", "resumable"])
@pytest.mark.parametrize(
    "raw", [b"", b"x", b"--b\r\n\r\n{}\r\n--b\r\n\r\nx\r\n--b--", b"--b\r\n\r\n{]\r\n--b\r\n\r\nx\r\n--b--"]
)
@pytest.mark.parametrize("content", ["multipart/related; boundary=b", "multipart/related", "text/plain", "é"])
def test_odd_uploads(emulator: Emulator, kind: str, raw: bytes, content: str) -> None:
    url = f"{emulator.url}/upload/bigquery/v2/projects/{PROJECT}/jobs"
    head = {"Content-Type": content.encode("utf-8")}
    answer = requests.post(url, params={"uploadType": kind}, data=raw, headers=head, timeout=SECONDS)
    assert "The emulator failed" not in answer.text, answer.text
    if "Location" in answer.headers:
        pieces = (
            {},
            {"Content-Range": "bytes 5-1/9"},
            {"Content-Range": "bytes 7-9/*"},
            {"Content-Range": uuid.uuid4().hex},
        )
        for piece in pieces:
            sent = requests.put(answer.headers["Location"], data=b"abc", headers=piece, timeout=SECONDS)
            assert "The emulator failed" not in sent.text, sent.text


def test_messages_and_methods_are_those_of_googles_document() -> None:
    specification = importlib.util.spec_from_file_location("update_messages", UPDATE)
    assert specification is not None
    assert specification.loader is not None
    update = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(update)
    assert update.reduced(update.document()) == MESSAGES, f"Run {UPDATE}"
    methods = resources.files("tarn_bigquery.rest").joinpath("methods.json").read_text(encoding="utf-8")
    assert update.methods(update.document()) == json.loads(methods), f"Run {UPDATE}"
