"""Functions of STRING and BYTES."""

import base64
import binascii
import codecs
import hashlib
import re
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

T = TypeVar("T")

_SOUNDEX = {**dict.fromkeys("bfpv", "1"), **dict.fromkeys("cgjkqsxz", "2"), **dict.fromkeys("dt", "3"), "l": "4",
            **dict.fromkeys("mn", "5"), "r": "6"}  # fmt: skip
_FIRST_PRINTABLE, _FIRST_BEYOND = 0x20, 0x7F
_LAST_SURROGATE, _FIRST_SURROGATE, _LAST_CODE_POINT = 0xDFFF, 0xD800, 0x10FFFF


@function("reverse(VARCHAR) -> VARCHAR")
def reverse(text: str) -> str:
    return text[::-1]


@function("bytes_reverse(BLOB) -> BLOB")
def bytes_reverse(data: bytes) -> bytes:
    return data[::-1]


@function("bytes_lower(BLOB) -> BLOB")
def bytes_lower(data: bytes) -> bytes:
    return data.lower()


@function("bytes_upper(BLOB) -> BLOB")
def bytes_upper(data: bytes) -> bytes:
    return data.upper()


@function("upper(VARCHAR) -> VARCHAR")
def upper(text: str) -> str:
    return text.upper()


@function("lower(VARCHAR) -> VARCHAR")
def lower(text: str) -> str:
    return text.lower()


@function("folded(VARCHAR) -> VARCHAR")
def folded(text: str) -> str:
    """A text as CONTAINS_SUBSTR compares it."""
    return normalize_and_casefold(text, "NFKC")


