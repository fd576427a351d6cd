"""Google's own descriptions of its APIs, and whether a request and its answer keep to them.

The documents ship inside google-api-python-client; their format:
https://developers.google.com/discovery/v1/reference/apis
"""

import base64
import binascii
import datetime as dt
import email
import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from googleapiclient import discovery_cache

from .recorder import Exchange

FOLDER = Path(discovery_cache.__file__).parent / "documents"
UPLOAD_PARAMETERS = {"uploadType", "upload_id"}
"""Of the upload protocol, which the documents leave out: https://cloud.google.com/storage/docs/performing-resumable-uploads"""

RANGE = re.compile(r"bytes (\d+-\d+|\*)/(\d+|\*)")
RESUME_INCOMPLETE = 308
PYTHON_TYPES = {"boolean": (bool,), "integer": (int,), "number": (int, float)}

OF_GOOGLE_S_CLIENT = {("bigquery.jobs.get", "projection")}
"""What Google's own clients send and the documents leave out. Source: google-cloud-bigquery, ``Client.get_job``"""

NUMBERS_TOO = re.compile(r".*\.parameterValue(\.structValues\.\w+|\.arrayValues\[\])*\.value")
"""Texts that Google's client for Python sends as numbers. Source: google-cloud-bigquery, ``_float_to_json``"""

Schema = dict[str, Any]


@dataclass(frozen=True)
class Method:
    """A method of an API; ``upload`` where the body goes another way than the resource's own."""

    id: str
    verb: str
    pattern: re.Pattern[str]
    description: Schema
    upload: bool

    def parameters(self) -> dict[str, Schema]:
        """The parameters that stand in the query."""
        given = self.description.get("parameters", {})
        return {name: one for name, one in given.items() if one["location"] == "query"}


class Api:
    """One API: its methods and its schemas."""

    def __init__(self, name: str) -> None:
        self.document = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))
        self.methods = list(self._methods(self.document))

    def method(self, exchange: Exchange) -> Method | None:
        """The method that a request calls; None where there is none of its verb and path."""
        found = [one for one in self.methods if one.verb == exchange.method and one.pattern.fullmatch(exchange.path)]
        if not found:
            resumed = exchange.method == "PUT" and "upload_id" in dict(exchange.query)
            found = [one for one in self.methods if resumed and one.upload and one.pattern.fullmatch(exchange.path)]
        return found[0] if found else None

    def request_violations(self, exchange: Exchange) -> Iterator[str]:
        """What of a request the API does not know."""
        method = self.method(exchange)
        if method is None:
            yield f"{exchange.method} {exchange.path}: there is no such method"
            return
        for problem in self._query_problems(method, exchange):
            yield f"{method.id}: {problem}"
        for problem in self._body_problems(method, exchange):
            yield f"{method.id}: {problem}"

    def answer_violations(self, exchange: Exchange) -> Iterator[str]:
        """What of an answer Google's own would never have."""
        method = self.method(exchange)
        if method is None:
            return
        problems = self._error_problems if exchange.status >= 400 else self._answer_problems
        for problem in problems(method, exchange):
            yield f"{method.id} answered {exchange.status}: {problem}"

    def _methods(self, node: Schema) -> Iterator[Method]:
        for one in node.get("methods", {}).values():
            yield Method(one["id"], one["httpMethod"], self._pattern(self._base() + one["path"]), one, upload=False)
            if "flatPath" in one:
                pattern = self._pattern(self._base() + one["flatPath"])
                yield Method(one["id"], one["httpMethod"], pattern, one, upload=False)
            if one.get("useMediaDownloadService"):
                pattern = self._pattern(f"/download{self._base()}{one['path']}")
                yield Method(one["id"], one["httpMethod"], pattern, one, upload=False)
            for protocol in one.get("mediaUpload", {}).get("protocols", {}).values():
                yield Method(one["id"], one["httpMethod"], self._pattern(protocol["path"]), one, upload=True)
        for resource in node.get("resources", {}).values():
            yield from self._methods(resource)

    def _base(self) -> str:
        return f"/{self.document['servicePath'].strip('/')}/"

    @staticmethod
    def _pattern(path: str) -> re.Pattern[str]:
        parts = re.split(r"{\+?(\w+)}", path)
        return re.compile("".join("[^/]+" if i % 2 else re.escape(part) for i, part in enumerate(parts)))

    def _query_problems(self, method: Method, exchange: Exchange) -> Iterator[str]:
        known = self.document["parameters"] | method.parameters()
        for name, text in exchange.query:
            if name in known:
                yield from (f"parameter {name}: {problem}" for problem in _text_problems(text, known[name]))
            elif (method.id, name) in OF_GOOGLE_S_CLIENT or (method.upload and name in UPLOAD_PARAMETERS):
                continue
            else:
                yield f"there is no parameter {name}"
        missing = {name for name, one in method.parameters().items() if one.get("required")} - dict(
            exchange.query
        ).keys()
        yield from (f"the parameter {name} is missing" for name in sorted(missing))

    def _body_problems(self, method: Method, exchange: Exchange) -> Iterator[str]:
        if exchange.method == "PUT" and method.upload:
            if "content-range" in exchange.headers and not RANGE.fullmatch(exchange.headers["content-range"]):
                yield f"Content-Range: {exchange.headers['content-range']!r}"
            return
        if dict(exchange.query).get("uploadType") == "media":
            return
        resource = _resource_of(exchange) if exchange.body else None
        reference = method.description.get("request")
        if resource is None:
            return
        if not reference:
            if resource:
                yield "it takes no body"
            return
        if not isinstance(resource, dict):
            yield f"the body is no object of JSON: {exchange.body[:80]!r}"
            return
        yield from self._problems(resource, reference, reference["$ref"], answer=False)

    def _answer_problems(self, method: Method, exchange: Exchange) -> Iterator[str]:
        reference = method.description.get("response")
        if exchange.status == RESUME_INCOMPLETE or "location" in exchange.answer_headers:
            return
        if dict(exchange.query).get("alt") == "media" or exchange.path.startswith("/download/"):
            return
        if not reference:
            if exchange.answer:
                yield f"it should have no body, but has {exchange.answer[:80]!r}"
            return
        resource = _parsed(_unpacked(exchange.answer, exchange.answer_headers))
        if not isinstance(resource, dict):
            yield f"no object of JSON: {exchange.answer[:80]!r}"
            return
        yield from self._problems(resource, reference, reference["$ref"], answer=True)

    def _error_problems(self, _: Method, exchange: Exchange) -> Iterator[str]:
        """What is not of an error's form: https://cloud.google.com/apis/design/errors#http_mapping"""
        body = _parsed(_unpacked(exchange.answer, exchange.answer_headers))
        error = body.get("error") if isinstance(body, dict) else None
        if not isinstance(error, dict):
            yield f"an error without its object: {exchange.answer[:80]!r}"
            return
        if error.get("code") != exchange.status or not error.get("message"):
            yield f"an error whose code or message is not told: {error}"
        for one in error.get("errors") or [{}]:
            if not {"reason", "message", "domain"} <= one.keys():
                yield f"an error without reason, message or domain: {error}"

    def _problems(self, value: Any, schema: Schema, where: str, *, answer: bool) -> Iterator[str]:
        if "$ref" in schema:
            schema = self.document["schemas"][schema["$ref"]]
        if value is None and not answer:
            return  # Google takes a null as absent.
        match schema.get("type"):
            case "object":
                yield from self._object_problems(value, schema, where, answer=answer)
            case "array":
                if not isinstance(value, list):
                    yield f"{where} is no list: {value!r}"
                    return
                for item in value[:100]:
                    yield from self._problems(item, schema["items"], f"{where}[]", answer=answer)
            case "any":
                return
            case _:
                if NUMBERS_TOO.fullmatch(where) and isinstance(value, int | float):
                    return
                problems = _scalar_problems(value, schema, answer=answer)
                yield from (f"{where}: {problem}" for problem in problems)

    def _object_problems(self, value: Any, schema: Schema, where: str, *, answer: bool) -> Iterator[str]:
        if not isinstance(value, dict):
            yield f"{where} is no object: {value!r}"
            return
        known, others = schema.get("properties", {}), schema.get("additionalProperties")
        for name, member in value.items():
            if name in known:
                yield from self._problems(member, known[name], f"{where}.{name}", answer=answer)
            elif others is not None:
                yield from self._problems(member, others, f"{where}.{name}", answer=answer)
            elif known:
                yield f"there is no field {where}.{name}"


