"""Faults on demand: what publishers and the networks before them are known to do to a download.

A request meets a fault by its `X-Tarn-Fault` header, by a fault armed for its path (see `control`), or by the
shares that the server was started with, in this order. Only GET requests meet faults.
"""

import asyncio
import datetime as dt
import hashlib
from collections import Counter
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, fields
from email.utils import format_datetime
from enum import StrEnum
from fnmatch import fnmatchcase

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

FAULT_HEADER = "x-tarn-fault"
_REVISION = "tarn.revision"


class Kind(StrEnum):
    """What goes wrong."""

    PAYMENT_REQUIRED = "402"  # an API's way to say that the day's requests are used up
    FORBIDDEN = "403"
    NOT_FOUND = "404"
    TOO_MANY_REQUESTS = "429"
    BLOCKED = "430"  # and so 434 and 435: Blockchair's own codes for a client that goes on asking
    BLOCKED_FOR_LONGER = "434"
    BLOCKED_AS_ROBOT = "435"
    INTERNAL_ERROR = "500"
    BAD_GATEWAY = "502"
    UNAVAILABLE = "503"
    GATEWAY_TIMEOUT = "504"
    CUT = "cut"  # the declared length, then a closed connection before the body's end
    STALL = "stall"  # a pause in the body
    SLOW = "slow"  # the whole body, at so many bytes a second
    WRONG_LENGTH = "wrong-length"  # a shorter length declared, and kept: by HTTP alone the answer is whole
    HTML = "html"  # an error page that says 200, or another status
    EMPTY = "empty"  # 200 and no byte
    EMPTY_OBJECT = "empty-object"  # 200 and {}
    JSON_ERROR = "json-error"  # an API's error in one of three shapes; it says 200, or another status
    LFS_POINTER = "lfs-pointer"  # 200 and Git LFS's stand-in for the file
    CHANGED = "changed"  # from now on the path has another file: other bytes, another ETag


@dataclass(frozen=True)
class Fault:
    """A kind and its particulars; those that a kind has no use for are ignored."""

    kind: Kind
    retry_after: int | None = None  # seconds, of a refusal or a page; None sends no such header
    as_date: int = 0  # 1: Retry-After is told as a date of HTTP, not in seconds
    status: int = 200  # of a page or an API's error
    shape: int = 1  # of an API's error, 1 to 3
    rate: int = 10_000  # bytes a second of a slow body
    after: int | None = None  # bytes of the body before a cut or stall; None means half
    seconds: float = 30.0  # of a stall
    short: int = 100  # bytes that a wrong length lacks

    @classmethod
    def make(cls, kind: object, particulars: Mapping[str, object]) -> "Fault":
        """Raises ValueError, which names the kind or particular that is not known or not a number."""
        if kind not in list(Kind):
            raise ValueError(f"no such fault: {kind!r}; there are {', '.join(Kind)}")
        known = {field.name for field in fields(cls)} - {"kind"}
        if unknown := sorted(set(particulars) - known):
            raise ValueError(f"a fault has no {', '.join(unknown)}; it has {', '.join(sorted(known))}")
        try:
            numbers = {name: float(str(value)) for name, value in particulars.items() if value is not None}
        except ValueError as error:
            raise ValueError(f"{kind}: not a number: {dict(particulars)}") from error
        if any(not 0 <= number < float("inf") for number in numbers.values()):
            raise ValueError(f"{kind}: less than zero or without end: {dict(particulars)}")
        if not 200 <= numbers.get("status", 200) <= 599 or not 1 <= numbers.get("shape", 1) <= len(_JSON_ERRORS):
            raise ValueError(f"{kind}: a status is 200 to 599, a shape 1 to {len(_JSON_ERRORS)}: {dict(particulars)}")
        if not numbers.get("rate", 1) >= 1:
            raise ValueError(f"{kind}: a rate is 1 byte a second or more: {dict(particulars)}")
        seconds = numbers.pop("seconds", cls.seconds)
        return cls(Kind(str(kind)), seconds=seconds, **{name: int(number) for name, number in numbers.items()})

    @classmethod
    def parse(cls, text: str) -> "Fault":
        """Reads `KIND[;name=value]...`. Raises ValueError as `make` does."""
        kind, *rest = (part.strip() for part in text.split(";"))
        pairs = [part.partition("=") for part in rest if part]
        return cls.make(kind, {name.strip(): value.strip() for name, _, value in pairs})


