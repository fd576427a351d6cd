"""Cloud Storage for the steps: gcloud-aio-storage, and what that client lacks for a lake."""

import asyncio
import contextlib
import io
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import google_crc32c
from aiohttp import ClientConnectionError, ClientError, ClientResponseError
from gcloud.aio.storage import Storage
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random_exponential

from tarn.checksum import CHUNK_BYTES, encode_crc32c
from tarn.receipt import Artifact
from tarn.settings import Settings

NO_OBJECT = 0
"""The generation that stands for "there must be no such object yet"."""

ATTEMPTS = 5
TOGETHER = 8
LONGEST_WAIT_SECONDS = 8
GOOGLE = "https://storage.googleapis.com"
SLOWEST_BYTES_PER_SECOND = 256 * 1024
CONTENT_TYPE = "application/vnd.apache.parquet"

STORAGE_ERRORS = (ClientError, TimeoutError)
"""What the calls of this module raise where the server refuses, or stays away."""

PASSING = frozenset({HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS})
SESSION_OVER = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})

P = ParamSpec("P")
T = TypeVar("T")


class BucketMissing(Exception):
    """There is no such bucket."""


class LostRace(Exception):
    """The object is no longer of the generation that was seen: someone else has replaced or removed it."""


@dataclass(frozen=True)
class RemoteObject:
    """An object as the bucket describes it; some servers give no crc32c."""

    name: str
    generation: int
    bytes: int
    crc32c: str | None

    @classmethod
    def of(cls, resource: dict[str, Any]) -> "RemoteObject":
        """Read a Cloud Storage object resource."""
        return cls(resource["name"], int(resource["generation"]), int(resource["size"]), resource.get("crc32c"))


class Bucket:
    """One bucket. Every call repeats a passing failure (429, 5xx, a lost connection) and raises STORAGE_ERRORS."""

    def __init__(self, client: "_Client", name: str) -> None:
        self._client = client
        self._name = name

    async def create(self, project: str, location: str, labels: Mapping[str, str] | None = None) -> None:
        """Create the bucket, with uniform access; one that someone else has just created will do."""
        body = {
            "name": self._name,
            "location": location,
            "labels": dict(labels or {}),
            "iamConfiguration": {"uniformBucketLevelAccess": {"enabled": True}},
        }
        try:
            await _patiently(self._client.create_bucket, project, body)
        except ClientResponseError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise

    async def find(self, prefix: str) -> dict[str, RemoteObject]:
        """The objects whose names begin with ``prefix``, by name; raises BucketMissing."""
        try:
            return {found.name: found async for found in self._pages(prefix)}
        except ClientResponseError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                raise BucketMissing(self._name) from error
            raise

    async def describe(self, name: str) -> RemoteObject:
        """One object."""
        return RemoteObject.of(await _patiently(self._client.download_metadata, self._name, name))

    async def put(self, name: str, file: Artifact, replaces: int, report: Callable[[int], None]) -> RemoteObject:
        """Send a file in the place of generation ``replaces``; ``report`` gets the bytes sent so far.

        Memory does not grow with the file. The server is told the crc32c, and refuses other bytes with 400. Raises
        LostRace where the object is no longer of that generation.
        """

        async def attempt() -> dict[str, Any]:
            with _ReportingFile(Path(file.uri), report) as content:
                return await self._client.upload(
                    self._name,
                    name,
                    content,
                    content_type=CONTENT_TYPE,
                    parameters={"ifGenerationMatch": str(replaces)},
                    metadata={"crc32c": file.crc32c},
                    force_resumable_upload=True,
                    timeout=_patience(file.bytes),
                )

        with _losing_races(name):
            return RemoteObject.of(await _patiently(attempt))

    async def read_crc32c(self, found: RemoteObject) -> str:
        """The crc32c of an object's bytes, by reading them back."""
        return await _patiently(self._read, found, lambda _chunk: None)

    async def fetch(self, found: RemoteObject, path: Path) -> str:
        """Write an object's bytes to a file, whose folder is there; gives their crc32c."""

        async def attempt() -> str:
            with path.open("wb") as file:
                return await self._read(found, file.write)

        return await _patiently(attempt)

    async def _read(self, found: RemoteObject, take: Callable[[bytes], object]) -> str:
        value = 0
        answer = await self._client.download_stream(self._name, found.name, timeout=_patience(found.bytes))
        async with answer as response:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                take(chunk)
                value = google_crc32c.extend(value, chunk)
        return encode_crc32c(value)

    async def remove(self, found: RemoteObject) -> None:
        """Remove an object as it was found; one that is already gone will do. Raises LostRace for a newer one."""
        condition = {"ifGenerationMatch": str(found.generation)}
        try:
            with _losing_races(found.name):
                await _patiently(self._client.delete, self._name, found.name, params=condition)
        except ClientResponseError as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    async def _pages(self, prefix: str) -> AsyncIterator[RemoteObject]:
        parameters = {"prefix": prefix}
        while True:
            page = await _patiently(self._client.list_objects, self._name, params=parameters)
            for resource in page.get("items", []):
                yield RemoteObject.of(resource)
            if not page.get("nextPageToken"):
                return
            parameters["pageToken"] = page["nextPageToken"]


