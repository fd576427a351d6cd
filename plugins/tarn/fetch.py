"""Fetch a file over HTTP: resumed where an earlier try was cut off, tried again while there is hope."""

import datetime as dt
import json
import logging
import re
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

import requests
import urllib3

from tarn import durable
from tarn.arrival import Damaged
from tarn.errors import DownloadRefused, PublisherUnavailable
from tarn.progress import Progress, silent
from tarn.retry import RetryPolicy, parse_retry_after

CHUNK_BYTES = 1 << 18
_PASSING = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY, HTTPStatus.TOO_MANY_REQUESTS}
_ABSENT = {HTTPStatus.NOT_FOUND, HTTPStatus.GONE}

log = logging.getLogger(__name__)

Inspection = Callable[[Path], None]


@dataclass(frozen=True)
class Validators:
    """What a server says to tell one version of a file from another (RFC 9110, 8.8)."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def strong(self) -> str | None:
        """The one that proves that bytes are of the same version, for If-Range."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.last_modified

    def as_condition(self) -> dict[str, str]:
        """Headers that ask for the file only if it is another version."""
        pairs = {"If-None-Match": self.etag, "If-Modified-Since": self.last_modified}
        return {name: value for name, value in pairs.items() if value}


class NotThere(Exception):
    """The server says that it has no such file, or that nobody may see it."""

    def __init__(self, status: int) -> None:
        super().__init__(f"HTTP {status}")
        self.status = status


class Unchanged(Exception):
    """The server has the version that the caller knows."""


class _Passing(Exception):
    """A failure that may be gone at the next try; ``wait`` is what the server asked for, in seconds."""

    def __init__(self, reason: str, wait: float | None = None) -> None:
        super().__init__(reason)
        self.wait = wait


class _Forbidden(_Passing):
    """Throttling, or a file that is not there: the live publisher answers both the same."""


class _Broken(_Passing):
    """All bytes came, and they are no whole file."""


