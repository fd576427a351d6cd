"""Media upload: a load job and its file, in one request or in pieces.

https://cloud.google.com/bigquery/docs/reference/api-uploads
"""

import email.parser
import email.policy
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.errors import ApiError, invalid, unsupported
from tarn_bigquery.rest.answers import Form
from tarn_bigquery.rest.http import Call, call_of, decode, guarded
from tarn_bigquery.rest.jobs import new_job, wait_for
from tarn_bigquery.rest.messages import Body, checked

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_FAST_MS = 50


@dataclass
class Upload:
    """A resumable upload under way: the job that waits for the file, and the file so far."""

    project: str
    job: Body
    path: Path


@guarded
async def start(request: Request) -> Response:
    """POST: a whole upload (multipart), or the beginning of a resumable one."""
    kind = request.query_params.get("uploadType", "")
    if kind == "multipart":
        return await _multipart(request)
    if kind == "resumable":
        return await _begin(request)
    raise unsupported(f"uploads of the type '{kind}': choose multipart or resumable")


@guarded
async def resume(request: Request) -> Response:
    """PUT: the next piece of a resumable upload, or the question how far it is."""
    upload_id = request.query_params.get("upload_id", "")
    upload: Upload | None = request.app.state.uploads.get(upload_id)
    if upload is None:
        raise ApiError("notFound", f"Not found: upload {upload_id}")
    first, total = _range(request.headers.get("content-range"), int(request.headers.get("content-length", "0")))
    size = upload.path.stat().st_size if upload.path.exists() else 0
    if first is not None:
        if first > size:
            raise invalid(f"The upload has {size} bytes: a piece cannot start at {first}.")
        size = await _append(request, upload.path, first)
    if total is None or size < total:
        return Response(status_code=308, headers={"Range": f"bytes=0-{size - 1}"} if size else {})
    del request.app.state.uploads[upload_id]
    return await _submit(request, await call_of(request, {"project": upload.project}, upload.job), upload.path)


async def _begin(request: Request) -> Response:
    engine: Engine = request.app.state.engine
    body = checked(decode(await request.body(), request.headers.get("content-encoding", "")), "Job")
    path = engine.uploads.new_file()
    request.app.state.uploads[path.name] = Upload(request.path_params["project"], body, path)
    location = request.url.include_query_params(uploadType="resumable", upload_id=path.name)
    return Response(headers={"Location": str(location), "X-GUploader-UploadID": path.name})


async def _multipart(request: Request) -> Response:
    engine: Engine = request.app.state.engine
    metadata, media = _parts(request.headers.get("content-type", ""), await request.body())
    path = engine.uploads.new_file()
    await run_in_threadpool(path.write_bytes, media)
    call = await call_of(request, {"project": request.path_params["project"]}, checked(decode(metadata, ""), "Job"))
    return await _submit(request, call, path)


def _parts(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    """The two parts of a multipart/related body. Only the heads are parsed as text: the media may be anything."""
    message = email.parser.HeaderParser(policy=email.policy.HTTP).parsestr(f"Content-Type: {content_type}\n\n")
    boundary = message.get_param("boundary")
    if message.get_content_maintype() != "multipart" or not isinstance(boundary, str):
        raise invalid("A multipart upload needs the content type multipart/related with a boundary.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    parts = [piece.partition(b"\r\n\r\n")[2] for piece in pieces[1:-1]]
    if len(parts) != 2:
        raise invalid(f"A multipart upload has two parts, the job and the file; this one has {len(parts)}.")
    return parts[0], parts[1]


async def _append(request: Request, path: Path, first: int) -> int:
    """Write the piece at its place. Returns the size of the file so far."""
    path.touch()
    with path.open("r+b") as file:
        file.seek(first)
        async for block in request.stream():
            await run_in_threadpool(file.write, block)
        file.truncate()
        return file.tell()


def _range(header: str | None, length: int) -> tuple[int | None, int | None]:
    """First byte of the piece (None for a question) and size of the whole file (None where not yet known)."""
    if header is None:
        return 0, length
    found = _CONTENT_RANGE.fullmatch(header)
    if found is None:
        raise invalid(f"Invalid Content-Range: {header}")
    first, _, total = found.groups()
    return (int(first) if first is not None else None), (int(total) if total != "*" else None)


async def _submit(request: Request, call: Call, path: Path) -> Response:
    job = new_job(call, call.body)
    if job.kind != "load":
        raise invalid("A file can only be sent with a load job.")
    job.upload = path
    call.engine.runner.submit(job)
    await wait_for(job, _FAST_MS)
    resource: dict[str, Any] = job.resource()
    return await run_in_threadpool(Form.wanted(request).answer, resource)
