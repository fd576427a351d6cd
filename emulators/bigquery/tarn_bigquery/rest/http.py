"""Requests taken apart and answers put together, the same way for every method of the API."""

import gzip
import json
import logging
import zlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.errors import ApiError, invalid
from tarn_bigquery.rest.messages import Body, checked

_log = logging.getLogger("tarn_bigquery.rest")


class JsonText(str):
    """A member of an answer that is JSON already: pages of rows, which are large."""

    __slots__ = ()


@dataclass(frozen=True)
class Call:
    """One call of an API method: the engine, the names in the path, the query string, the decoded body."""

    engine: Engine
    path: dict[str, str]
    query: dict[str, str]
    body: Body
    headers: dict[str, str]
    fields: list[str]

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number of the query string. Raises ApiError `invalid` for anything else."""
        text = self.query.get(name)
        if text is None or text == "":
            return default
        try:
            return int(text)
        except ValueError as error:
            raise invalid(f"Invalid value '{text}' for {name}: a whole number is needed.", name) from error

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in {"true", "1"}


Handler = Callable[[Call], Any]
AsyncHandler = Callable[[Call], Awaitable[Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(handler: Handler, takes: str | None = None) -> Endpoint:
    """An endpoint of a method that may touch the database: it runs in a thread, never in the event loop.

    `takes` is the message that the method has for a body.
    """

    async def run(request: Request) -> Response:
        call = await call_of(request, takes=takes)
        return await run_in_threadpool(lambda: answer(handler(call)))

    return guarded(run)


def waiting_endpoint(handler: AsyncHandler, takes: str | None = None) -> Endpoint:
    """An endpoint of a method that waits for a job: it holds no thread while it waits.

    A method may give a function that makes its result, which is then called in the thread that writes the answer.
    """

    async def run(request: Request) -> Response:
        result = await handler(await call_of(request, takes=takes))
        return await run_in_threadpool(lambda: answer(result() if callable(result) else result))

    return guarded(run)


def guarded(run: Endpoint) -> Endpoint:
    """An endpoint whose every failure is told in the API's error format."""

    async def guard(request: Request) -> Response:
        try:
            return await run(request)
        except ApiError as error:
            return error_response(error)
        except Exception as error:  # noqa: BLE001 - clients retry a 5xx for minutes, so none is ever sent
            _log.exception("%s %s failed unexpectedly", request.method, request.url.path)
            return error_response(ApiError("notImplemented", f"The emulator failed: {type(error).__name__}: {error}"))

    return guard


async def call_of(
    request: Request, path: dict[str, str] | None = None, body: Body | None = None, takes: str | None = None
) -> Call:
    """The call that a request makes. `path` and `body` stand for the request's own where given."""
    if body is None:
        body = decode(await request.body(), request.headers.get("content-encoding", ""))
    if takes is not None:
        body = checked(body, takes, patches=request.method == "PATCH")
    return Call(
        request.app.state.engine,
        path if path is not None else dict(request.path_params),
        dict(request.query_params),
        body,
        dict(request.headers),
        request.query_params.getlist("selectedFields"),
    )


def decode(raw: bytes, encoding: str) -> Body:
    """The JSON object in a request's body; an empty body is an empty object."""
    if encoding.lower() == "gzip":
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error) as error:
            raise invalid("The request body is not valid gzip.") from error
    if not raw:
        return {}
    try:
        body = json.loads(raw, parse_constant=_refuse_constant)
        if b"\\u" in raw:
            # Half of a surrogate pair is JSON, and no text that anything could store.
            json.dumps(body, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise ApiError("parseError", f"Parse Error: {error}", code=400) from error
    if not isinstance(body, dict):
        raise ApiError("parseError", "Parse Error: the body must be a JSON object", code=400)
    return body


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


def answer(result: Any) -> Response:
    if isinstance(result, Response):
        return result
    if result is None:
        return Response(status_code=204)
    written = {name: value for name, value in result.items() if isinstance(value, JsonText)}
    others = {name: value for name, value in result.items() if name not in written}
    text = json.dumps(others, separators=(",", ":"), ensure_ascii=False, default=str)
    if written:
        members = ",".join(f'"{name}":{value}' for name, value in written.items())
        text = f"{text[:-1]},{members}}}"
    return Response(text, media_type="application/json", headers=_etag(result))


def error_response(error: ApiError) -> Response:
    return Response(json.dumps(error.body()), status_code=error.code, media_type="application/json")


def _etag(result: Any) -> dict[str, str]:
    etag = result.get("etag") if isinstance(result, dict) else None
    return {"etag": etag} if etag else {}
