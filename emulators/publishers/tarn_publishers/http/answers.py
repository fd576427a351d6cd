"""Answers of an API: JSON with a weak entity tag, as the frameworks of most of them send it."""

import hashlib
import json
from typing import Any

from starlette.requests import Request
from starlette.responses import Response


def json_answer(request: Request, body: Any, headers: dict[str, str] | None = None, status: int = 200) -> Response:
    """The body as JSON without blanks; 304 where If-None-Match knows it."""
    content = json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode()
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
    told = {"ETag": tag} | (headers or {})
    if status == 200 and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=told)
    return Response(content, status, told, media_type="application/json")
