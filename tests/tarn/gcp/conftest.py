"""A stand-in for what the emulators have not of Google Cloud: accounts, permissions, APIs; and a key for it."""

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tarn.gcp.examination import Endpoints
from tarn.gcp.roles import APIS, ROLES
from tarn.settings import Settings, Target

ACCOUNT = "lake@my-project.iam.gserviceaccount.com"
TOKEN = "the-secret-token"
SECRETS = (TOKEN, "PRIVATE KEY")


@dataclass
class Google:
    """What the stand-in answers; everything is granted until a test takes it away."""

    bigquery: str
    storage: str
    permissions: set[str] = field(default_factory=lambda: {one for role in ROLES for one in role.permissions})
    apis: set[str] = field(default_factory=lambda: set(APIS))
    refuses_token: bool = False
    asked: list[str] = field(default_factory=list)
    url: str = ""

    @property
    def endpoints(self) -> Endpoints:
        """All of Google at the stand-in's address."""
        return Endpoints(self.url, self.url, self.url, self.url)


class _Handler(BaseHTTPRequestHandler):
    google: Google

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
        self.google.asked.append(path)
        if path != "/token" and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._send(401, {"error": {"code": 401, "message": "No token."}})
        elif path == "/token":
            self._token()
        elif path.endswith("services:batchGet"):
            self._services(query["names"])
        elif path.endswith(":testIamPermissions"):
            self._granted(json.loads(content)["permissions"])
        elif path.endswith("/iam/testPermissions"):
            self._granted(query["permissions"])
        elif path.endswith("/jobs") and "bigquery.tables.create" not in self.google.permissions:
            self._denied("bigquery.tables.create")
        else:
            self._pass_on(path, content)

    do_GET = do_POST = _answer  # noqa: N815 - the names that the base class calls

    def _token(self) -> None:
        if self.google.refuses_token:
            self._send(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        else:
            self._send(200, {"access_token": TOKEN, "expires_in": 3600, "token_type": "Bearer"})

    def _services(self, names: list[str]) -> None:
        if "serviceusage.services.get" not in self.google.permissions:
            self._denied("serviceusage.services.get")
            return
        on = {name: name.rpartition("/")[2] in self.google.apis for name in names}
        services = [{"name": name, "state": "ENABLED" if is_on else "DISABLED"} for name, is_on in on.items()]
        self._send(200, {"services": services})

    def _granted(self, asked: list[str]) -> None:
        # Google leaves the member out where nothing is granted.
        held = [one for one in asked if one in self.google.permissions]
        self._send(200, {"permissions": held} if held else {})

    def _denied(self, permission: str) -> None:
        self._send(403, {"error": {"code": 403, "message": f"Permission {permission} denied."}})

    def _pass_on(self, path: str, content: bytes) -> None:
        base = self.google.storage if path.startswith("/storage/") else self.google.bigquery
        answer = requests.request(self.command, base + self.path, data=content, timeout=60)
        self._send(answer.status_code, answer.json())

    def _send(self, status: int, resource: dict[str, Any]) -> None:
        body = json.dumps(resource).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: tests ask what was asked."""


@pytest.fixture
def google(any_gcs: str, bigquery_url: str) -> Iterator[Google]:
    """Google Cloud, with the emulators for its buckets and datasets."""
    google = Google(bigquery_url, any_gcs)
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"google": google}))
    google.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield google
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="session")
def private_key() -> str:
    """The text of a private key."""
    key = rsa.generate_private_key(65537, 2048)
    text = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return text.decode()


@pytest.fixture
def key(private_key: str, google: Google) -> dict[str, str]:
    """A service account's key, whose tokens the stand-in gives."""
    return {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": private_key,
        "client_email": ACCOUNT,
        "token_uri": f"{google.url}/token",
    }


@pytest.fixture
def on_gcp(tmp_path: Path, key: dict[str, str], settings: Settings) -> Settings:
    """A lake on Google Cloud, with a key of its own."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "key.json").write_text(json.dumps(key))
    return Settings(
        target=Target.GCP,
        project="my-project",
        bucket=settings.bucket,
        lake_dataset=settings.lake_dataset,
        marts_dataset=f"marts_{settings.lake_dataset}",
        credentials=folder,
    )
