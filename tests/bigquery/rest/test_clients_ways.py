"""What is read before any call, many calls in one request, and requests that say their method in a header."""

from typing import Any

import pytest
from googleapiclient.discovery import build
from httplib2 import Http

from .conftest import Api
from .test_methods import METHODS

MIXED = {"Content-Type": "multipart/mixed; boundary=b"}


def service(api: Api) -> Any:
    """Google's client for every API, which asks the emulator what it can do."""
    address = api.url + "/discovery/v1/apis/{api}/{apiVersion}/rest"
    return build("bigquery", "v2", discoveryServiceUrl=address, static_discovery=False, http=Http())


@pytest.mark.feature("REST", "the discovery document, for google-api-python-client and bq")
@pytest.mark.parametrize("path", ["/discovery/v1/apis/bigquery/v2/rest", "/$discovery/rest?version=v2"])
def test_the_discovery_document_has_all_methods(api: Api, path: str) -> None:
    document = api.call("GET", path)
    assert (document["rootUrl"], document["servicePath"]) == (f"{api.url}/", "bigquery/v2/")
    found = {
        method["id"].removeprefix("bigquery."): (method["httpMethod"], method["flatPath"])
        for resource in document["resources"].values()
        for method in resource["methods"].values()
    }
    assert found == METHODS
    assert api.refused("GET", path.replace("v2", "v1"))["code"] == 404


def test_calls_of_a_client_made_of_the_document(api: Api, home: str) -> None:
    client, name = service(api), home.partition("/")[2]
    body = {"tableReference": {"projectId": "lake", "datasetId": name, "tableId": "t"}}
    client.tables().insert(projectId="lake", datasetId=name, body=body).execute()
    listed = client.tables().list(projectId="lake", datasetId=name, fields="tables/id").execute()
    assert listed == {"tables": [{"id": f"lake:{name}.t"}]}
    rows = client.jobs().query(projectId="lake", body={"query": "SELECT 1 AS x", "useLegacySql": False}).execute()
    assert rows["rows"] == [{"f": [{"v": "1"}]}]


@pytest.mark.feature("REST", "batch requests")
def test_calls_in_a_batch(api: Api, home: str) -> None:
    client, name = service(api), home.partition("/")[2]
    answers: dict[str, tuple[Any, Any]] = {}

    def note(request_id: str, answer: Any, error: Any) -> None:
        answers[request_id] = (answer, error)

    batch = client.new_batch_http_request(callback=note)
    body = {"tableReference": {"projectId": "lake", "datasetId": name, "tableId": "t"}, "description": "é"}
    batch.add(client.tables().insert(projectId="lake", datasetId=name, body=body), request_id="made")
    batch.add(client.tables().get(projectId="lake", datasetId=name, tableId="t"), request_id="got")
    batch.add(client.tables().get(projectId="lake", datasetId=name, tableId="none"), request_id="lost")
    batch.add(client.tables().delete(projectId="lake", datasetId=name, tableId="t"), request_id="gone")
    batch.execute()
    assert answers["made"][0]["description"] == "é"
    assert answers["got"][0]["etag"] == answers["made"][0]["etag"]
    assert (answers["lost"][0], answers["lost"][1].resp.status) == (None, 404)
    assert answers["gone"] == ("", None)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b"{}", {"Content-Type": "application/json"}),
        (b"", MIXED),
        (b"--b\r\nContent-Type: application/json\r\n\r\n{}\r\n--b--", MIXED),
        (b"--b\r\nContent-Type: application/http\r\n\r\n\r\n--b--", MIXED),
        (b"--b\r\nContent-Type: application/http\r\n\r\nGET\r\n--b--", MIXED),
        (b"--b\r\nContent-Type: application/http\r\n\r\nGET / HTTP/1.1\r\n\r\n" * 1001 + b"--b--", MIXED),
    ],
)
def test_what_is_no_batch(api: Api, body: bytes, headers: dict[str, str]) -> None:
    answer = api.send("POST", "/batch/bigquery/v2", data=body, headers=headers)
    assert (answer.status_code, answer.json()["error"]["errors"][0]["reason"]) == (400, "invalid")


def test_a_call_that_is_none_is_told_in_its_part(api: Api) -> None:
    body = b"--b\r\nContent-Type: application/http\r\nContent-ID: <1>\r\n\r\nGET /nowhere HTTP/1.1\r\n\r\n--b--"
    answer = api.send("POST", "/batch", data=body, headers=MIXED)
    assert answer.status_code == 200
    assert "Content-ID: <response-1>\r\n\r\nHTTP/1.1 404 Not Found\r\n" in answer.text


@pytest.mark.feature("REST", "X-HTTP-Method-Override, as the client for Java sends PATCH")
def test_a_method_in_a_header(api: Api, home: str) -> None:
    head = {"X-HTTP-Method-Override": "PATCH"}
    assert api.send("POST", home, json={"description": "d"}, headers=head).json()["description"] == "d"
    assert api.send("POST", home, json={}, headers={"X-HTTP-Method-Override": "DELETE"}).status_code == 204
    assert api.refused("GET", home)["code"] == 404


def test_a_query_string_in_the_body(api: Api, home: str) -> None:
    head = {"X-HTTP-Method-Override": "GET", "Content-Type": "application/x-www-form-urlencoded"}
    answer = api.send("POST", home, data={"fields": "id", "prettyPrint": "false"}, headers=head)
    assert answer.json() == {"id": f"lake:{home.partition('/')[2]}"}
