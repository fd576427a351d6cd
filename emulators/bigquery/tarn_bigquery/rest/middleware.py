"""What happens to every HTTP request before and after its method: paths made even, tokens checked, answers counted."""

import hmac

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tarn_bigquery.errors import bad_credentials, missing_credentials
from tarn_bigquery.metrics import Counter
from tarn_bigquery.rest.answers import error_response

_OPEN_PATHS = {"/healthz"}


class RequireToken:
    """Turns away requests without `Authorization: Bearer TOKEN`, other than the question whether all is well."""

    def __init__(self, app: ASGIApp, token: str) -> None:
        self._app = app
        self._token = token.encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _OPEN_PATHS:
            await self._app(scope, receive, send)
            return
        scheme, _, given = Headers(scope=scope).get("authorization", "").partition(" ")
        # Compared in constant time: how long a refusal takes must not tell how much of a guess was right.
        if scheme.lower() == "bearer" and hmac.compare_digest(given.strip().encode(), self._token):
            await self._app(scope, receive, send)
            return
        refusal = error_response(bad_credentials() if scheme else missing_credentials())
        refusal.headers["WWW-Authenticate"] = 'Bearer realm="tarn-bigquery"'
        await refusal(scope, receive, send)


class EvenRequests:
    """Brings to one form what clients send in several.

    A path loses slashes too many at its ends: users put one behind an address, and clients one more. A method that
    Java's own HTTP cannot send, PATCH, comes as a POST that names it in a header; so does a GET whose query string is
    too long for an address, which is the body then.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        even = {**scope, "path": "/" + scope["path"].strip("/")}
        meant = Headers(scope=scope).get("x-http-method-override", "").upper()
        if scope["method"] == "POST" and meant:
            even["method"] = meant
            if meant == "GET":
                even["query_string"] = await Request(scope, receive).body()
                receive = _nothing_more
        await self._app(even, receive, send)


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


class CountAnswers:
    """Counts answers by their HTTP status."""

    def __init__(self, app: ASGIApp, counter: Counter) -> None:
        self._app = app
        self._counter = counter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._counter.add(1, str(message["status"]))
            await send(message)

        await self._app(scope, receive, counted)
