"""How publishers' APIs say no: by status, in a body that says 200, or by a page that is no JSON at all.

CoinGecko has errors in three shapes, ``{"error": ...}``, ``{"status": 500, "error": ...}`` and
``{"status": {"error_code": 429, "error_message": ...}}``; Blockchair puts ``code`` and ``error`` into ``context``, and
has codes of its own for a client that asks too often; Socrata says ``{"error": true, "message": ...}``.
"""

from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

LIMITS = frozenset({402, 429, 430, 434, 435})
"""Too many requests: for now, for today, or by a client that went on asking."""

_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<")


@dataclass(frozen=True)
class Complaint:
    """An error that an API tells in the body of its answer."""

    message: str
    code: int | None = None


def complaint_in(data: Any) -> Complaint | None:
    """The error that an answer tells; None where it tells none."""
    if not isinstance(data, dict):
        return None
    status, context = data.get("status"), data.get("context")
    if isinstance(status, dict) and _code(status.get("error_code")):
        return Complaint(_text(status.get("error_message")), _code(status["error_code"]))
    if isinstance(context, dict) and context.get("error"):
        return Complaint(_text(context["error"]), _code(context.get("code")))
    if data.get("error"):
        word = data["error"] if isinstance(data["error"], str) else data.get("message")
        return Complaint(_text(word), _code(status) or _code(data.get("code")))
    return None


def is_markup(body: bytes) -> bool:
    """Whether a body is a web page."""
    return body.lstrip(b"\xef\xbb\xbf \t\r\n").lower().startswith(_MARKUP)


def is_limit(code: int | None) -> bool:
    """Whether a status or an error's code says that we asked too often."""
    return code in LIMITS


def may_pass(code: int | None) -> bool:
    """Whether it may be gone at the next try."""
    passing = {HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_EARLY}
    return is_limit(code) or code in passing or (code is not None and code >= HTTPStatus.INTERNAL_SERVER_ERROR)


def _code(value: Any) -> int | None:
    text = str(value)
    return int(text) or None if text.isdecimal() else None


def _text(value: Any) -> str:
    return " ".join(str(value or "without a word why").split())
