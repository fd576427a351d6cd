"""The discovery document, which bq and Google's client for every API read before they call anything.

https://developers.google.com/discovery/v1/reference/apis
"""

import functools
import json
from importlib import resources
from typing import Any

from tarn_bigquery.errors import not_found
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.messages import messages

Shape = dict[str, Any]

_SCALARS: dict[str, Shape] = {
    "any": {"type": "any"},
    "boolean": {"type": "boolean"},
    "int64": {"type": "string", "format": "int64"},
    "integer": {"type": "integer", "format": "int32"},
    "number": {"type": "number", "format": "double"},
    "string": {"type": "string"},
}
_EVERYWHERE = {
    name: {"type": kind, "location": "query"}
    for name, kind in (("alt", "string"), ("fields", "string"), ("key", "string"), ("prettyPrint", "boolean"))
}


def document(call: Call) -> Shape:
    """The API as it is at the address that it was asked for at."""
    version = call.path.get("version") or call.query.get("version", "v2")
    if version != "v2":
        raise not_found("API", f"bigquery {version}")
    root = f"{call.address}/"
    return _document() | {"rootUrl": root, "baseUrl": f"{root}bigquery/v2/"}


@functools.cache
def _document() -> Shape:
    found: dict[str, Shape] = {}
    for method_id, method in _methods().items():
        _, resource, name = method_id.split(".")
        request = {"request": {"$ref": method["request"]}} if "request" in method else {}
        found.setdefault(resource, {"methods": {}})["methods"][name] = {**method, **request, "id": method_id}
    return {
        "kind": "discovery#restDescription",
        "discoveryVersion": "v1",
        "id": "bigquery:v2",
        "name": "bigquery",
        "version": "v2",
        "title": "BigQuery API",
        "protocol": "rest",
        "servicePath": "bigquery/v2/",
        "basePath": "/bigquery/v2/",
        "batchPath": "batch/bigquery/v2",
        "parameters": _EVERYWHERE,
        "schemas": {name: {"id": name, **_message(shape)} for name, shape in messages().items()},
        "resources": found,
    }


@functools.cache
def _methods() -> dict[str, Shape]:
    text = resources.files("tarn_bigquery.rest").joinpath("methods.json").read_text(encoding="utf-8")
    return json.loads(text)


def _message(shape: Shape | str) -> Shape:
    if isinstance(shape, str):
        return _shape(shape)
    return {"type": "object", "properties": {name: _shape(kind) for name, kind in shape.items()}}


def _shape(kind: str) -> Shape:
    """A kind of `messages.json` as the document has it."""
    if kind[0] == "[":
        return {"type": "array", "items": _shape(kind[1:-1])}
    if kind[0] == "{":
        return {"type": "object", "additionalProperties": _shape(kind[1:-1])}
    if kind[0] == "<":
        return {"type": "string", "enum": kind[1:-1].split("|")}
    return _SCALARS.get(kind) or {"$ref": kind}