def _distance(one: str | bytes, other: str | bytes) -> int:
    """The Levenshtein distance."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        before, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, before + (left != right))
    return row[-1]


@function("edit_distance(VARCHAR, VARCHAR) -> BIGINT")
def edit_distance(one: str, other: str) -> int:
    return _distance(one, other)


@function("bytes_edit_distance(BLOB, BLOB) -> BIGINT")
def bytes_edit_distance(one: bytes, other: bytes) -> int:
    return _distance(one, other)


@function("initcap(VARCHAR, VARCHAR) -> VARCHAR")
def initcap(text: str, breaks: str) -> str:
    result, start = [], True
    for character in text:
        result.append(character.upper() if start else character.lower())
        start = character in breaks
    return "".join(result)


@function("bytes_replace(BLOB, BLOB, BLOB) -> BLOB")
def bytes_replace(data: bytes, old: bytes, new: bytes) -> bytes:
    return data.replace(old, new) if old else data


@function("translate(VARCHAR, VARCHAR, VARCHAR) -> VARCHAR")
def translate(text: str, source: str, target: str) -> str:
    if len(set(source)) != len(source):
        raise GoogleSqlError("Duplicate character in TRANSLATE source characters")
    return text.translate({ord(c): target[i] if i < len(target) else None for i, c in enumerate(source)})


@function("bytes_translate(BLOB, BLOB, BLOB) -> BLOB")
def bytes_translate(data: bytes, source: bytes, target: bytes) -> bytes:
    kept = source[: len(target)]
    return data.translate(bytes.maketrans(kept, target[: len(kept)]), source[len(target) :])


@function("bytes_substr(BLOB, BIGINT, BIGINT) -> BLOB")
def bytes_substr(data: bytes, position: int, length: int) -> bytes:
    if length < 0:
        raise GoogleSqlError("Third argument in SUBSTR() cannot be negative")
    start = max(len(data) + position, 0) if position < 0 else max(position - 1, 0)
    return data[start : start + length]


@function("bytes_right(BLOB, BIGINT) -> BLOB")
def bytes_right(data: bytes, length: int) -> bytes:
    if length < 0:
        raise GoogleSqlError("Second argument in RIGHT() cannot be negative")
    return data[max(len(data) - length, 0) :]


def _find(value: str | bytes, part: str | bytes, position: int, occurrence: int) -> int:
    if position == 0 or occurrence < 1:
        raise GoogleSqlError("INSTR: position must not be 0 and occurrence must be greater than 0")
    if position > 0:
        index = position - 2
        for _ in range(occurrence):
            index = value.find(part, index + 1)  # type: ignore[arg-type]
            if index < 0:
                return 0
        return index + 1
    index = len(value) + position + 1
    for _ in range(occurrence):
        index = value.rfind(part, 0, index - 1 + len(part) if index else 0)  # type: ignore[arg-type]
        if index < 0:
            return 0
    return index + 1


@function("instr(VARCHAR, VARCHAR, BIGINT, BIGINT) -> BIGINT")
def instr(text: str, part: str, position: int, occurrence: int) -> int:
    return _find(text, part, position, occurrence)


@function("bytes_instr(BLOB, BLOB, BIGINT, BIGINT) -> BIGINT")
def bytes_instr(data: bytes, part: bytes, position: int, occurrence: int) -> int:
    return _find(data, part, position, occurrence)


@function("bytes_trim(BLOB, BLOB) -> BLOB")
def bytes_trim(data: bytes, what: bytes) -> bytes:
    return data.strip(what)


@function("bytes_ltrim(BLOB, BLOB) -> BLOB")
def bytes_ltrim(data: bytes, what: bytes) -> bytes:
    return data.lstrip(what)


@function("bytes_rtrim(BLOB, BLOB) -> BLOB")
def bytes_rtrim(data: bytes, what: bytes) -> bytes:
    return data.rstrip(what)


def _padding(length: int, missing: int, pattern: str | bytes, name: str) -> str | bytes:
    if length < 0:
        raise GoogleSqlError(f"Second argument (output size) for {name} cannot be negative")
    if not pattern:
        raise GoogleSqlError(f"Third argument (pad pattern) for {name} cannot be empty")
    return (pattern * (missing // len(pattern) + 1))[: max(missing, 0)]


@function("lpad(VARCHAR, BIGINT, VARCHAR) -> VARCHAR")
def lpad(text: str, length: int, pattern: str) -> str:
    return str(_padding(length, length - len(text), pattern, "LPAD")) + text[:length]


@function("rpad(VARCHAR, BIGINT, VARCHAR) -> VARCHAR")
def rpad(text: str, length: int, pattern: str) -> str:
    return text[:length] + str(_padding(length, length - len(text), pattern, "RPAD"))


@function("bytes_lpad(BLOB, BIGINT, BLOB) -> BLOB")
def bytes_lpad(data: bytes, length: int, pattern: bytes) -> bytes:
    return bytes(_padding(length, length - len(data), pattern, "LPAD")) + data[:length]  # type: ignore[arg-type]


@function("bytes_rpad(BLOB, BIGINT, BLOB) -> BLOB")
def bytes_rpad(data: bytes, length: int, pattern: bytes) -> bytes:
    return data[:length] + bytes(_padding(length, length - len(data), pattern, "RPAD"))  # type: ignore[arg-type]


@function("bytes_split(BLOB, BLOB) -> BLOB[]")
def bytes_split(data: bytes, separator: bytes) -> list[bytes]:
    return data.split(separator) if separator else [bytes([b]) for b in data]


@function("bytes_join(BLOB[], BLOB) -> BLOB")
def bytes_join(parts: list[bytes | None], separator: bytes) -> bytes:
    return separator.join(part for part in parts if part is not None)


@function("bytes_like(BLOB, BLOB) -> BOOLEAN")
def bytes_like(data: bytes, pattern: bytes) -> bool:
    wild = {b"%": b".*", b"_": b"."}
    pieces = re.findall(rb"\\.|.", pattern, re.DOTALL)
    written = b"".join(wild.get(piece) or re.escape(piece[-1:]) for piece in pieces)
    return re.fullmatch(written, data, re.DOTALL) is not None


@function("bytes_bit_count(BLOB) -> BIGINT")
def bytes_bit_count(data: bytes) -> int:
    return int.from_bytes(data, "big").bit_count()


def _bitwise(left: bytes, right: bytes) -> tuple[int, int, int]:
    if len(left) != len(right):
        raise GoogleSqlError("Bitwise binary operator for BYTES requires equal length of the inputs.")
    return int.from_bytes(left, "big"), int.from_bytes(right, "big"), len(left)


@function("bytes_bit_and(BLOB, BLOB) -> BLOB")
def bytes_bit_and(left: bytes, right: bytes) -> bytes:
    one, other, size = _bitwise(left, right)
    return (one & other).to_bytes(size, "big")


@function("bytes_bit_or(BLOB, BLOB) -> BLOB")
def bytes_bit_or(left: bytes, right: bytes) -> bytes:
    one, other, size = _bitwise(left, right)
    return (one | other).to_bytes(size, "big")


@function("bytes_bit_xor(BLOB, BLOB) -> BLOB")
def bytes_bit_xor(left: bytes, right: bytes) -> bytes:
    one, other, size = _bitwise(left, right)
    return (one ^ other).to_bytes(size, "big")


@function("bytes_not(BLOB) -> BLOB")
def bytes_not(data: bytes) -> bytes:
    return bytes(byte ^ 0xFF for byte in data)


@function("bytes_shift_left(BLOB, BIGINT) -> BLOB")
def bytes_shift_left(data: bytes, by: int) -> bytes:
    mask = (1 << (8 * len(data))) - 1
    return ((int.from_bytes(data, "big") << by) & mask).to_bytes(len(data), "big")


@function("bytes_shift_right(BLOB, BIGINT) -> BLOB")
def bytes_shift_right(data: bytes, by: int) -> bytes:
    return (int.from_bytes(data, "big") >> by).to_bytes(len(data), "big")


@function("chr(BIGINT) -> VARCHAR")
def character(code: int) -> str:
    return _character(code) if code else ""


def _character(code: int) -> str:
    if not 0 <= code <= _LAST_CODE_POINT or _FIRST_SURROGATE <= code <= _LAST_SURROGATE:
        raise GoogleSqlError(f"Invalid codepoint {code}")
    return chr(code)


@function("to_code_points(VARCHAR) -> BIGINT[]")
def to_code_points(text: str) -> list[int]:
    return [ord(c) for c in text]


@function("bytes_to_code_points(BLOB) -> BIGINT[]")
def bytes_to_code_points(data: bytes) -> list[int]:
    return list(data)


@function("code_points_to_string(BIGINT[]) -> VARCHAR")
def code_points_to_string(codes: list[int | None]) -> str | None:
    return None if None in codes else "".join(_character(code) for code in codes if code is not None)


@function("code_points_to_bytes(BIGINT[]) -> BLOB")
def code_points_to_bytes(codes: list[int | None]) -> bytes | None:
    if None in codes:
        return None
    for code in codes:
        if code is not None and not 0 <= code <= 0xFF:
            raise GoogleSqlError(f"Invalid extended ASCII code point {code}")
    return bytes(code for code in codes if code is not None)


@function("soundex(VARCHAR) -> VARCHAR")
def soundex(text: str) -> str:
    letters = [c for c in text.lower() if c.isascii() and c.isalpha()]
    if not letters:
        return ""
    code, last = letters[0].upper(), _SOUNDEX.get(letters[0], "")
    for letter in letters[1:]:
        digit = _SOUNDEX.get(letter, "")
        if digit and digit != last:
            code += digit
        if letter not in "hw":
            last = digit
    return code[:4].ljust(4, "0")


@function("normalize(VARCHAR, VARCHAR) -> VARCHAR")
def normalize(text: str, mode: str) -> str:
    return unicodedata.normalize(mode, text)  # type: ignore[arg-type]


@function("normalize_and_casefold(VARCHAR, VARCHAR) -> VARCHAR")
def normalize_and_casefold(text: str, mode: str) -> str:
    return unicodedata.normalize(mode, unicodedata.normalize(mode, text).casefold())  # type: ignore[arg-type]


@function("from_base64(VARCHAR) -> BLOB")
def from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except binascii.Error as error:
        raise GoogleSqlError("Failed to decode invalid base64 string") from error


@function("to_base32(BLOB) -> VARCHAR")
def to_base32(data: bytes) -> str:
    return base64.b32encode(data).decode()


@function("from_base32(VARCHAR) -> BLOB")
def from_base32(text: str) -> bytes:
    bare = text.rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except binascii.Error as error:
        raise GoogleSqlError("Failed to decode invalid base32 string") from error


@function("from_hex(VARCHAR) -> BLOB")
def from_hex(text: str) -> bytes:
    try:
        return bytes.fromhex(text if len(text) % 2 == 0 else f"0{text}")
    except ValueError as error:
        raise GoogleSqlError(f"Failed to decode invalid hexadecimal string: {text}") from error


@function("string_of_bytes(BLOB) -> VARCHAR")
def string_of_bytes(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        raise GoogleSqlError("Invalid cast of bytes to UTF8 string") from error


@function("safe_string_of_bytes(BLOB) -> VARCHAR")
def safe_string_of_bytes(data: bytes) -> str:
    return data.decode(errors="replace")


_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", "\\": "\\\\"}


def _quote_for(text: str) -> str:
    """The quotation mark that needs no escapes, where there is one."""
    return "'" if '"' in text and "'" not in text else '"'


@function("string_literal(VARCHAR) -> VARCHAR")
def string_literal(text: str) -> str:
    """A text as a literal of GoogleSQL."""
    quote = _quote_for(text)
    escaped = "".join(_ESCAPES.get(c) or (f"\\x{ord(c):02x}" if ord(c) < _FIRST_PRINTABLE else c) for c in text)
    return quote + escaped.replace(quote, f"\\{quote}") + quote


@function("escape_bytes(BLOB, BOOLEAN) -> VARCHAR")
def escape_bytes(data: bytes, literal: bool) -> str:
    """Bytes with escapes for those that are no ASCII; with quotation marks they are a literal of GoogleSQL."""
    plain = data.decode("latin-1")
    shown = "".join(
        _ESCAPES.get(c) or (c if _FIRST_PRINTABLE <= ord(c) < _FIRST_BEYOND else f"\\x{ord(c):02x}") for c in plain
    )
    if not literal:
        return shown
    quote = _quote_for(plain)
    return f"b{quote}" + shown.replace(quote, f"\\{quote}") + quote


@function("format_bytes(VARCHAR, BLOB) -> VARCHAR")
def format_bytes(form: str, data: bytes) -> str:
    writers = {
        "HEX": lambda: data.hex(),
        "BASE2": lambda: "".join(f"{byte:08b}" for byte in data),
        "BASE16": lambda: data.hex(),
        "BASE32": lambda: to_base32(data),
        "BASE64": lambda: base64.b64encode(data).decode(),
        "BASE64M": lambda: base64.b64encode(data).decode(),
        "ASCII": lambda: codecs.decode(data, "ascii"),
        "UTF-8": lambda: string_of_bytes(data),
        "UTF8": lambda: string_of_bytes(data),
    }
    return _chosen(writers, form)()


@function("parse_bytes(VARCHAR, VARCHAR) -> BLOB")
def parse_bytes(form: str, text: str) -> bytes:
    readers = {
        "HEX": lambda: from_hex(text),
        "BASE16": lambda: from_hex(text),
        "BASE32": lambda: from_base32(text),
        "BASE64": lambda: from_base64(text),
        "BASE64M": lambda: from_base64(text),
        "ASCII": lambda: text.encode("ascii"),
        "UTF-8": lambda: text.encode(),
        "UTF8": lambda: text.encode(),
    }
    return _chosen(readers, form)()


def _chosen(choices: dict[str, Callable[[], T]], form: str) -> Callable[[], T]:
    if form.upper() not in choices:
        raise GoogleSqlError(f"Invalid format '{form}' for a conversion between BYTES and STRING")
    return choices[form.upper()]


@function("md5(BLOB) -> BLOB")
def md5(data: bytes) -> bytes:
    return hashlib.md5(data, usedforsecurity=False).digest()


@function("sha1(BLOB) -> BLOB")
def sha1(data: bytes) -> bytes:
    return hashlib.sha1(data, usedforsecurity=False).digest()


@function("sha256(BLOB) -> BLOB")
def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


@function("sha512(BLOB) -> BLOB")
def sha512(data: bytes) -> bytes:
    return hashlib.sha512(data).digest()
