"""Arithmetic that DuckDB's 38 digits cannot carry through, and numbers read from text."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_DIGITS = 100
_SCALE = Decimal("1e-18")
_LIMIT = Decimal(10) ** 20
_NUMBER = re.compile(r"\s*([+-]?)\s*((?:\d[\d,]*)?(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([+-]?)\s*")


@function("bignumeric_multiply(DECIMAL(38,18); DECIMAL(38,18)) -> DECIMAL(38,18)")
def multiply(left: Decimal, right: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return _fitted(left * right)


@function("bignumeric_divide(DECIMAL(38,18); DECIMAL(38,18)) -> DECIMAL(38,18)")
def divide(left: Decimal, right: Decimal) -> Decimal:
    if not right:
        raise GoogleSqlError(f"division by zero: {left.normalize():f} / {right.normalize():f}")
    with localcontext(prec=_DIGITS):
        return _fitted(left / right)


@function("exact_text(DOUBLE) -> VARCHAR")
def exact_text(value: float) -> str:
    """All digits of a float, so that rounding happens once."""
    with localcontext(prec=_DIGITS):
        return f"{Decimal(value).quantize(Decimal('1e-9'), ROUND_HALF_UP):f}"


@function("is_exact_float(VARCHAR) -> BOOLEAN")
def is_exact_float(text: str) -> bool:
    """Whether a FLOAT64 gives the same decimal digits again."""
    return Decimal(repr(float(text))) == Decimal(text)


@function("parse_numeric(VARCHAR) -> DECIMAL(38,9)")
def parse_numeric(text: str) -> Decimal:
    return _parsed(text, "numeric", Decimal("1e-9"), Decimal(10) ** 29)


@function("parse_bignumeric(VARCHAR) -> DECIMAL(38,18)")
def parse_bignumeric(text: str) -> Decimal:
    return _parsed(text, "bignumeric", _SCALE, _LIMIT)


def _parsed(text: str, kind: str, scale: Decimal, limit: Decimal) -> Decimal:
    found = _NUMBER.fullmatch(text)
    if found is None or (found[1] and found[3]):
        raise GoogleSqlError(f"Invalid input to PARSE_{kind.upper()}: {text}")
    try:
        with localcontext(prec=_DIGITS):
            value = Decimal(f"{found[1] or found[3]}{found[2].replace(',', '')}").quantize(scale, ROUND_HALF_UP)
    except InvalidOperation as error:
        raise GoogleSqlError(f"Invalid input to PARSE_{kind.upper()}: {text}") from error
    if abs(value) >= limit:
        raise GoogleSqlError(f"Invalid input to PARSE_{kind.upper()}: {text}")
    return value


def _fitted(value: Decimal) -> Decimal:
    rounded = value.quantize(_SCALE, ROUND_HALF_UP)
    if abs(rounded) >= _LIMIT:
        raise GoogleSqlError("BIGNUMERIC overflow: the emulator holds 20 digits before the point and 18 behind it")
    return rounded


@function("shift_left(BIGINT, BIGINT) -> BIGINT")
def shift_left(value: int, by: int) -> int:
    shifted = (value << by) & 0xFFFF_FFFF_FFFF_FFFF
    return shifted - 2**64 if shifted >= 2**63 else shifted


@function("shift_right(BIGINT, BIGINT) -> BIGINT")
def shift_right(value: int, by: int) -> int:
    shifted = (value & 0xFFFF_FFFF_FFFF_FFFF) >> by
    return shifted - 2**64 if shifted >= 2**63 else shifted
