"""Whether a request's body has the types that BigQuery's messages have, before anything acts on it.

`messages.json` beside this module is made of Google's discovery document by `update_messages.py`. Members that it does
not know are let through: a newer client than the document may send them.
"""

import functools
import json
import math
import re
from collections.abc import Callable
from importlib import resources
from typing import Any

from tarn_bigquery.errors import ApiError, invalid

Body = dict[str, Any]

_INT64 = re.compile(r"[+-]?\d{1,19}")
_SHOWN_CHARACTERS = 100
_TYPES = "type.googleapis.com/google.cloud.bigquery.v2."


def checked(body: Body, message: str, *, patches: bool = False) -> Body:
    """The body of a request that takes a `message`, without the members that are null.

    A null at the top of a patch is kept: it is the wish to remove the member. So it is in a map, of labels say.

    Raises:
        ApiError: `invalid`, in Google's words, for a value that is not of its member's type.
    """
    given = {name: value for name, value in body.items() if value is not None}
    return (dict.fromkeys(body) if patches else {}) | {
        name: _member(value, message, name, name) for name, value in given.items()
    }


@functools.cache
def messages() -> dict[str, Any]:
    """Message name to member name to type: `[x]` is a list, `{x}` a map, `<A|B>` a word, `any` is anything."""
    text = resources.files("tarn_bigquery.rest").joinpath("messages.json").read_text(encoding="utf-8")
    return json.loads(text)


_BARE_TOO = {("QueryParameterValue", "value")}
"""Texts that may be written without quotes: Google's client for Python sends a FLOAT64 parameter as a number, the one
for Node a BOOL as true or false, and BigQuery reads them. Source: google-cloud-bigquery, ``_helpers._float_to_json``"""


def _member(value: Any, message: str, name: str, path: str) -> Any:
    kind = messages()[message].get(name)
    if (message, name) in _BARE_TOO and isinstance(value, bool | int | float):
        return json.dumps(value)
    return value if kind is None else _value(value, kind, path)


def _value(value: Any, kind: str, path: str) -> Any:
    if kind[0] == "[":
        if not isinstance(value, list):
            raise _wrong(value, path, kind[1:-1])
        return [_value(item, kind[1:-1], f"{path}[{index}]") for index, item in enumerate(value)]
    if kind[0] == "{":
        if not isinstance(value, dict):
            raise _wrong(value, path, kind[1:-1])
        items = value.items()
        return {key: None if item is None else _value(item, kind[1:-1], f"{path}[{key}]") for key, item in items}
    if kind in _SCALARS:
        return _scalar(value, kind, path)
    if kind[0] == "<":
        if not isinstance(value, str) or value.upper() not in kind[1:-1].split("|"):
            raise _wrong(value, path, "enum")
        return value
    return _message(value, kind, path)


def _message(value: Any, kind: str, path: str) -> Any:
    shape = messages()[kind]
    if isinstance(shape, str):
        return _value(value, shape, path)
    if not isinstance(value, dict):
        raise _wrong(value, path, kind)
    items = value.items()
    return {name: _member(item, kind, name, f"{path}.{name}") for name, item in items if item is not None}


def _scalar(value: Any, kind: str, path: str) -> Any:
    read = _SCALARS[kind](value)
    if read is None and kind != "any":
        raise _wrong(value, path, kind)
    return read


def _boolean(value: Any) -> bool | None:
    if isinstance(value, str):
        return {"true": True, "false": False}.get(value)
    return value if isinstance(value, bool) else None


def _integer(value: Any) -> Any:
    """A whole number as it was given: BigQuery itself writes those of 64 bits as text."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) or (isinstance(value, str) and _INT64.fullmatch(value)) else None


def _number(value: Any) -> float | int | None:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        return value if not isinstance(value, str) and math.isfinite(value) else float(value)
    except (ValueError, OverflowError):
        return None


def _string(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _wrong(value: Any, path: str, kind: str) -> ApiError:
    shown = json.dumps(value)
    if len(shown) > _SHOWN_CHARACTERS:
        shown = f"{shown[:_SHOWN_CHARACTERS]}..."
    name = _NAMES.get(kind) or f"{_TYPES}{kind}"
    return invalid(f"Invalid value at '{path}' ({name}), {shown}")


_NAMES = {"boolean": "TYPE_BOOL", "integer": "TYPE_INT32", "int64": "TYPE_INT64", "number": "TYPE_DOUBLE",
          "string": "TYPE_STRING", "any": "type.googleapis.com/google.protobuf.Value",
          "enum": "TYPE_ENUM"}  # fmt: skip
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "any": lambda value: value,
    "boolean": _boolean,
    "integer": _integer,
    "int64": _integer,
    "number": _number,
    "string": _string,
}
