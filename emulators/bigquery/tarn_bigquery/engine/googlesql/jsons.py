"""Functions of JSON that DuckDB's own do not cover: BigQuery's paths, edits, lax conversions."""

import json
import math
import re
from decimal import Decimal
from functools import lru_cache
from itertools import pairwise
from typing import Any

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_STEP = re.compile(
    r"""\.("(?:[^"\\]|\\.)*"|[^.\[\]"']+)|\[\s*(\d+)\s*\]|\[\s*'((?:[^'\\]|\\.)*)'\s*\]|\[\s*"((?:[^"\\]|\\.)*)"\s*\]"""
)
_MISSING = object()

Path = tuple[str | int, ...]


@lru_cache(maxsize=1024)
def _path(text: str) -> Path:
    if not text.startswith("$"):
        raise GoogleSqlError(f"JSONPath must start with '$': {text}")
    steps: list[str | int] = []
    position = 1
    while position < len(text):
        found = _STEP.match(text, position)
        if found is None:
            raise GoogleSqlError(f"Invalid token in JSONPath at: {text[position:]}")
        if found[2] is not None:
            steps.append(int(found[2]))
        else:
            key = found[1] or found[3] or found[4] or ""
            steps.append(json.loads(key) if key.startswith('"') else re.sub(r"\\(.)", r"\1", key))
        position = found.end()
    return tuple(steps)