@dataclass
class ArmedFault:
    """A fault that waits for requests of a path."""

    path: str  # a glob
    fault: Fault
    times: int = 1
    skip: int = 0  # requests that go unharmed first


class FaultBoard:
    """Decides which request meets which fault, and remembers which files were replaced."""

    def __init__(self, seed: int, shares: Mapping[Fault, float]) -> None:
        self._seed = seed
        self._shares = shares
        self._requests: Counter[str] = Counter()
        self._revisions: Counter[str] = Counter()
        self.armed: list[ArmedFault] = []

    def clear(self) -> None:
        """Disarms every fault and gives replaced files back."""
        self.armed.clear()
        self._revisions.clear()

    def replace_file(self, path: str) -> None:
        self._revisions[path] += 1

    def revision(self, path: str) -> int:
        return self._revisions[path]

    def choose(self, path: str, asked: str | None) -> Fault | None:
        """The fault of one request. Raises ValueError where `asked`, the request's own header, is not a fault."""
        if asked is not None:
            return Fault.parse(asked)
        return self._armed_for(path) or self._by_share(path)

    def _armed_for(self, path: str) -> Fault | None:
        for armed in self.armed:
            if armed.times and fnmatchcase(path, armed.path):
                if armed.skip:
                    armed.skip -= 1
                    return None
                armed.times -= 1
                return armed.fault
        return None

    def _by_share(self, path: str) -> Fault | None:
        """Drawn from the seed, the path and the path's request count: the order among paths does not matter."""
        self._requests[path] += 1
        name = f"{self._seed} {path} {self._requests[path]}"
        draw = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") / 2**64
        for fault, share in self._shares.items():
            if draw < share:
                return fault
            draw -= share
        return None


def revision_of(request: Request) -> int:
    """How many times the publisher has replaced the file that is asked for."""
    return request.scope[_REVISION]


class FaultGate:
    """Stands before the application and spoils what the board says."""

    def __init__(self, app: ASGIApp, board: FaultBoard, exempt: Container[str]) -> None:
        self._app = app
        self._board = board
        self._exempt = exempt

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in self._exempt:
            await self._app(scope, receive, send)
            return
        try:
            fault = self._fault_of(scope)
        except ValueError as error:
            await PlainTextResponse(f"{FAULT_HEADER}: {error}\n", 400)(scope, receive, send)
            return
        if fault is not None and fault.kind in _ANSWERS:
            await _ANSWERS[fault.kind](fault)(scope, receive, send)
            return
        if fault is not None and fault.kind is Kind.CHANGED:
            self._board.replace_file(scope["path"])
        scope[_REVISION] = self._board.revision(scope["path"])
        if fault is not None and fault.kind in _SENDERS:
            send = _SENDERS[fault.kind](fault, send)
        try:
            await self._app(scope, receive, send)
        except _ConnectionCut:
            # The server closes the connection of an application that returns before its body's end.
            return

    def _fault_of(self, scope: Scope) -> Fault | None:
        if scope["method"] != "GET":
            return None
        return self._board.choose(scope["path"], Headers(scope=scope).get(FAULT_HEADER))


class _ConnectionCut(Exception):
    """Leaves the application in the middle of a body."""


def _refusal(fault: Fault) -> Response:
    return PlainTextResponse("Try again later.\n", int(fault.kind), _retry_after(fault))


def _retry_after(fault: Fault) -> dict[str, str]:
    if fault.retry_after is None:
        return {}
    if not fault.as_date:
        return {"Retry-After": str(fault.retry_after)}
    then = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=fault.retry_after)
    return {"Retry-After": format_datetime(then, usegmt=True)}


def _error_page(fault: Fault) -> Response:
    page = "<!doctype html>\n<title>Error</title>\n<h1>Something went wrong</h1>\n"
    return HTMLResponse(page, fault.status, _retry_after(fault))