@contextlib.asynccontextmanager
async def open_bucket(settings: Settings) -> AsyncIterator[Bucket]:
    """The lake's bucket: with no credentials on a local server, else with the key file or the default credentials."""
    if settings.gcs_url:
        client = _Client(service_file=io.StringIO("{}"), api_root=settings.gcs_url)
    else:
        # Named, so that a STORAGE_EMULATOR_HOST left in the environment leads nowhere else.
        key_file = str(settings.key_file) if settings.key_file else None
        client = _Client(service_file=key_file, api_root=GOOGLE, api_is_dev=False)
    async with client:
        yield Bucket(client, settings.bucket)


async def in_turns(calls: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Await many calls, a few at a time."""
    turn = asyncio.Semaphore(TOGETHER)

    async def in_turn(call: Coroutine[Any, Any, None]) -> None:
        async with turn:
            await call

    await asyncio.gather(*map(in_turn, calls))


def explain(error: ClientError | TimeoutError, settings: Settings) -> str:
    """What a failed call means, and what to do next."""
    where = settings.gcs_url or "Cloud Storage"
    match error:
        case ClientResponseError(status=HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN):
            advice = "The account needs roles/storage.objectUser on the bucket, and a key or default credentials."
            return f"{where} refuses access to gs://{settings.bucket}: {_reason(error)}. {advice}"
        case ClientConnectionError() if settings.gcs_url:
            return f"{where} does not answer ({error}): start the local cloud with `tarn up`."
        case ClientResponseError():
            return f"{where} answered {error.status}: {_reason(error)}."
        case _:
            return f"{where} does not answer ({error or 'timeout'}): try again later."


class _Client(Storage):
    """The client, with the call that it lacks."""

    async def create_bucket(self, project: str, resource: dict[str, Any]) -> None:
        headers = await self._headers() | {"Content-Type": "application/json"}
        body = json.dumps(resource)
        await self.session.post(self._api_root_read, data=body, headers=headers, params={"project": project})

    async def _do_upload(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        # The client's own second try asks the session for its status, sends the whole file along and takes the
        # answer 308 for success. A new session is right, and that is what the caller's retry opens.
        try:
            result: dict[str, Any] = await super()._do_upload(*args, **kwargs | {"retries": 1})
        except ClientResponseError as error:
            if error.status in SESSION_OVER:
                raise _SessionLost from error
            raise
        return result


class _SessionLost(ClientError):
    """The server knows the upload's session no more: it is finished, its answer lost, or has expired."""


class _ReportingFile(io.FileIO):
    """A file that tells how far it has been read."""

    def __init__(self, path: Path, report: Callable[[int], None]) -> None:
        super().__init__(path)
        self._report = report

    def read(self, size: int | None = -1) -> bytes:
        chunk = super().read(size)
        self._report(self.tell())
        return chunk or b""


@contextlib.contextmanager
def _losing_races(name: str) -> Iterator[None]:
    try:
        yield
    except ClientResponseError as error:
        if error.status == HTTPStatus.PRECONDITION_FAILED:
            raise LostRace(name) from error
        raise


def _patience(size: int) -> int:
    """Seconds that moving so many bytes may take."""
    return 60 + size // SLOWEST_BYTES_PER_SECOND


async def _patiently(call: Callable[P, Awaitable[T]], *arguments: P.args, **options: P.kwargs) -> T:
    attempts = AsyncRetrying(
        retry=retry_if_exception(_passes),
        stop=stop_after_attempt(ATTEMPTS),
        wait=wait_random_exponential(multiplier=0.5, max=LONGEST_WAIT_SECONDS),
        reraise=True,
    )
    return await attempts(call, *arguments, **options)


def _passes(error: BaseException) -> bool:
    if isinstance(error, ClientResponseError):
        return error.status in PASSING or error.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return isinstance(error, ClientConnectionError | TimeoutError | _SessionLost)


def _reason(error: ClientResponseError) -> str:
    text = " ".join(error.message.split())
    return text if len(text) <= 300 else f"{text[:300]}..."