@cache
def api(name: str) -> Api:
    """An API by its document's name, such as ``bigquery.v2``."""
    return Api(name)


def _scalar_problems(value: Any, schema: Schema, *, answer: bool) -> Iterator[str]:
    kind, form = schema.get("type"), schema.get("format")
    if kind == "string" and form in {"int64", "uint64"} and not answer and type(value) is int:
        return  # A client may send a number; Google itself always writes a text.
    if isinstance(value, str) and (kind == "string" or not answer):
        yield from _text_problems(value, schema)
    elif type(value) not in PYTHON_TYPES.get(str(kind), ()):
        yield f"{value!r} is no {form or kind}"


def _text_problems(text: str, schema: Schema) -> Iterator[str]:
    kind, form = schema.get("type"), schema.get("format")
    if "enum" in schema and text not in schema["enum"]:
        yield f"{text!r} is none of {', '.join(schema['enum'])}"
    # Google's own clients for Python write a parameter's True as it is.
    if kind == "boolean" and text.lower() not in {"true", "false"}:
        yield f"{text!r} is no boolean"
    if (kind == "integer" or form in {"int64", "uint64"}) and not re.fullmatch(r"-?\d+", text):
        yield f"{text!r} is no whole number"
    if form == "byte" and not _is_base64(text):
        yield f"{text!r} is no base64"
    if form == "date-time" and not _is_time(text):
        yield f"{text!r} is no time of RFC 3339"


def _is_base64(text: str) -> bool:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return False
    return True


def _is_time(text: str) -> bool:
    try:
        return dt.datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _resource_of(exchange: Exchange) -> Any:
    content = _unpacked(exchange.body, exchange.headers)
    kind = exchange.headers.get("content-type", "")
    if kind.startswith("multipart/"):
        whole = email.message_from_bytes(f"Content-Type: {kind}\r\n\r\n".encode() + content)
        first, *_ = whole.get_payload()
        return _parsed(first.get_payload(decode=True))
    return _parsed(content)


def _unpacked(content: bytes, headers: dict[str, str]) -> bytes:
    return gzip.decompress(content) if headers.get("content-encoding") == "gzip" else content


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        return content
