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
        etag, text = result.get("etag"), None
        if etag == OF_CONTENT:
            etag, text = _tagged(result)
            result = result | {"etag": etag}
        head = {} if etag is None else {"etag": etag}
        if any(is_etag(known, etag) for known in self.known):
            return Response(status_code=304, headers=head)
        return Response(self._formed(result, text), media_type="application/json", headers=head)

    def _formed(self, result: dict[str, Any], text: str | None) -> str:
        """What is wanted of a result. `text` is all of it as JSON, where that is known."""
        if self.mask or text is None:
            text = _json(_chosen(result, self.mask))
        return json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" if self.indented else text


def _tagged(result: dict[str, Any]) -> tuple[str, str]:
    """The etag of a result's content, and the result with it as JSON."""
    text = _json({name: value for name, value in result.items() if name != "etag"})
    etag = hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
    return etag, f'{text[:-1]},"etag":"{etag}"}}'


def _chosen(result: dict[str, Any], mask: Mask) -> dict[str, Any]:
    """A result with the members that are wanted. What is JSON already is read only where a part of it is."""
    if not mask:
        return result
    wanted = {name: mask.get(name, mask.get("*")) for name in result}
    return {name: _part(result[name], inner) for name, inner in wanted.items() if inner is not None}


def _part(value: Any, mask: Mask) -> Any:
    if not isinstance(value, JsonText):
        return parted(value, mask)
    return JsonText(json.dumps(parted(json.loads(value), mask), separators=(",", ":"))) if mask else value


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