class _Written(float):
    """A number that is written as the text has it."""

    def __new__(cls, text: str) -> "_Written":
        number = super().__new__(cls, text)
        number.text = text
        return number

    text: str


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object. Of members with one name it has the first."""
    members: dict[str, Any] = {}
    for name, value in pairs:
        members.setdefault(name, value)
    return members


def _no_constant(name: str) -> Any:
    raise ValueError(f"unexpected {name}")


def _load(text: str) -> Any:
    """A JSON text as Python has it, its numbers as they are written."""
    return json.loads(text, parse_float=_Written, parse_constant=_no_constant, object_pairs_hook=_members)


def _dump(value: Any, *, in_order: bool = False) -> str:
    """A value as JSON text. `in_order` sorts the members of objects by their names, as a JSON value has them."""
    if isinstance(value, _Written):
        return value.text
    if isinstance(value, list):
        return f"[{','.join(_dump(item, in_order=in_order) for item in value)}]"
    if isinstance(value, dict):
        items = sorted(value.items()) if in_order else value.items()
        return "{" + ",".join(f"{_dump(key)}:{_dump(item, in_order=in_order)}" for key, item in items) + "}"
    return json.dumps(value, ensure_ascii=False)


def _value(value: Any) -> str:
    """The text of a JSON value."""
    return _dump(value, in_order=True)


def _find(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(value, dict) and isinstance(step, str):
            value = value.get(step, _MISSING)
        elif isinstance(value, list) and isinstance(step, int):
            value = value[step] if step < len(value) else _MISSING
        else:
            return _MISSING
        if value is _MISSING:
            return _MISSING
    return value


def _found(text: str, path: str) -> Any:
    """What stands at the path of a JSON text, or _MISSING, also where the text is no JSON."""
    steps = _path(path)
    try:
        return _find(_load(text), steps)
    except ValueError:
        return _MISSING


@function("json_query(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR")
def query(text: str, path: str, mode: str) -> str | None:
    if lax := re.match(r"lax( recursive)? ", path):
        return _value(_lax_find(_load(text), _path(path[lax.end() :]), recursive=lax[1] is not None))
    found = _found(text, path.removeprefix("strict "))
    return None if found is _MISSING or (found is None and mode == "legacy") else _dump(found)


def _lax_find(value: Any, path: Path, *, recursive: bool) -> list[Any]:
    """All that a path leads to where it goes into arrays, and takes a single value for an array of one."""
    found = [value]
    for step in path:
        if isinstance(step, str):
            owners = [owner for item in found for owner in _unwrapped(item, recursive=recursive)]
            found = [owner[step] for owner in owners if isinstance(owner, dict) and step in owner]
        else:
            arrays = [item if isinstance(item, list) else [item] for item in found]
            found = [items[step] for items in arrays if step < len(items)]
    return found


def _unwrapped(value: Any, *, recursive: bool) -> list[Any]:
    if not isinstance(value, list):
        return [value]
    if not recursive:
        return value
    return [inner for item in value for inner in _unwrapped(item, recursive=True)]


@function("json_value(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR")
def value(text: str, path: str, mode: str) -> str | None:
    return _scalar_text(_found(text, path))


def _scalar_text(found: Any) -> str | None:
    if isinstance(found, str):
        return found
    return None if found is _MISSING or found is None or isinstance(found, dict | list) else _dump(found)


@function("json_query_array(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR[]")
def query_array(text: str, path: str, mode: str) -> list[str] | None:
    found = _found(text, path)
    return [_dump(item) for item in found] if isinstance(found, list) else None


@function("json_value_array(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR[]")
def value_array(text: str, path: str, mode: str) -> list[str | None] | None:
    found = _found(text, path)
    if not isinstance(found, list) or any(isinstance(item, dict | list) for item in found):
        return None
    return [_scalar_text(item) for item in found]


@function("parse_json(VARCHAR, VARCHAR) -> JSON")
def parse_json(text: str, mode: str) -> str:
    def number(written: str) -> int | float:
        if written.lstrip("-").isdigit() and -(2**63) <= int(written) < 2**64:
            return int(written)
        value = float(written)
        if math.isinf(value) or (mode != "round" and Decimal(written) != Decimal(repr(value))):
            raise GoogleSqlError(
                f"Invalid input to PARSE_JSON: input number: {written} cannot round-trip through string representation"
            )
        return value

    try:
        return _value(
            json.loads(
                text, parse_int=number, parse_float=number, parse_constant=_no_constant, object_pairs_hook=_members
            )
        )
    except (ValueError, RecursionError) as error:
        raise GoogleSqlError(f"Invalid input to PARSE_JSON: {error}") from error


@function("json_in_order(VARCHAR) -> JSON")
def in_order(text: str) -> str:
    """A JSON text as a JSON value."""
    return _value(_load(text))


@function("json_pretty(VARCHAR) -> VARCHAR")
def pretty(text: str) -> str:
    return _indented(_load(text), "")


def _indented(value: Any, margin: str) -> str:
    inside = f"{margin}  "
    if isinstance(value, list) and value:
        items = f",\n{inside}".join(_indented(item, inside) for item in value)
        return f"[\n{inside}{items}\n{margin}]"
    if isinstance(value, dict) and value:
        members = f",\n{inside}".join(f"{_dump(key)}: {_indented(item, inside)}" for key, item in value.items())
        return f"{{\n{inside}{members}\n{margin}}}"
    return _dump(value)


@function("json_type(JSON) -> VARCHAR")
def type_of(text: str) -> str:
    names = {bool: "boolean", int: "number", _Written: "number", str: "string", dict: "object", list: "array"}
    return names.get(type(_load(text)), "null")


@function("json_keys(JSON, BIGINT, VARCHAR) -> VARCHAR[]")
def keys(text: str, depth: int, mode: str) -> list[str]:
    """The paths of the members down to a depth; 0 is as deep as there are any. Lax modes go into arrays."""
    found: set[str] = set()

    def walk(value: Any, prefix: str, level: int, *, arrays: int) -> None:
        if isinstance(value, list) and arrays:
            for item in value:
                walk(item, prefix, level, arrays=arrays - 1)
        if not isinstance(value, dict) or (depth and level > depth):
            return
        for key, inner in value.items():
            shown = key if re.fullmatch(r"[^.\[\]\"' ]+", key) else json.dumps(key)
            found.add(prefix + shown)
            walk(inner, f"{prefix}{shown}.", level + 1, arrays=_ARRAYS_PASSED[mode])

    if mode not in _ARRAYS_PASSED:
        raise GoogleSqlError(f"Invalid JSON mode: {mode}")
    walk(_load(text), "", 1, arrays=_ARRAYS_PASSED[mode])
    return sorted(found)


_ARRAYS_PASSED = {"strict": 0, "lax": 1, "lax recursive": -1}


@function("json_flatten(JSON) -> VARCHAR[]")
def flatten(text: str) -> list[str]:
    return [_value(item) for item in _unwrapped(_load(text), recursive=True)]


@function("json_texts(JSON, VARCHAR) -> VARCHAR[]")
def texts(text: str, scope: str) -> list[str]:
    """All scalars of a JSON value, or the names of its members, or both."""
    found: list[str] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            found.extend(key for key in value if "KEYS" in scope)
            for item in value.values():
                walk(item)
        elif isinstance(value, list):
            for item in value:
                walk(item)
        elif "VALUES" in scope and (shown := _scalar_text(value)) is not None:
            found.append(shown)

    walk(_load(text))
    return found


@function("json_scalar(JSON, VARCHAR, VARCHAR) -> VARCHAR")
def scalar(text: str, kind: str, mode: str) -> str | None:
    """A JSON scalar as the text of a BOOL, INT64, FLOAT64 or STRING. `mode` is lax, round or exact."""
    return _converted(_load(text), kind, mode)


@function("json_scalars(JSON, VARCHAR, VARCHAR) -> VARCHAR[]")
def scalars(text: str, kind: str, mode: str) -> list[str | None] | None:
    """The scalars of a JSON array."""
    found = _load(text)
    if isinstance(found, list):
        return [_converted(item, kind, mode) for item in found]
    if mode == "lax":
        return None
    raise GoogleSqlError("The provided JSON input is not an array")


def _converted(found: Any, kind: str, mode: str) -> str | None:
    if mode == "lax":
        return _LAX[kind](found)
    converted = _STRICT[kind](found)
    if converted is None:
        raise GoogleSqlError(f"The provided JSON input is not {_KINDS[kind]}")
    if kind == "FLOAT64" and mode == "exact" and Decimal(_dump(found)) != Decimal(converted):
        raise GoogleSqlError(f"JSON number: {_dump(found)} cannot be converted to DOUBLE without loss of precision")
    return converted


_KINDS = {"BOOL": "a boolean", "INT64": "an integer", "FLOAT64": "a number", "STRING": "a string"}


def _is_number(found: Any) -> bool:
    return isinstance(found, int | float) and not isinstance(found, bool)


_STRICT = {
    "BOOL": lambda v: str(v).lower() if isinstance(v, bool) else None,
    "INT64": lambda v: str(int(v)) if _is_number(v) and v == int(v) else None,
    "FLOAT64": lambda v: repr(float(v)) if _is_number(v) else None,
    "STRING": lambda v: v if isinstance(v, str) else None,
}


def _lax_bool(found: Any) -> str | None:
    if isinstance(found, bool):
        return str(found).lower()
    if isinstance(found, str):
        return found.lower() if found.lower() in {"true", "false"} else None
    return str(found != 0).lower() if _is_number(found) else None


def _lax_number(found: Any) -> float | int | None:
    if isinstance(found, str):
        try:
            return float(found) if not re.fullmatch(r"[+-]?\d+", found) else int(found)
        except ValueError:
            return None
    return int(found) if isinstance(found, bool) else found if _is_number(found) else None


def _lax_int64(found: Any) -> str | None:
    number = _lax_number(found)
    if number is None or not math.isfinite(number):
        return None
    rounded = number if isinstance(number, int) else math.floor(abs(number) + 0.5) * (1 if number >= 0 else -1)
    return str(rounded) if -(2**63) <= rounded < 2**63 else None


def _lax_float64(found: Any) -> str | None:
    number = None if isinstance(found, bool) else _lax_number(found)
    return None if number is None else repr(float(number))


_LAX = {"BOOL": _lax_bool, "INT64": _lax_int64, "FLOAT64": _lax_float64, "STRING": _scalar_text}


@function("json_object(VARCHAR[], VARCHAR[]) -> JSON")
def json_object(names: list[str | None], values: list[str]) -> str:
    if len(names) != len(values):
        raise GoogleSqlError("The number of keys and values must match.")
    if None in names:
        raise GoogleSqlError("A key of JSON_OBJECT cannot be NULL")
    return _value(_members([(name or "", _load(value)) for name, value in zip(names, values, strict=True)]))


@function("json_remove(JSON, VARCHAR[]) -> JSON")
def remove(text: str, paths: list[str]) -> str:
    document = _load(text)
    for path in paths:
        *way, last = _path(path)
        owner = _find(document, tuple(way))
        if (isinstance(owner, dict) and last in owner) or (isinstance(owner, list) and _has(owner, last)):
            del owner[last]  # type: ignore[arg-type]
    return _value(document)


def _has(items: list[Any], step: str | int) -> bool:
    return isinstance(step, int) and step < len(items)


@function("json_strip_nulls(JSON, VARCHAR, BOOLEAN, BOOLEAN) -> JSON")
def strip_nulls(text: str, path: str, arrays: bool, empty: bool) -> str:
    document = _load(text)
    steps = _path(path)
    stripped = _stripped(_find(document, steps), arrays, empty)
    if not steps and empty and stripped in ({}, []):
        return "null"
    return _value(_replaced(document, steps, stripped)) if steps else _value(stripped)


def _stripped(found: Any, arrays: bool, empty: bool) -> Any:
    def gone(item: Any) -> bool:
        return item is None or (empty and item in ({}, []))

    if isinstance(found, dict):
        inner = {key: _stripped(item, arrays, empty) for key, item in found.items()}
        return {key: item for key, item in inner.items() if not gone(item)}
    if isinstance(found, list):
        items = [_stripped(item, arrays, empty) for item in found]
        return [item for item in items if not gone(item)] if arrays else items
    return found


def _replaced(document: Any, path: Path, value: Any) -> Any:
    if value is not _MISSING and path:
        _find(document, path[:-1])[path[-1]] = value
    return document


@function("json_edit(JSON; VARCHAR[]; VARCHAR[]; BOOLEAN[]; VARCHAR; BOOLEAN) -> JSON")
def edit(text: str, paths: list[str], values: list[str], arrays: list[bool], how: str, flag: bool) -> str:
    """JSON_SET, JSON_ARRAY_INSERT and JSON_ARRAY_APPEND. `flag` is create_if_missing, or insert_each_element."""
    document = _load(text)
    for path, value_text, is_array in zip(paths, values, arrays, strict=True):
        new = _load(value_text)
        steps = _path(path)
        if how == "set":
            document = _set(document, steps, new, flag)
        else:
            items = new if is_array and flag else [new]
            document = _grow(document, steps, items, at_end=how == "append")
    return _value(document)


def _set(document: Any, path: Path, new: Any, create: bool) -> Any:
    if not path:
        return new
    if not create and _find(document, path) is _MISSING:
        return document
    owner = document
    for step, following in pairwise(path):
        owner = _child(owner, step, following)
        if owner is _MISSING:
            return document
    _put(owner, path[-1], new)
    return document


def _child(owner: Any, step: str | int, following: str | int) -> Any:
    """The member that a path goes through, made where there is none yet."""
    child = _find(owner, (step,))
    if child is _MISSING or child is None:
        child = {} if isinstance(following, str) else []
        if not _put(owner, step, child):
            return _MISSING
    return child


def _put(owner: Any, step: str | int, new: Any) -> bool:
    if isinstance(owner, dict) and isinstance(step, str):
        owner[step] = new
        return True
    if isinstance(owner, list) and isinstance(step, int):
        owner.extend([None] * (step + 1 - len(owner)))
        owner[step] = new
        return True
    return False


def _grow(document: Any, path: Path, items: list[Any], *, at_end: bool) -> Any:
    """The document with the items in an array. A null on the way becomes an array."""
    way, position = (path, None) if at_end else (path[:-1], path[-1] if path else None)
    if not at_end and not isinstance(position, int):
        return document
    target = _find(document, way)
    if target is None:
        target = []
        document = _set(document, way, target, create=False)
    if not isinstance(target, list):
        return document
    at = len(target) if not isinstance(position, int) else position
    target.extend([None] * (at - len(target)))
    target[at:at] = items
    return document
