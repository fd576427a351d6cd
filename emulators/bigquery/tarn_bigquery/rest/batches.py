"""Batches: many calls in one request, each answered in its own part.

https://cloud.google.com/bigquery/docs/batch
"""

import secrets
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesParser, HeaderParser
from email.policy import HTTP
from http import HTTPStatus
from urllib.parse import unquote, urlsplit

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Message as AsgiMessage
from starlette.types import Scope

from tarn_bigquery.errors import invalid
from tarn_bigquery.rest.http import guarded, unzipped

_MOST_CALLS = 1_000
_INHERITED = ("authorization", "accept-encoding", "host", "user-agent")
"""Headers of the batch that hold for each of its calls that has none of its own."""


@dataclass(frozen=True)
class _Part:
    """One call of a batch."""

    content_id: str
    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    def scope(self, batch: Request) -> Scope:
        address = urlsplit(self.target)
        inherited = {name: batch.headers[name] for name in _INHERITED if name in batch.headers}
        headers = inherited | self.headers | {"content-length": str(len(self.body))}
        return {
            **{name: batch.scope[name] for name in ("type", "asgi", "http_version", "server", "client", "scheme")},
            "method": self.method,
            "path": unquote(address.path),
            "raw_path": address.path.encode(),
            "root_path": "",
            "query_string": address.query.encode(),
            "headers": [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()],
        }


@guarded
async def run(request: Request) -> Response:
    """POST: make every call, one after the other, and answer with all answers."""
    body = unzipped(await request.body(), request.headers.get("content-encoding", ""))
    parts = _parts(request.headers.get("content-type", ""), body)
    boundary = f"batch_{secrets.token_hex(12)}"
    answers = [await _answer(part, request) for part in parts]
    text = b"".join(b"--%s\r\n%s\r\n" % (boundary.encode(), answer) for answer in answers)
    return Response(text + b"--%s--\r\n" % boundary.encode(), media_type=f"multipart/mixed; boundary={boundary}")


def _parts(content_type: str, body: bytes) -> list[_Part]:
    """The calls of a batch. Raises ApiError `invalid` where it is none."""
    head = f"Content-Type: {content_type}\r\n\r\n".encode("latin-1", "replace")
    message = BytesParser(policy=HTTP).parsebytes(head + body)
    found = message.get_payload() if message.is_multipart() else None
    if message.get_content_type() != "multipart/mixed" or not isinstance(found, list):
        raise invalid("A batch needs the content type multipart/mixed with a boundary, and has a part for each call.")
    if len(found) > _MOST_CALLS:
        raise invalid(f"The batch has {len(found)} calls, and the limit is {_MOST_CALLS}.")
    return [_part(part) for part in found if isinstance(part, Message)]


def _part(message: Message) -> _Part:
    raw = message.get_payload(decode=True)
    text = raw if isinstance(raw, bytes) else b""
    head, _, body = text.replace(b"\r\n", b"\n").lstrip(b"\n").partition(b"\n\n")
    line, _, headers = head.decode("latin-1").partition("\n")
    words = line.split()
    if message.get_content_type() != "application/http" or len(words) not in {2, 3}:
        raise invalid(
            "A part of the batch is no call: it has the type application/http, and begins with a request line."
        )
    given = {name.lower(): str(value) for name, value in HeaderParser().parsestr(headers).items()}
    return _Part(str(message.get("Content-ID", "")), words[0].upper(), words[1], given, body)


async def _answer(part: _Part, batch: Request) -> bytes:
    """The part that answers a call."""
    sent: list[AsgiMessage] = []

    async def receive() -> AsgiMessage:
        return {"type": "http.request", "body": part.body, "more_body": False}

    async def send(message: AsgiMessage) -> None:
        sent.append(message)

    await batch.app(part.scope(batch), receive, send)
    status = int(sent[0]["status"])
    body = b"".join(message.get("body", b"") for message in sent[1:])
    # Told of an answer without a body too: clients look for the line between the headers and the body.
    given = [(name, value) for name, value in sent[0]["headers"] if name != b"content-length"]
    headers = b"".join(b"%s: %s\r\n" % header for header in [*given, (b"content-length", b"%d" % len(body))])
    reference = f"Content-ID: {_response_id(part.content_id)}\r\n" if part.content_id else ""
    phrase = HTTPStatus(status).phrase if status in set(HTTPStatus) else ""
    head = f"Content-Type: application/http\r\n{reference}\r\nHTTP/1.1 {status} {phrase}\r\n"
    return head.encode("latin-1") + headers + b"\r\n" + body


def _response_id(content_id: str) -> str:
    """`<response-x>` for `<x>`."""
    return f"<response-{content_id.strip().strip('<>')}>"
