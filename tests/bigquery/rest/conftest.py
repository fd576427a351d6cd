"""The API as a client meets it that is nobody's library: plain HTTP."""

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import requests

from tests.bigquery.conftest import PROJECT, Emulator

SECONDS = 60


@dataclass(frozen=True)
class Api:
    """The emulator's address, and requests below it."""

    url: str

    def send(self, method: str, path: str, **given: Any) -> requests.Response:
        """The answer to a request. A path that begins with `/` is the server's; any other is the project's."""
        url = f"{self.url}{path}" if path.startswith("/") else f"{self.url}/bigquery/v2/projects/{PROJECT}/{path}"
        answer = requests.request(method, url, timeout=SECONDS, **given)
        assert answer.status_code < 500 or answer.status_code == 501, answer.text
        return answer

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The JSON of the answer to a request that is granted."""
        answer = self.send(method, path, json=body, params=query)
        assert answer.ok, answer.text
        return answer.json() if answer.content else {}

    def refused(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """The error of the answer to a request that is not, which must have the form of Google's."""
        answer = self.send(method, path, json=body, params=query)
        assert not answer.ok, answer.text
        error = answer.json()["error"]
        assert error["code"] == answer.status_code
        assert error["status"]
        assert error["errors"][0].keys() >= {"message", "domain", "reason"}
        assert error["errors"][0]["message"] == error["message"]
        return error

    def rows(self, sql: str) -> list[list[Any]]:
        """The rows of a query, as the API writes them."""
        answer = self.call("POST", "queries", {"query": sql, "useLegacySql": False})
        return [[cell["v"] for cell in row["f"]] for row in answer.get("rows", [])]


@pytest.fixture(scope="session")
def api(emulator: Emulator) -> Api:
    return Api(emulator.url)


@pytest.fixture
def home(api: Api) -> Iterator[str]:
    """The path of a dataset of the test's own, below the project."""
    name = f"r_{uuid.uuid4().hex[:12]}"
    api.call("POST", "datasets", {"datasetReference": {"datasetId": name}})
    yield f"datasets/{name}"
    api.send("DELETE", f"datasets/{name}", params={"deleteContents": "true"})


def make_table(api: Api, home: str, name: str, *fields: dict[str, Any], **members: Any) -> str:
    """Make a table. Returns its path."""
    body = {"tableReference": {"tableId": name}, "schema": {"fields": list(fields)}, **members}
    api.call("POST", f"{home}/tables", body)
    return f"{home}/tables/{name}"


def field(name: str, kind: str, mode: str = "NULLABLE", *fields: dict[str, Any], **members: Any) -> dict[str, Any]:
    return {"name": name, "type": kind, "mode": mode, **({"fields": list(fields)} if fields else {}), **members}
