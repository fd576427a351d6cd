"""The embedded object server: gcp-storage-emulator, made safe to keep a lake in.

Run as ``python -m tarn.local.gcs_server --host HOST --port PORT --dir FOLDER``. The package itself overwrites objects
and its index in place, so that a kill tears them; serves one request at a time; ignores generation preconditions and
what a new bucket is asked to be; refuses without the API's error; and answers ``GET /wipe`` by deleting everything.
This module mends these six and leaves the rest of the API to it.
"""

import argparse
import base64
import hashlib
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http import HTTPStatus
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import google_crc32c
from gcp_storage_emulator import server, storage
from gcp_storage_emulator.handlers import buckets, objects

from tarn import durable
from tarn.checksum import encode_crc32c
from tarn.logs import configure_logging
from tarn.settings import LogFormat

INDEX = ".meta"
NO_GENERATION = "0"
CONDITION_NOT_MET = "At least one of the pre-conditions you specified did not hold."

Handler = Callable[[Any, Any, "DurableStorage"], None]


class DurableFiles(storage._FileStore):
    """Files that are whole or absent, whenever the server is killed."""

    def write_bytes(self, rel: str, content: bytes) -> None:
        """Replace a file in one move, flushed to disk."""
        with durable.replacing(self.path(rel)) as temporary:
            temporary.write_bytes(content)

    def path(self, rel: str) -> Path:
        """Where a file of the store lies."""
        return Path(self._disk_path(rel))


class DurableStorage(storage.Storage):
    """Objects that outlive a kill as soon as the client was told that they are there. ``lock`` guards every use."""

    def __init__(self, folder: Path) -> None:
        super().__init__(data_dir=str(folder.resolve()))
        self._store = DurableFiles(use_memory=False, root=folder.resolve() / storage.STORAGE_DIR)
        self.lock = threading.Lock()
        self._settle()

    def create_file(self, bucket: str, name: str, content: bytes, described: dict[str, Any], *session: str) -> None:
        """Keep an object, without the link to its content: that would lead to the address of the day it was sent.

        A composed object's size is a number, which the API has as a text, and an object may lack its content's type.
        """
        described.pop("mediaLink", None)
        if described.get("contentType") is None:
            described.pop("contentType", None)
        if "size" in described:
            described["size"] = str(described["size"])
        super().create_file(bucket, name, content, described, *session)

    def _settle(self) -> None:
        # Every change touches the content first and the index last: only the change that a kill cut short can
        # leave content that is newer than the index, or gone from under it.
        index = self._store.path(INDEX)
        if not index.exists():
            return
        written = index.stat().st_mtime_ns
        for bucket, name, described in list(self._every_object()):
            content = self._store.path(self._object_path(bucket, name))
            if not content.is_file():
                del self.objects[bucket][name]
            elif content.stat().st_mtime_ns >= written:
                self.objects[bucket][name] = _described_anew(described, content.read_bytes())
        self._write_config_to_file()

    def _every_object(self) -> Iterator[tuple[str, str, dict[str, Any]]]:
        for bucket, by_name in self.objects.items():
            for name, described in by_name.items():
                yield bucket, name, described


class RequestHandler(server.RequestHandler):
    """Keeps connections open, and does not hold small answers back."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True


class ObjectServer(ThreadingHTTPServer):
    """The HTTP server; a thread a connection."""

    request_queue_size = 128

    def __init__(self, host: str, port: int, folder: Path) -> None:
        server.HANDLERS = tuple(_routes())
        super().__init__((host, port), partial(RequestHandler, DurableStorage(folder)))


def _routes() -> Iterator[tuple[str, dict[str, Handler]]]:
    for pattern, methods in server.HANDLERS:
        if server._wipe_data in methods.values():
            continue
        if buckets.insert in methods.values():
            methods = methods | {server.POST: _insert_bucket}
        if objects.ls in methods.values():  # some clients post uploads to the listing's address
            methods = methods | {server.POST: objects.insert}
        yield pattern, {method: _guarded(handler) for method, handler in methods.items()}


def _insert_bucket(request: Any, response: Any, kept: DurableStorage) -> None:
    buckets.insert(request, response, kept)
    if response.status is HTTPStatus.OK:
        bucket = buckets._patch_bucket(kept.get_bucket(request.data["name"]), request.data)
        response.json(kept.create_bucket(bucket["name"], bucket))


def _guarded(handler: Handler) -> Handler:
    def handle(request: Any, response: Any, kept: DurableStorage) -> None:
        request.data  # noqa: B018 - reads the body from the network before anyone has to wait for the lock
        with kept.lock:
            if _conditions_hold(request, kept):
                handler(request, response, kept)
                if response.status == HTTPStatus.NOT_FOUND and not response._content:
                    _refuse(response, HTTPStatus.NOT_FOUND, "notFound", _not_found(request, kept))
            else:
                _refuse(response, HTTPStatus.PRECONDITION_FAILED, "conditionNotMet", CONDITION_NOT_MET)

    return handle


def _conditions_hold(request: Any, kept: DurableStorage) -> bool:
    asked = request.query.get("ifGenerationMatch")
    if not asked:
        return True
    bucket, name = _target(request, kept)
    current = kept.objects.get(bucket, {}).get(name)
    return asked == [str(current["generation"]) if current else NO_GENERATION]


def _target(request: Any, kept: DurableStorage) -> tuple[str, str]:
    """Bucket and name of the object that a request is about."""
    names, query = request.params, request.query
    bucket = names.get("dest_bucket_name") or names["bucket_name"]
    if "upload_id" in query:
        return bucket, kept.resumable.get(query["upload_id"][0], {}).get("name", "")
    if "name" in query:
        return bucket, query["name"][0]
    body = request.data if isinstance(request.data, dict) else {}
    return bucket, names.get("dest_object_id") or names.get("object_id") or body.get("meta", body).get("name", "")


def _not_found(request: Any, kept: DurableStorage) -> str:
    bucket, name = _target(request, kept)
    # Word for word as Google's: Airflow's log handler tells a log that is not there yet by these words.
    return f"No such object: {bucket}/{name}" if name else "The specified bucket does not exist."


def _refuse(response: Any, status: HTTPStatus, reason: str, message: str) -> None:
    response.status = status
    detail = {"domain": "global", "reason": reason, "message": message}
    response.json({"error": {"code": status.value, "message": message, "errors": [detail]}})


def _described_anew(described: dict[str, Any], content: bytes) -> dict[str, Any]:
    crc32c = encode_crc32c(google_crc32c.value(content))
    if described["crc32c"] == crc32c:
        return described
    md5 = base64.b64encode(hashlib.md5(content, usedforsecurity=False).digest()).decode("ascii")
    size = str(len(content))
    return described | {"generation": str(time.time_ns()), "size": size, "crc32c": crc32c, "md5Hash": md5, "etag": md5}


def main() -> None:
    """Serve until ended."""
    parser = argparse.ArgumentParser(prog="tarn.local.gcs_server", description="The embedded object server.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=4443)
    parser.add_argument("--dir", type=Path, required=True, help="folder that keeps the objects")
    options = parser.parse_args()
    log_format = LogFormat(os.environ.get("TARN_LOG_FORMAT", LogFormat.TEXT))
    configure_logging(log_format, logging.WARNING, "%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        httpd = ObjectServer(options.host, options.port, options.dir)
    except OSError as error:
        sys.exit(f"The object server cannot serve {options.dir} at {options.host}:{options.port}: {error}.")
    httpd.serve_forever()


if __name__ == "__main__":
    main()
