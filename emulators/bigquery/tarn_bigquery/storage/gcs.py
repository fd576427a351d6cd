"""The GCS JSON API, as far as tables need it: list, fetch one exact version, and write a whole object.

Source: https://cloud.google.com/storage/docs/json_api/v1/objects
"""

from __future__ import annotations

import base64
import json
import logging
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore
from typing import Any, TypeVar
from urllib.parse import quote, urlsplit

import google.auth
import google_crc32c
import requests
import urllib3
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, RefreshError
from google.auth.transport.requests import AuthorizedSession

from tarn_bigquery.storage.errors import (
    AccessDeniedError,
    NotFoundError,
    ObjectChangedError,
    StorageError,
    UnavailableError,
)

_LOG = logging.getLogger(__name__)
_T = TypeVar("_T")
_SCOPES = ["https://www.googleapis.com/auth/devstorage.read_write"]
_LISTED_FIELDS = "nextPageToken,prefixes,items(name,generation,crc32c,size)"
_TIMEOUT_SECONDS = (5, 60)
_CHUNK_BYTES = 1 << 20
_BYTES = "application/octet-stream"
_ATTEMPTS = 5
_FIRST_DELAY_SECONDS = 0.1
_THIS_MACHINE = frozenset({"127.0.0.1", "::1", "localhost"})
_TRANSIENT_STATUSES = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ObjectVersion:
    """One version of one object: what a listing says of it. `crc32c` is base64, as GCS writes it."""

    bucket: str
    name: str
    generation: str
    crc32c: str
    size: int

    @property
    def uri(self) -> str:
        return f"gs://{self.bucket}/{self.name}"

    @property
    def key(self) -> str:
        """What identifies the content: the same key always means the same bytes."""
        return f"{self.bucket}/{self.name}#{self.generation}#{self.crc32c}"


@dataclass(frozen=True, slots=True)
class Listing:
    """What lies under a prefix: objects and, where a delimiter was given, the folders below it."""

    objects: list[ObjectVersion]
    folders: list[str]


class ObjectStore:
    """A client of one GCS endpoint, safe to share between threads.

    `max_connections` bounds the requests under way: the one-threaded servers that stand in for GCS
    drop connections when more than a handful wait.
    """

    def __init__(self, endpoint: str, credentials: Credentials | None = None, max_connections: int = 4) -> None:
        self.endpoint = endpoint.rstrip("/")
        self.max_connections = max_connections
        self._session = AuthorizedSession(credentials) if credentials else requests.Session()
        # No proxy is on the way to this machine itself, and to look for one in the environment takes a while.
        self._session.trust_env = urlsplit(endpoint).hostname not in _THIS_MACHINE
        adapter = requests.adapters.HTTPAdapter(pool_maxsize=max_connections)
        self._session.mount("http://", adapter)
        self._session.mount("https://", adapter)
        self._slots = BoundedSemaphore(max_connections)

    @classmethod
    def connect(cls, endpoint: str) -> ObjectStore:
        """The store at an endpoint: Google's own takes the default credentials, any other takes none.

        Raises:
            AccessDeniedError: the endpoint is Google's and there are no default credentials.
        """
        host = urlsplit(endpoint).hostname or ""
        if host != "googleapis.com" and not host.endswith(".googleapis.com"):
            return cls(endpoint)
        try:
            credentials, _ = google.auth.default(scopes=_SCOPES)
        except DefaultCredentialsError as missing:
            raise AccessDeniedError(
                f"Access Denied: no Google credentials to read {endpoint} with. Run `gcloud auth "
                "application-default login`, or set GOOGLE_APPLICATION_CREDENTIALS to a key file."
            ) from missing
        return cls(endpoint, credentials, max_connections=16)

    def list_objects(self, bucket: str, prefix: str = "", delimiter: str | None = None) -> Listing:
        """Every object whose name starts with the prefix, in the order of the names.

        With a delimiter, names that hold it after the prefix are folded into `folders`.

        Raises:
            NotFoundError: there is no such bucket.
            AccessDeniedError, UnavailableError: the store refuses, or does not answer.
        """
        objects: dict[str, ObjectVersion] = {}
        folders: dict[str, None] = {}
        for page in self._pages(bucket, prefix, delimiter):
            found = [_object_version(bucket, item) for item in page.get("items", [])]
            objects.update((version.name, version) for version in found)
            folders.update(dict.fromkeys(page.get("prefixes", [])))
        return Listing(sorted(objects.values(), key=lambda version: version.name), sorted(folders))

    def download(self, version: ObjectVersion, target: Path) -> None:
        """Write exactly this version's stored bytes to `target`.

        Raises:
            ObjectChangedError: the object was replaced or removed since it was listed, or what arrived
                does not have the checksum that was listed.
            AccessDeniedError, UnavailableError: the store refuses, or does not answer.
        """
        name = quote(version.name, safe="")
        url = f"{self.endpoint}/download/storage/v1/b/{quote(version.bucket)}/o/{name}"
        params = {"alt": "media", "generation": version.generation}

        def save(response: requests.Response) -> None:
            _write_checked(response, version, target)

        try:
            self._get(url, params, save, what=version.uri)
        except NotFoundError as gone:
            raise ObjectChangedError(
                f"{version.uri} was replaced or removed while the query was about to read it."
            ) from gone

    def upload(self, source: Path, bucket: str, name: str) -> None:
        """Write a file as an object. One of the same name is replaced at once, when all of the new one is there.

        Raises:
            NotFoundError: there is no such bucket.
            ObjectChangedError: what the store holds does not have the checksum of what was sent.
            AccessDeniedError, UnavailableError: the store refuses, or does not answer.
        """
        url = f"{self.endpoint}/upload/storage/v1/b/{quote(bucket)}/o"

        def send() -> requests.Response:
            if source.stat().st_size == 0:
                return self._session.post(url, timeout=_TIMEOUT_SECONDS, **_empty_object(name))
            params = {"uploadType": "media", "name": name}
            with source.open("rb") as file:
                headers = {"Content-Type": _BYTES}
                return self._session.post(url, params=params, data=file, headers=headers, timeout=_TIMEOUT_SECONDS)

        uri = f"gs://{bucket}/{name}"
        stored = self._retried(send, requests.Response.json, f"write {uri}", uri).get("crc32c")
        sent = _checksum(source)
        if stored and stored != sent:
            raise ObjectChangedError(f"{uri} is not what was sent: the store has crc32c {stored}, sent was {sent}.")

    def _pages(self, bucket: str, prefix: str, delimiter: str | None) -> Iterator[dict]:
        url = f"{self.endpoint}/storage/v1/b/{quote(bucket)}/o"
        params = {"prefix": prefix, "fields": _LISTED_FIELDS}
        if delimiter:
            params["delimiter"] = delimiter
        seen_tokens: set[str] = set()
        while True:
            page = self._get(url, params, requests.Response.json, what=f"gs://{bucket}")
            yield page
            token = page.get("nextPageToken")
            # A server that ignores tokens hands out its first page, and the same token, for ever.
            if not token or token in seen_tokens:
                return
            seen_tokens.add(token)
            params["pageToken"] = token

    def _get(self, url: str, params: dict[str, str], consume: Callable[[requests.Response], _T], what: str) -> _T:
        def send() -> requests.Response:
            return self._session.get(
                url,
                params=params,
                stream=True,
                timeout=_TIMEOUT_SECONDS,
                # Stored bytes as they are: GCS would otherwise unzip what it holds zipped.
                headers={"Accept-Encoding": "gzip"},
            )

        return self._retried(send, consume, f"read {what}", what)

    def _retried(
        self, send: Callable[[], requests.Response], consume: Callable[[requests.Response], _T], task: str, what: str
    ) -> _T:
        """Ask and consume the answer, again after a transient failure of either. The task is told where all fail."""
        failure = ""
        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_FIRST_DELAY_SECONDS * 2**attempt * random.uniform(0.5, 1))  # noqa: S311
            try:
                with self._slots, send() as response:
                    if response.status_code not in _TRANSIENT_STATUSES:
                        _raise_for_status(response, task, what)
                        return consume(response)
                    failure = f"it answered {response.status_code} {response.reason}"
            except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
                failure = str(error)
            except RefreshError as error:
                raise AccessDeniedError(f"Access Denied: {what}: {error}") from error
            _LOG.debug("%s, attempt %d of %d: %s", task, attempt + 1, _ATTEMPTS, failure)
        raise UnavailableError(
            f"Cannot {task} at {self.endpoint} after {_ATTEMPTS} attempts: {failure}. "
            "Is the object store running, and is its address right?"
        )


