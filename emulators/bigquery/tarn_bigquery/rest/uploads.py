"""Media upload: a load job and its file, in one request or in pieces.

https://cloud.google.com/bigquery/docs/reference/api-uploads
"""

import email.parser
import email.policy
import re
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.errors import ApiError, invalid, unsupported
from tarn_bigquery.rest.answers import Form
from tarn_bigquery.rest.http import Call, call_of, decode, guarded, unzipped
from tarn_bigquery.rest.jobs import new_job, wait_for
from tarn_bigquery.rest.messages import Body, checked

_CONTENT_RANGE = re.compile(r"bytes (?:(\d+)-(\d+)|\*)/(\d+|\*)")
_ENCODING = re.compile(r"^content-encoding:(.*?)\r?$", re.IGNORECASE | re.MULTILINE)
_FAST_MS = 50
_KEPT = 1_000
_CANCELLED = 499


@dataclass
class Upload:
    """A resumable upload: the body of the job that waits for the file, the file so far, and the job once it is made."""

    project: str
    body: Body
    path: Path
    job: Job | None = None


class Uploads:
    """The resumable uploads that can be gone on with, or asked about, by their ids: the latest thousand."""

    def __init__(self) -> None:
        self._uploads: OrderedDict[str, Upload] = OrderedDict()

    def begin(self, upload: Upload) -> str:
        """Returns the upload's id."""
        self._uploads[upload.path.name] = upload
        if len(self._uploads) > _KEPT:
            self._drop(next(iter(self._uploads)))
        return upload.path.name

    def get(self, upload_id: str) -> Upload:
        if upload_id not in self._uploads:
            raise ApiError("notFound", f"Not found: upload {upload_id}")
        return self._uploads[upload_id]

    def cancel(self, upload_id: str) -> None:
        self.get(upload_id)
        self._drop(upload_id)

    def _drop(self, upload_id: str) -> None:
        upload = self._uploads.pop(upload_id)
        if upload.job is None:
            # Once there is a job, the file is the job's.
            upload.path.unlink(missing_ok=True)


@guarded
async def start(request: Request) -> Response:
    """POST: a whole upload (multipart), or the beginning of a resumable one."""
    kind = request.query_params.get("uploadType", "")
    if kind == "multipart":
        return await _multipart(request)
    if kind == "resumable":
        return await _begin(request)
    if kind == "media":
        raise ApiError("required", "Required parameter is missing: configuration", location="configuration")
    raise unsupported(f"uploads of the type '{kind}': choose multipart or resumable")


@guarded
async def resume(request: Request) -> Response:
    """PUT: the next piece of a resumable upload, or the question how far it is."""
    upload = _upload_of(request)
    if upload.job is not None:
        return await _told(request, upload.job)
    first, total = _range(request.headers.get("content-range"), int(request.headers.get("content-length", "0")))
    size = upload.path.stat().st_size if upload.path.exists() else 0
    if first is not None:
        if first > size:
            raise invalid(f"The upload has {size} bytes: a piece cannot start at {first}.")
        size = await _append(request, upload.path, first)
    if total is None or size < total:
        return Response(status_code=308, headers={"Range": f"bytes=0-{size - 1}"} if size else {})
    upload.job = await _submit(await call_of(request, {"project": upload.project}, upload.body), upload.path)
    return await _told(request, upload.job)


@guarded
async def cancel(request: Request) -> Response:
    """DELETE: the end of a resumable upload before it is whole.

    https://cloud.google.com/storage/docs/performing-resumable-uploads#cancel-upload
    """
    request.app.state.uploads.cancel(request.query_params.get("upload_id", ""))
    return Response(status_code=_CANCELLED)


def _upload_of(request: Request) -> Upload:
    upload: Upload = request.app.state.uploads.get(request.query_params.get("upload_id", ""))
    return upload


async def _begin(request: Request) -> Response:
    engine: Engine = request.app.state.engine
    body = checked(decode(await request.body(), request.headers.get("content-encoding", "")), "Job")
    path = engine.uploads.new_file()
    upload_id = request.app.state.uploads.begin(Upload(request.path_params["project"], body, path))
    location = request.url.include_query_params(uploadType="resumable", upload_id=upload_id)
    return Response(headers={"Location": str(location), "X-GUploader-UploadID": upload_id})


async def _multipart(request: Request) -> Response:
    engine: Engine = request.app.state.engine
    body = unzipped(await request.body(), request.headers.get("content-encoding", ""))
    metadata, media = _parts(request.headers.get("content-type", ""), body)
    path = engine.uploads.new_file()
    await run_in_threadpool(path.write_bytes, media)
    call = await call_of(request, {"project": request.path_params["project"]}, checked(decode(metadata, ""), "Job"))
    return await _told(request, await _submit(call, path))


def _parts(content_type: str, body: bytes) -> tuple[bytes, bytes]:
    """The two parts of a multipart/related body. Only the heads are parsed as text: the media may be anything."""
    message = email.parser.HeaderParser(policy=email.policy.HTTP).parsestr(f"Content-Type: {content_type}\n\n")
    boundary = message.get_param("boundary")
    if message.get_content_maintype() != "multipart" or not isinstance(boundary, str):
        raise invalid("A multipart upload needs the content type multipart/related with a boundary.")
    pieces = (b"\r\n" + body).split(b"\r\n--" + boundary.encode())
    parts = [_unwrapped(piece) for piece in pieces[1:-1]]
    if len(parts) != 2:
        raise invalid(f"A multipart upload has two parts, the job and the file; this one has {len(parts)}.")
    return parts[0], parts[1]


def _unwrapped(piece: bytes) -> bytes:
    """A part without its head: the client for Java zips each part, and says so there."""
    head, _, content = piece.partition(b"\r\n\r\n")
    encoding = _ENCODING.search(head.decode("latin-1") + "\r\n")
    return unzipped(content, encoding[1] if encoding else "")


async def _append(request: Request, path: Path, first: int) -> int:
    """Write the piece at its place. Returns the size of the file so far."""
    encoding = request.headers.get("content-encoding", "")
    path.touch()
    with path.open("r+b") as file:
        file.seek(first)
        if encoding:
            await run_in_threadpool(file.write, unzipped(await request.body(), encoding))
        else:
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


async def _submit(call: Call, path: Path) -> Job:
    job = new_job(call, call.body)
    if job.kind != "load":
        raise invalid("A file can only be sent with a load job.")
    job.upload = path
    call.engine.runner.submit(job)
    await wait_for(job, _FAST_MS)
    return job


async def _told(request: Request, job: Job) -> Response:
    return await run_in_threadpool(Form.wanted(request).answer, job.resource())
