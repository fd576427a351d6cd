"""Requests taken apart, the same way for every method of the API."""

import gzip
import json
import logging
import re
import zlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, QueryParams
from starlette.requests import Request
from starlette.responses import Response

from tarn_bigquery.catalog.names import check_project_id
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.errors import ApiError, invalid, unsupported
from tarn_bigquery.rest.answers import Form, error_response
from tarn_bigquery.rest.messages import Body, checked

_log = logging.getLogger("tarn_bigquery.rest")

_REFERENCES = {"projectId": "project", "datasetId": "dataset", "tableId": "table", "routineId": "routine"}
"""Members of references, and the names that paths have for them."""

_FLAGS = {"true": True, "1": True, "false": False, "0": False}
_WHOLE_NUMBER = re.compile(r"\d{1,20}")


@dataclass(frozen=True)
class Call:
    """One call of an API method: the engine, the names in the path, the query string, the decoded body.

    `address` is where the client has found the server.
    """

    engine: Engine
    path: dict[str, str]
    query: QueryParams
    body: Body
    headers: Headers
    address: str

    def integer(self, name: str, default: int | None = None) -> int | None:
        """A whole number of the query string, not below zero. Raises ApiError `invalid` for anything else."""
        text = self.query.get(name)
        if text is None or text == "":
            return default
        if not _WHOLE_NUMBER.fullmatch(text):
            raise invalid(f"Invalid value '{text}' for {name}: a whole number is needed.", name)
        return int(text)

    def reference(self, member: str) -> Body:
        """The body's reference, to a table say. Raises ApiError `invalid` where it is to another than the path's."""
        given = self.body.get(member) or {}
        for name, in_path in _REFERENCES.items():
            wanted = self.path.get(in_path)
            if wanted is not None and given.get(name) not in {None, wanted}:
                raise invalid(
                    f"Value '{given[name]}' in content does not agree with value '{wanted}'. This can happen when a "
                    "value set through a parameter is inconsistent with a value set in the request.",
                    f"{member}.{name}",
                )
        return given

    def flag(self, name: str) -> bool:
        """Whether a parameter is true. Raises ApiError `invalid` for what is neither that nor false."""
        text = self.query.get(name) or "false"
        if text.lower() not in _FLAGS:
            raise invalid(f"Invalid value at '{name}' (TYPE_BOOL), \"{text}\"", name)
        return _FLAGS[text.lower()]

    def words(self, name: str) -> list[str]:
        """The values of a parameter that may come several times, or hold several with commas between them."""
        return [word for text in self.query.getlist(name) for word in text.split(",") if word]

    def choice(self, name: str, choices: Collection[str], default: str) -> str:
        """One of the words that a parameter may be, in capitals. Raises ApiError `invalid` for any other."""
        word = self.query.get(name) or default
        if word.upper() not in choices:
            raise invalid(f"Invalid value at '{name}', \"{word}\": it is one of {', '.join(choices)}.", name)
        return word.upper()


Handler = Callable[[Call], Any]
AsyncHandler = Callable[[Call], Awaitable[Any]]
Endpoint = Callable[[Request], Awaitable[Response]]


def endpoint(handler: Handler, takes: str | None = None) -> Endpoint:
    """An endpoint of a method that may touch the database: it runs in a thread, never in the event loop.

    `takes` is the message that the method has for a body.
    """

    async def run(request: Request) -> Response:
        form, call = Form.wanted(request), await call_of(request, takes=takes)
        return await run_in_threadpool(lambda: form.answer(handler(call)))

    return guarded(run)


def waiting_endpoint(handler: AsyncHandler, takes: str | None = None) -> Endpoint:
    """An endpoint of a method that waits for a job: it holds no thread while it waits.

    A method may give a function that makes its result, which is then called in the thread that writes the answer.
    """

    async def run(request: Request) -> Response:
        form, call = Form.wanted(request), await call_of(request, takes=takes)
        result = await handler(call)
        return await run_in_threadpool(lambda: form.answer(result() if callable(result) else result))

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
    names = path if path is not None else dict(request.path_params)
    if "project" in names:
        check_project_id(names["project"])
    return Call(
        request.app.state.engine,
        names,
        request.query_params,
        body,
        request.headers,
        f"{request.url.scheme}://{request.url.netloc}",
    )


def decode(raw: bytes, encoding: str) -> Body:
    """The JSON object in a request's body; an empty body is an empty object."""
    raw = unzipped(raw, encoding)
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


def unzipped(raw: bytes, encoding: str) -> bytes:
    """A body without its Content-Encoding. Raises ApiError where it does not have that, or a strange one."""
    name = encoding.strip().lower()
    if name in {"", "identity"}:
        return raw
    if name != "gzip":
        raise unsupported(f"bodies in the encoding {name}")
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise invalid("The request body is not valid gzip.") from error


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")
