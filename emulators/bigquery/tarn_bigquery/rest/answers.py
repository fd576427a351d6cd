"""Answers put together, the same way for every method of the API."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from tarn_bigquery.catalog.resources import is_etag
from tarn_bigquery.errors import ApiError, unsupported
from tarn_bigquery.rest.partial import Mask, mask_of, parted

OF_CONTENT = ""
"""The etag of an answer that is put together of many things: it is made of the answer's content."""


class JsonText(str):
    """A member of an answer that is JSON already: pages of rows, which are large."""

    __slots__ = ()


@dataclass(frozen=True)
class Form:
    """How a client wants its answer: in part, indented, or not at all where it has it already."""

    mask: Mask
    indented: bool
    known: list[str]

    @classmethod
    def wanted(cls, request: Request) -> "Form":
        """What a request says of it. Raises ApiError for a form that cannot be."""
        query = request.query_params
        if (form := query.get("alt") or "json") != "json":
            raise unsupported(f"answers in the form alt={form}")
        known = request.headers.get("if-none-match", "") if request.method in {"GET", "HEAD"} else ""
        return cls(
            mask_of(query["fields"]) if query.get("fields") else {},
            query.get("prettyPrint", "").lower() == "true",
            known.split(",") if known else [],
        )

    def answer(self, result: Any) -> Response:
        """A method's result as an answer."""
        if isinstance(result, Response):
            return result
        if result is None:
            return Response(status_code=204)
        if result.get("etag") == OF_CONTENT:
            result = {**result, "etag": hashlib.md5(_json(result).encode(), usedforsecurity=False).hexdigest()}
        head = {"etag": result["etag"]} if "etag" in result else {}
        if any(is_etag(known, result.get("etag")) for known in self.known):
            return Response(status_code=304, headers=head)
        return Response(self._text(result), media_type="application/json", headers=head)

    def _text(self, result: dict[str, Any]) -> str:
        if not self.mask and not self.indented:
            return _json(result)
        wanted = parted(json.loads(_json(result)), self.mask)
        return json.dumps(wanted, indent=2, ensure_ascii=False) + "\n" if self.indented else _json(wanted)


def error_response(error: ApiError) -> Response:
    return Response(json.dumps(error.body()), status_code=error.code, media_type="application/json")


def _json(result: dict[str, Any]) -> str:
    """The JSON of a result, with the members that are JSON already behind the others."""
    written = {name: value for name, value in result.items() if isinstance(value, JsonText)}
    others = {name: value for name, value in result.items() if name not in written}
    text = json.dumps(others, separators=(",", ":"), ensure_ascii=False, default=str)
    if not written:
        return text
    members = ",".join(f'"{name}":{value}' for name, value in written.items())
    return f"{text[:-1]}{',' if others else ''}{members}}}"
