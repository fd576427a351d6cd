"""The parameter `fields`: which parts of an answer the client wants.

https://cloud.google.com/bigquery/docs/api-performance#partial-response
"""

import re
from typing import Any

from tarn_bigquery.errors import ApiError

Mask = dict[str, "Mask"]
"""Wanted members by name, each with what is wanted of it: everything where that is empty. `*` is every name."""

_NAME = re.compile(r"[\w\-.$]+|\*")
_TOKEN = re.compile(r"[\w\-.$*]+|[,/()]|\S")


def mask_of(text: str) -> Mask:
    """Read `a,b/c,d(e,f)`. Raises ApiError `invalidParameter` for anything else."""
    return _Reader(text).read()


def parted(value: Any, mask: Mask) -> Any:
    """What a mask wants of a value; of each of its items where it is a list."""
    if not mask:
        return value
    if isinstance(value, list):
        return [parted(item, mask) for item in value]
    if not isinstance(value, dict):
        return value
    wanted = {name: mask.get(name, mask.get("*")) for name in value}
    return {name: parted(value[name], inner) for name, inner in wanted.items() if inner is not None}


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = _TOKEN.findall(text)
        self._at = 0

    def read(self) -> Mask:
        mask = self._list()
        if self._next() is not None:
            raise self._wrong()
        return mask

    def _list(self) -> Mask:
        mask: Mask = {}
        while True:
            path, inner = self._member()
            _add(mask, path, inner)
            if self._next() != ",":
                return mask
            self._at += 1

    def _member(self) -> tuple[list[str], Mask]:
        path = [self._name()]
        while self._next() == "/":
            self._at += 1
            path.append(self._name())
        if self._next() != "(":
            return path, {}
        self._at += 1
        inner = self._list()
        if self._next() != ")":
            raise self._wrong()
        self._at += 1
        return path, inner

    def _name(self) -> str:
        token = self._next()
        if token is None or not _NAME.fullmatch(token):
            raise self._wrong()
        self._at += 1
        return token

    def _next(self) -> str | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def _wrong(self) -> ApiError:
        return ApiError("invalidParameter", f"Invalid field selection {self._text}", location="fields")


def _add(mask: Mask, path: list[str], inner: Mask) -> None:
    """Add what is wanted at a path. Whatever is wanted as a whole stays so."""
    name, *rest = path
    is_new = name not in mask
    below = mask.setdefault(name, {})
    if not is_new and not below:
        return
    if rest:
        _add(below, rest, inner)
    elif not inner:
        below.clear()
    else:
        for key, value in inner.items():
            _add(below, [key], value)
