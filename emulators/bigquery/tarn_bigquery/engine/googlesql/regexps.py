"""Regular expressions where DuckDB's functions do not do: BYTES, positions, groups that take no part.

The patterns are RE2's; Python's `re` reads nearly all of them alike.
"""

import re
from functools import lru_cache
from typing import AnyStr

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_CLASSES = (("\\pL", r"[^\W\d_]"), ("\\p{L}", r"[^\W\d_]"), ("\\z", r"\Z"), ("\\C", "."))


def _compiled(pattern: AnyStr) -> re.Pattern[AnyStr]:
    if isinstance(pattern, bytes):
        return _compiled_bytes(pattern)
    return _compiled_text(pattern)


@lru_cache(maxsize=256)
def _compiled_text(pattern: str) -> re.Pattern[str]:
    for theirs, ours in _CLASSES:
        pattern = pattern.replace(theirs, ours)
    try:
        return re.compile(pattern)
    except re.error as error:
        raise GoogleSqlError(f"Cannot parse regular expression: {error}") from error


@lru_cache(maxsize=256)
def _compiled_bytes(pattern: bytes) -> re.Pattern[bytes]:
    try:
        return re.compile(pattern)
    except re.error as error:
        raise GoogleSqlError(f"Cannot parse regular expression: {error}") from error


def _one_group(pattern: AnyStr) -> tuple[re.Pattern[AnyStr], int]:
    """The pattern, and the group that is extracted: its only one, or the whole match."""
    compiled = _compiled(pattern)
    if compiled.groups > 1:
        raise GoogleSqlError(
            "Regular expressions passed into extraction functions must not have more than 1 capturing group"
        )
    return compiled, compiled.groups


def _nth(text: AnyStr, pattern: AnyStr, position: int, occurrence: int) -> tuple[re.Match[AnyStr] | None, int]:
    """The occurrence of the pattern from a position on, and its group that counts."""
    if position < 1 or occurrence < 1:
        raise GoogleSqlError("Position and occurrence of a regular expression must be positive")
    compiled, group = _one_group(pattern)
    if position > len(text) + 1 or (position > len(text) and position > 1):
        return None, group
    for number, found in enumerate(compiled.finditer(text[position - 1 :]), 1):
        if number == occurrence:
            return found, group
    return None, group


def _extract(text: AnyStr, pattern: AnyStr, position: int, occurrence: int) -> AnyStr | None:
    found, group = _nth(text, pattern, position, occurrence)
    return found[group] if found is not None else None


def _extract_all(text: AnyStr, pattern: AnyStr) -> list[AnyStr]:
    compiled, group = _one_group(pattern)
    matches = list(compiled.finditer(text))
    # An empty match behind the last character, where another match has ended, is none to RE2.
    if len(matches) > 1 and matches[-1].end() == matches[-1].start() == len(text):
        matches.pop()
    return [found[group] if found[group] is not None else text[:0] for found in matches]


def _instr(text: AnyStr, pattern: AnyStr, position: int, occurrence: int, at_end: int) -> int:
    if at_end not in {0, 1}:
        raise GoogleSqlError("The occurrence position of REGEXP_INSTR must be 0 or 1")
    found, group = _nth(text, pattern, position, occurrence)
    if found is None or found[group] is None:
        return 0
    return (found.end(group) if at_end else found.start(group)) + position


def _replace(text: AnyStr, pattern: AnyStr, replacement: AnyStr, pieces: list[AnyStr]) -> AnyStr:
    """The text with every match replaced. `pieces` are the parts of the replacement: `\\1` is a group's."""
    compiled = _compiled(pattern)
    for piece in pieces:
        mark, digit = piece[:1], piece[1:]
        if mark in ("\\", b"\\") and not (digit.isdigit() and int(digit) <= compiled.groups) and digit != mark:
            raise GoogleSqlError(f"Invalid REGEXP_REPLACE pattern: {replacement!r}")

    def written(found: re.Match[AnyStr]) -> AnyStr:
        return text[:0].join(
            (found[int(piece[1:])] or text[:0]) if piece[1:].isdigit() and piece[:1] in ("\\", b"\\") else piece[-1:]
            for piece in pieces
        )

    result: list[AnyStr] = []
    position, after = 0, -1
    for found in compiled.finditer(text):
        # RE2 takes no empty match where the match before has ended.
        if found.start() == found.end() == after:
            continue
        result += [text[position : found.start()], written(found)]
        position = after = found.end()
    result.append(text[position:])
    return text[:0].join(result)


@function("regexp_extract(VARCHAR, VARCHAR, BIGINT, BIGINT) -> VARCHAR")
def regexp_extract(text: str, pattern: str, position: int, occurrence: int) -> str | None:
    return _extract(text, pattern, position, occurrence)


@function("bytes_regexp_extract(BLOB, BLOB, BIGINT, BIGINT) -> BLOB")
def bytes_regexp_extract(data: bytes, pattern: bytes, position: int, occurrence: int) -> bytes | None:
    return _extract(data, pattern, position, occurrence)


@function("regexp_extract_all(VARCHAR, VARCHAR) -> VARCHAR[]")
def regexp_extract_all(text: str, pattern: str) -> list[str]:
    return _extract_all(text, pattern)


@function("bytes_regexp_extract_all(BLOB, BLOB) -> BLOB[]")
def bytes_regexp_extract_all(data: bytes, pattern: bytes) -> list[bytes]:
    return _extract_all(data, pattern)


@function("regexp_instr(VARCHAR, VARCHAR, BIGINT, BIGINT, BIGINT) -> BIGINT")
def regexp_instr(text: str, pattern: str, position: int, occurrence: int, at_end: int) -> int:
    return _instr(text, pattern, position, occurrence, at_end)


@function("bytes_regexp_instr(BLOB, BLOB, BIGINT, BIGINT, BIGINT) -> BIGINT")
def bytes_regexp_instr(data: bytes, pattern: bytes, position: int, occurrence: int, at_end: int) -> int:
    return _instr(data, pattern, position, occurrence, at_end)


@function("regexp_replace(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR")
def regexp_replace(text: str, pattern: str, replacement: str) -> str:
    return _replace(text, pattern, replacement, re.findall(r"\\.?|.", replacement, re.DOTALL))


@function("bytes_regexp_replace(BLOB, BLOB, BLOB) -> BLOB")
def bytes_regexp_replace(data: bytes, pattern: bytes, replacement: bytes) -> bytes:
    return _replace(data, pattern, replacement, re.findall(rb"\\.?|.", replacement, re.DOTALL))


@function("bytes_regexp_contains(BLOB, BLOB) -> BOOLEAN")
def bytes_regexp_contains(data: bytes, pattern: bytes) -> bool:
    return _compiled(pattern).search(data) is not None
