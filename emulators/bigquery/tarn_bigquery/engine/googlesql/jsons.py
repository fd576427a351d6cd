"""Functions of JSON that DuckDB's own do not cover: BigQuery's paths, edits, lax conversions."""

import json
import math
import re
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


def _load(text: str) -> Any:
    return json.loads(text)


def _dump(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


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
    found = _found(text, path)
    return None if found is _MISSING or (found is None and mode == "legacy") else _dump(found)


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
    try:
        parsed = _load(text)
    except ValueError as error:
        raise GoogleSqlError(f"Invalid input to PARSE_JSON: {error}") from error
    if mode != "round":
        _check_numbers(parsed, text)
    return _dump(parsed)


def _check_numbers(parsed: Any, text: str) -> None:
    if isinstance(parsed, float) and math.isinf(parsed):
        raise GoogleSqlError(
            f"Invalid input to PARSE_JSON: input number: {text} cannot round-trip through string representation"
        )
    if isinstance(parsed, dict | list):
        for item in parsed.values() if isinstance(parsed, dict) else parsed:
            _check_numbers(item, text)


@function("json_pretty(VARCHAR) -> VARCHAR")
def pretty(text: str) -> str:
    return json.dumps(_load(text), indent=2, ensure_ascii=False)


@function("json_type(JSON) -> VARCHAR")
def type_of(text: str) -> str:
    names = {bool: "boolean", int: "number", float: "number", str: "string", dict: "object", list: "array"}
    return names.get(type(_load(text)), "null")


@function("json_keys(JSON, BIGINT) -> VARCHAR[]")
def keys(text: str, depth: int) -> list[str]:
    found: set[str] = set()

    def walk(value: Any, prefix: str, level: int) -> None:
        if not isinstance(value, dict) or (depth and level > depth):
            return
        for key, inner in value.items():
            shown = key if re.fullmatch(r"[^.\[\]\"' ]+", key) else json.dumps(key)
            found.add(prefix + shown)
            walk(inner, f"{prefix}{shown}.", level + 1)

    walk(_load(text), "", 1)
    return sorted(found)


@function("json_scalar(JSON, VARCHAR, VARCHAR) -> VARCHAR")
def scalar(text: str, kind: str, mode: str) -> str | None:
    """A JSON scalar as the text of a BOOL, INT64, FLOAT64 or STRING."""
    found = _load(text)
    if mode == "lax":
        return _LAX[kind](found)
    converted = _STRICT[kind](found)
    if converted is None:
        raise GoogleSqlError(f"The provided JSON input is not {_KINDS[kind]}")
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


@function("json_object_of_arrays(VARCHAR[], VARCHAR[]) -> JSON")
def object_of_arrays(names: list[str], values: list[str]) -> str:
    if len(names) != len(values):
        raise GoogleSqlError("The number of keys and values must match.")
    return "{" + ",".join(f"{json.dumps(n, ensure_ascii=False)}:{v}" for n, v in zip(names, values, strict=True)) + "}"


@function("json_remove(JSON, VARCHAR[]) -> JSON")
def remove(text: str, paths: list[str]) -> str:
    document = _load(text)
    for path in paths:
        *way, last = _path(path)
        owner = _find(document, tuple(way))
        if (isinstance(owner, dict) and last in owner) or (isinstance(owner, list) and _has(owner, last)):
            del owner[last]  # type: ignore[arg-type]
    return _dump(document)


def _has(items: list[Any], step: str | int) -> bool:
    return isinstance(step, int) and step < len(items)


@function("json_strip_nulls(JSON, VARCHAR, BOOLEAN, BOOLEAN) -> JSON")
def strip_nulls(text: str, path: str, arrays: bool, empty: bool) -> str:
    document = _load(text)
    steps = _path(path)
    stripped = _stripped(_find(document, steps), arrays, empty)
    return _dump(_replaced(document, steps, stripped)) if steps else _dump(stripped)


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
            _grow(document, steps, items, at_end=how == "append")
    return _dump(document)


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


def _grow(document: Any, path: Path, items: list[Any], *, at_end: bool) -> None:
    if at_end:
        target = _find(document, path)
        if isinstance(target, list):
            target.extend(items)
        return
    *way, position = path
    target = _find(document, tuple(way))
    if isinstance(target, list) and isinstance(position, int):
        target.extend([None] * (position - len(target)))
        target[position:position] = items