def _empty_object(_: Fault) -> Response:
    return JSONResponse({})


# An API that has grown for years has an error of each age.
_JSON_ERRORS: tuple[Mapping[str, object], ...] = (
    {"error": "Something went wrong"},
    {"status": 500, "error": "Internal Server Error"},
    {"status": {"error_code": 429, "error_message": "You've exceeded the Rate Limit."}},
)


def _json_error(fault: Fault) -> Response:
    return JSONResponse(_JSON_ERRORS[fault.shape - 1], fault.status, _retry_after(fault))


def _empty(_: Fault) -> Response:
    return Response(b"", media_type="application/octet-stream")


def _lfs_pointer(_: Fault) -> Response:
    oid = hashlib.sha256(b"").hexdigest()
    return PlainTextResponse(f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize 36700160\n")


_ANSWERS: Mapping[Kind, Callable[[Fault], Response]] = {
    **{kind: _refusal for kind in Kind if kind.isdecimal()},
    Kind.EMPTY_OBJECT: _empty_object,
    Kind.JSON_ERROR: _json_error,
    Kind.HTML: _error_page,
    Kind.EMPTY: _empty,
    Kind.LFS_POINTER: _lfs_pointer,
}


class _BrokenBody:
    """Passes a good answer on up to a point in its body; what happens there is the subclass's."""

    def __init__(self, fault: Fault, send: Send) -> None:
        self._fault = fault
        self._send = send
        self._left: int | None = None  # bytes until the point; None where the answer is not a file

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] in (200, 206):
            headers = MutableHeaders(raw=message["headers"])
            length = int(headers["content-length"])
            self._left = self._point(length)
            headers["content-length"] = str(self._declared(length))
        if message["type"] != "http.response.body" or self._left is None:
            await self._send(message)
        elif len(message["body"]) <= self._left and message.get("more_body"):
            self._left -= len(message["body"])
            await self._send(message)
        else:
            body, point, self._left = message["body"], self._left, None
            await self._at_point(body[:point], {**message, "body": body[point:]})

    def _point(self, length: int) -> int:
        return length // 2 if self._fault.after is None else min(self._fault.after, max(length - 1, 0))

    def _declared(self, length: int) -> int:
        return length

    async def _at_point(self, before: bytes, rest: Message) -> None:
        raise NotImplementedError


class _Cut(_BrokenBody):
    async def _at_point(self, before: bytes, rest: Message) -> None:
        await self._send({"type": "http.response.body", "body": before, "more_body": True})
        raise _ConnectionCut


class _Stall(_BrokenBody):
    async def _at_point(self, before: bytes, rest: Message) -> None:
        await self._send({"type": "http.response.body", "body": before, "more_body": True})
        await asyncio.sleep(self._fault.seconds)
        await self._send(rest)


class _WrongLength(_BrokenBody):
    def _point(self, length: int) -> int:
        return max(length - self._fault.short, 0)

    def _declared(self, length: int) -> int:
        return self._point(length)

    async def _at_point(self, before: bytes, rest: Message) -> None:
        await self._send({"type": "http.response.body", "body": before, "more_body": False})
        raise _ConnectionCut


class _Slow:
    """Passes a good answer on in pieces, a tenth of a second's worth each."""

    def __init__(self, fault: Fault, send: Send) -> None:
        self._piece = max(1, fault.rate // 10)
        self._pause = self._piece / fault.rate
        self._send = send

    async def __call__(self, message: Message) -> None:
        body = message.get("body", b"")
        while len(body) > self._piece:
            piece, body = body[: self._piece], body[self._piece :]
            await self._send({**message, "body": piece, "more_body": True})
            await asyncio.sleep(self._pause)
        await self._send({**message, "body": body} if "body" in message else message)


_SENDERS: Mapping[Kind, Callable[[Fault, Send], Send]] = {
    Kind.CUT: _Cut,
    Kind.STALL: _Stall,
    Kind.SLOW: _Slow,
    Kind.WRONG_LENGTH: _WrongLength,
}