class PartFile:
    """A file on its way: its bytes so far, and beside them the address and version that they are of."""

    def __init__(self, path: Path, url: str) -> None:
        self.path = durable.temporary_name(path)
        self._url = url
        self._note = self.path.with_name(f"{self.path.name}.json")

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def validators(self) -> Validators | None:
        """The version that the bytes are of; None where they cannot be added to."""
        try:
            note = json.loads(self._note.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return None
        return Validators(note["etag"], note["last_modified"]) if note["url"] == self._url and self.size else None

    def begin(self, validators: Validators) -> BinaryIO:
        """Open it for a version's first byte; what was there is lost."""
        self.discard()
        durable.write_text(self._note, json.dumps({"url": self._url} | asdict(validators)))
        return self.path.open("wb")

    def discard(self) -> None:
        """Forget the bytes."""
        self.path.unlink(missing_ok=True)
        self._note.unlink(missing_ok=True)

    def publish(self, path: Path) -> None:
        """Give the file its name."""
        durable.commit(self.path, path)
        self._note.unlink(missing_ok=True)


class Fetcher:
    """Fetches files within one session."""

    def __init__(self, session: requests.Session, policy: RetryPolicy, progress: Progress = silent) -> None:
        self._session = session
        self._policy = policy
        self._progress = progress

    def fetch(self, url: str, part: PartFile, known: Validators | None, inspect: Inspection) -> Validators:
        """Make ``part`` whole, and return the version that it is of; ``known`` is a version not to be sent again.

        ``inspect`` looks at the whole file. What it calls Damaged is fetched anew; any other error of its is the
        caller's. Raises Unchanged where the server still has the known version; NotThere; DownloadRefused for an answer
        that trying again would not change; PublisherUnavailable where the tries or the time are used up.
        """
        tries, waited = 0, 0.0
        while True:
            before = part.size
            try:
                version = self._try(url, part, known)
                self._inspect(part, inspect)
                return version
            except _Passing as failure:
                tries = 1 if part.size > before else tries + 1
                waited += self._wait_or_give_up(url, failure, tries, waited)

    def _inspect(self, part: PartFile, inspect: Inspection) -> None:
        try:
            inspect(part.path)
        except Damaged as damage:
            part.discard()
            raise _Broken(f"the file is damaged: {damage}") from damage

    def _wait_or_give_up(self, url: str, failure: _Passing, tries: int, waited: float) -> float:
        wait = self._policy.wait(tries, failure.wait)
        if isinstance(failure, _Forbidden) and tries >= self._policy.few_tries:
            raise NotThere(HTTPStatus.FORBIDDEN)
        if isinstance(failure, _Broken) and tries >= self._policy.few_tries:
            raise DownloadRefused(f"{failure}, {tries} times in a row. Tell the publisher, or try again later.")
        if tries >= self._policy.tries:
            raise PublisherUnavailable(f"{url}: gave up after {tries} tries: {failure}. Try again later.")
        if waited + wait > self._policy.total_wait:
            raise PublisherUnavailable(
                f"{url}: gave up: {failure}; the next try would be in {wait:.0f} s, and {waited:.0f} s of"
                f" {self._policy.total_wait:.0f} s for waiting are used. Try again later."
            )
        log.warning("%s: try %d failed: %s; next in %.1f s", url, tries, failure, wait)
        time.sleep(wait)
        return wait

    def _try(self, url: str, part: PartFile, known: Validators | None) -> Validators:
        headers = {"Accept-Encoding": "identity"} | _resume_headers(part)
        if known and "Range" not in headers:
            headers |= known.as_condition()
        timeout = (self._policy.connect_timeout, self._policy.read_timeout)
        try:
            with self._session.get(url, headers=headers, stream=True, timeout=timeout) as response:
                return self._receive(response, part)
        except (requests.ConnectionError, requests.Timeout, urllib3.exceptions.HTTPError) as error:
            raise _Passing(f"{type(error).__name__}: {error}") from error
        except requests.RequestException as error:
            raise DownloadRefused(f"cannot be fetched: {error}.") from error

    def _receive(self, response: requests.Response, part: PartFile) -> Validators:
        found = Validators(response.headers.get("ETag"), response.headers.get("Last-Modified"))
        match response.status_code:
            case HTTPStatus.OK:
                with part.begin(found) as file:
                    self._stream(response, file, _length(response))
            case HTTPStatus.PARTIAL_CONTENT if _continues(response, part, found):
                with part.path.open("ab") as file:
                    self._stream(response, file, _length(response))
            case HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE if _is_whole(response, part, found):
                pass
            case HTTPStatus.PARTIAL_CONTENT | HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
                part.discard()
                raise _Passing("the server cannot go on where the last try ended")
            case HTTPStatus.NOT_MODIFIED:
                raise Unchanged("the publisher has no other version")
            case _:
                raise _failure(response)
        return found

    def _stream(self, response: requests.Response, file: BinaryIO, length: int | None) -> None:
        start = file.tell()
        total = None if length is None else start + length
        for chunk in response.raw.stream(CHUNK_BYTES, decode_content=False):
            file.write(chunk)
            self._progress(file.tell(), total, "bytes")
        if total is not None and file.tell() != total:
            raise _Passing(f"the body ended after {file.tell():,} of {total:,} bytes")


def _resume_headers(part: PartFile) -> dict[str, str]:
    version = part.validators()
    if version is None or version.strong is None:
        return {}
    return {"Range": f"bytes={part.size}-", "If-Range": version.strong}


def _continues(response: requests.Response, part: PartFile, found: Validators) -> bool:
    starts = re.match(r"bytes (\d+)-", response.headers.get("Content-Range", ""))
    return starts is not None and int(starts[1]) == part.size and found == part.validators()


def _is_whole(response: requests.Response, part: PartFile, found: Validators) -> bool:
    size = re.fullmatch(r"bytes \*/(\d+)", response.headers.get("Content-Range", ""))
    return size is not None and int(size[1]) == part.size and found == part.validators()


def _length(response: requests.Response) -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdigit() else None


def _failure(response: requests.Response) -> Exception:
    status = response.status_code
    reason = f"HTTP {status} {response.reason}"
    wait = parse_retry_after(response.headers.get("Retry-After"), dt.datetime.now(dt.UTC))
    if status == HTTPStatus.FORBIDDEN:
        return _Forbidden(reason, wait)
    if status in _ABSENT:
        return NotThere(status)
    if status in _PASSING or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return _Passing(reason, wait)
    return DownloadRefused(f"the publisher answers {reason}. Is the address still right?")
