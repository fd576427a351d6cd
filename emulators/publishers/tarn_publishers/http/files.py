"""Answers for a file on disk: whole, in part, or not at all where the client has it already."""

import datetime as dt
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from email.utils import format_datetime
from pathlib import Path

import anyio
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from tarn_publishers.http.ranges import UnsatisfiableRangeError, parse_range

BLOCK_BYTES = 1 << 18


@dataclass(frozen=True)
class PublishedFile:
    """A file and what its publisher says about it."""

    path: Path
    etag: str  # strong, quotes included
    last_modified: dt.datetime
    media_type: str
    headers: dict[str, str] = field(default_factory=dict)

    def base_headers(self) -> dict[str, str]:
        return {
            "ETag": self.etag,
            "Last-Modified": format_datetime(self.last_modified, usegmt=True),
            "Accept-Ranges": "bytes",
        } | self.headers


def answer(request: Request, file: PublishedFile) -> Response:
    """200 or 206 with the bytes asked for, 304 where If-None-Match knows them, 416 where there are none."""
    headers = file.base_headers()
    if _knows(request.headers.get("if-none-match"), file.etag):
        return Response(status_code=304, headers=headers)
    size = file.path.stat().st_size
    try:
        part = _part_asked_for(request, headers, size)
    except UnsatisfiableRangeError:
        return Response(status_code=416, headers=headers | {"Content-Range": f"bytes */{size}"})
    if part is not None:
        headers["Content-Range"] = f"bytes {part.start}-{part.stop - 1}/{size}"
    status, span = (200, range(size)) if part is None else (206, part)
    headers["Content-Length"] = str(len(span))
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers, media_type=file.media_type)
    return StreamingResponse(_blocks(file.path, span), status, headers, file.media_type)


def _knows(if_none_match: str | None, etag: str) -> bool:
    tags = [tag.strip().removeprefix("W/") for tag in (if_none_match or "").split(",")]
    return "*" in tags or etag in tags


def _part_asked_for(request: Request, headers: dict[str, str], size: int) -> range | None:
    asked = request.headers.get("range")
    if asked is None or request.headers.get("if-range", headers["ETag"]) not in (
        headers["ETag"],
        headers["Last-Modified"],
    ):
        return None
    return parse_range(asked, size)


async def _blocks(path: Path, span: range) -> AsyncIterator[bytes]:
    async with await anyio.open_file(path, "rb") as file:
        await file.seek(span.start)
        for start in range(span.start, span.stop, BLOCK_BYTES):
            yield await file.read(min(BLOCK_BYTES, span.stop - start))