def _empty_object(name: str) -> dict[str, Any]:
    """The request that writes an object without bytes.

    It has two parts, since not every server that stands in for GCS takes a request without a body.
    """
    metadata = json.dumps({"name": name})
    parts = [f"Content-Type: application/json\r\n\r\n{metadata}\r\n", f"Content-Type: {_BYTES}\r\n\r\n\r\n"]
    return {
        "params": {"uploadType": "multipart"},
        "headers": {"Content-Type": "multipart/related; boundary=part"},
        "data": "".join(f"--part\r\n{part}" for part in parts) + "--part--",
    }


def _object_version(bucket: str, item: dict) -> ObjectVersion:
    return ObjectVersion(
        bucket=bucket,
        name=item["name"],
        generation=str(item.get("generation", "")),
        crc32c=item.get("crc32c") or "",
        size=int(item.get("size", 0)),
    )


def _raise_for_status(response: requests.Response, task: str, what: str) -> None:
    if response.status_code < 400:
        return
    if response.status_code == 404:
        raise NotFoundError(f"Not found: URI {what}")
    if response.status_code in (401, 403):
        raise AccessDeniedError(f"Access Denied: {what}: {response.text[:200] or response.reason}")
    raise StorageError(f"Cannot {task}: {response.url} answered {response.status_code} {response.text[:200]}")


def _checksum(path: Path) -> str:
    """The file's crc32c, as GCS writes it."""
    checksum = google_crc32c.Checksum()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            checksum.update(chunk)
    return base64.b64encode(checksum.digest()).decode()


def _write_checked(response: requests.Response, version: ObjectVersion, target: Path) -> None:
    checksum = google_crc32c.Checksum()
    size = 0
    with target.open("wb") as file:
        # The raw stream, since iter_content would undo a stored Content-Encoding.
        for chunk in response.raw.stream(_CHUNK_BYTES, decode_content=False):
            checksum.update(chunk)
            size += len(chunk)
            file.write(chunk)
    arrived = base64.b64encode(checksum.digest()).decode()
    if size != version.size or (version.crc32c and arrived != version.crc32c):
        raise ObjectChangedError(
            f"{version.uri} is not what was listed: {size} bytes with crc32c {arrived} came, "
            f"{version.size} bytes with crc32c {version.crc32c} were expected."
        )
