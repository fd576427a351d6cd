"""FORMAT: https://cloud.google.com/bigquery/docs/reference/standard-sql/string_functions#format_string"""

import json
import math
import re
from decimal import Decimal
from typing import Any

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_SPECIFIER = re.compile(r"%([-+ #0']*)(\*|\d+)?(?:\.(\*|\d+))?([a-zA-Z%])?")
_WIDEST = 1_000_000
# The types that a letter takes; no list is every type.
_TAKES: dict[str, tuple[str, ...]] = {
    **dict.fromkeys("dixXo", ("INT64",)),
    **dict.fromkeys("fFeEgG", ("FLOAT64", "NUMERIC", "BIGNUMERIC")),
    **dict.fromkeys("pP", ("JSON",)),
    **dict.fromkeys("tT", ()),
    "s": ("STRING",),
}

Item = dict[str, str | None]


@function("format(VARCHAR; STRUCT(kind VARCHAR, v VARCHAR, literal VARCHAR)[]) -> VARCHAR")
def formatted(pattern: str, items: list[Item]) -> str | None:
    """The pattern with the items in the place of its specifiers; NULL where one is NULL, but for %t and %T."""
    rest = list(items)
    missing = False

    def take() -> Item:
        if not rest:
            raise GoogleSqlError(f'Too few arguments to FORMAT for pattern "{pattern}"')
        return rest.pop(0)

    def write(found: re.Match[str]) -> str:
        nonlocal missing
        flags, width, precision, letter = found.groups()
        if letter == "%":
            return "%"
        if letter is None:
            raise GoogleSqlError(f'Invalid FORMAT string: "{pattern}"')
        size = _size(take()) if width == "*" else int(width) if width else 0
        digits = _size(take()) if precision == "*" else int(precision) if precision is not None else None
        if size < 0:
            flags, size = flags + "-", -size
        if max(size, digits or 0) > _WIDEST:
            raise GoogleSqlError("The output of FORMAT is too wide")
        item = take()
        if item["v"] is None and letter not in "tT":
            missing = True
            return ""
        return _padded(_item(letter, flags, digits, item), flags, size, letter)

    result = _SPECIFIER.sub(write, pattern)
    if rest:
        raise GoogleSqlError(f'Too many arguments to FORMAT for pattern "{pattern}"')
    return None if missing else result


def _padded(text: str, flags: str, width: int, letter: str) -> str:
    if "-" in flags:
        return text.ljust(width)
    if "0" in flags and letter not in "stTpP" and text[-1:].isalnum() and text.lower() not in {"inf", "nan", "-inf"}:
        sign = text[:1] if text[:1] in "+- " else ""
        return sign + text[len(sign) :].rjust(width - len(sign), "0")
    return text.rjust(width)


def _size(item: Item) -> int:
    if item["kind"] != "INT64":
        raise GoogleSqlError(f"Invalid type for a width or precision of FORMAT; Expected INT64; Got {item['kind']}")
    return int(item["v"] or 0)


def _item(letter: str, flags: str, digits: int | None, item: Item) -> str:
    kind, text = item["kind"] or "", item["v"] or ""
    if letter not in _TAKES:
        raise GoogleSqlError(f'Invalid format specifier character "{letter}" in FORMAT string')
    if _TAKES[letter] and kind not in _TAKES[letter]:
        raise GoogleSqlError(
            f"Invalid type for argument of %{letter} to FORMAT; Expected {_TAKES[letter][0]}; Got {kind}"
        )
    if letter in "stT":
        shown = text if letter == "s" else (item["literal"] if letter == "T" else item["v"]) or _null(item)
        return shown if digits is None else shown[:digits]
    if letter in "pP":
        return text if letter == "p" else json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    if letter in "dixXo":
        return _integer(letter, flags, int(text))
    return _number(letter, flags, 6 if digits is None else digits, text)


def _null(item: Item) -> str:
    return "NULL" if item["v"] is None else ""


def _signed(text: str, flags: str, negative: bool) -> str:
    return f"-{text}" if negative else f"+{text}" if "+" in flags else f" {text}" if " " in flags else text


def _integer(letter: str, flags: str, value: int) -> str:
    size = abs(value)
    if letter in "xX":
        digits = f"{size:x}" if letter == "x" else f"{size:X}"
        shown = f"0{letter}{digits}" if "#" in flags and size else digits
    elif letter == "o":
        shown = f"0{size:o}" if "#" in flags else f"{size:o}"
    else:
        shown = f"{size:,}" if "'" in flags else str(size)
    return _signed(shown, flags, value < 0)


def _number(letter: str, flags: str, digits: int, text: str) -> str:
    value: Any = float(text) if text.strip("-") in {"nan", "inf"} else Decimal(text)
    if isinstance(value, float):
        word = "nan" if math.isnan(value) else "inf"
        shown = word.upper() if letter.isupper() else word
        return _signed(shown, flags, value < 0)
    number: Any = float(text) if letter in "gG" else value
    grouping = "," if "'" in flags else ""
    alternate = "#" if "#" in flags else ""
    shown = f"{abs(number):{alternate}{grouping}.{digits}{letter}}"
    if letter in "eE":
        shown = re.sub(r"([eE][+-])(\d)$", r"\g<1>0\2", shown)
    return _signed(shown, flags, value < 0)
