"""Arithmetic that DuckDB's 38 digits cannot carry through, and numbers read from text."""

import re
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, Overflow, localcontext

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_DIGITS = 100
_SCALE = Decimal("1e-18")
_LIMIT = Decimal(10) ** 20
_NUMBER = re.compile(r"\s*([+-]?)\s*((?:\d[\d,]*)?(?:\.\d*)?(?:[eE][+-]?\d+)?)\s*([+-]?)\s*")


@function("bignumeric_add(DECIMAL(38,18); DECIMAL(38,18)) -> DECIMAL(38,18)")
def add(left: Decimal, right: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return _fitted(left + right)


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


def _checked(name: str, valid: bool, *values: Decimal) -> None:
    if not valid:
        shown = ", ".join(f"{value.normalize():f}" for value in values)
        raise GoogleSqlError(f"Floating point error in function: {name}({shown})")


def _limited(name: str, result: Decimal, *values: Decimal) -> Decimal:
    """A result brought to the widest scale that the engine holds."""
    _checked(name, abs(result) < _LARGEST, *values)
    scale = _SCALE if abs(result) < _LIMIT else Decimal("1e-9")
    with localcontext(prec=_DIGITS):
        return result.quantize(scale, ROUND_HALF_UP)


_LARGEST = Decimal(10) ** 29


@function("decimal_sqrt(DECIMAL(38,18);) -> DECIMAL(38,18)")
def decimal_sqrt(value: Decimal) -> Decimal:
    _checked("SQRT", value >= 0, value)
    with localcontext(prec=_DIGITS):
        return _limited("SQRT", value.sqrt(), value)


@function("decimal_cbrt(DECIMAL(38,18);) -> DECIMAL(38,18)")
def decimal_cbrt(value: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        root = abs(value) ** (Decimal(1) / 3) if value else Decimal(0)
        return _limited("CBRT", root.copy_sign(value), value)


@function("decimal_exp(DECIMAL(38,18);) -> DECIMAL(38,18)")
def decimal_exp(value: Decimal) -> Decimal:
    with localcontext(prec=_DIGITS):
        return _limited("EXP", value.exp(), value)


@function("decimal_ln(DECIMAL(38,18);) -> DECIMAL(38,18)")
def decimal_ln(value: Decimal) -> Decimal:
    _checked("LN", value > 0, value)
    with localcontext(prec=_DIGITS):
        return _limited("LN", value.ln(), value)


@function("decimal_log10(DECIMAL(38,18);) -> DECIMAL(38,18)")
def decimal_log10(value: Decimal) -> Decimal:
    _checked("LOG10", value > 0, value)
    with localcontext(prec=_DIGITS):
        return _limited("LOG10", value.log10(), value)


@function("decimal_log(DECIMAL(38,18); DECIMAL(38,18)) -> DECIMAL(38,18)")
def decimal_log(value: Decimal, base: Decimal) -> Decimal:
    _checked("LOG", value > 0 and base > 0 and base != 1, value, base)
    with localcontext(prec=_DIGITS):
        return _limited("LOG", value.ln() / base.ln(), value, base)


@function("decimal_pow(DECIMAL(38,18); DECIMAL(38,18)) -> DECIMAL(38,18)")
def decimal_pow(value: Decimal, exponent: Decimal) -> Decimal:
    whole = exponent == exponent.to_integral_value()
    _checked("POW", (value >= 0 or whole) and (value != 0 or exponent >= 0), value, exponent)
    if not exponent:
        return Decimal(1)
    with localcontext(prec=_DIGITS):
        try:
            return _limited("POW", value**exponent, value, exponent)
        except (InvalidOperation, Overflow) as error:
            raise GoogleSqlError(f"Floating point error in function: POW({value}, {exponent})") from error


@function("is_exact_float(VARCHAR) -> BOOLEAN")
def is_exact_float(text: str) -> bool:
    """Whether a FLOAT64 gives the same decimal digits again."""
    return Decimal(repr(float(text))) == Decimal(text)


@function("parse_numeric(VARCHAR) -> DECIMAL(38,9)")
def parse_numeric(text: str) -> Decimal:
    return _parsed(text, "numeric", Decimal("1e-9"), Decimal(10) ** 29)


@function("parse_bignumeric(VARCHAR) -> DECIMAL(38,18)")
def parse_bignumeric(text: str) -> Decimal:
    return _whole(_parsed(text, "bignumeric", Decimal("1e-38"), Decimal(10) ** 38))


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


@function("bignumeric_of_text(VARCHAR) -> DECIMAL(38,18)")
def bignumeric_of_text(text: str) -> Decimal:
    """A text that DuckDB's own cast cannot read, or would cut."""
    try:
        value = Decimal(text.strip())
    except InvalidOperation as error:
        raise GoogleSqlError(f"Invalid BIGNUMERIC value: {text}") from error
    if not value.is_finite():
        raise GoogleSqlError(f"Invalid BIGNUMERIC value: {text}")
    return _whole(value)


def _whole(value: Decimal) -> Decimal:
    """A number as it is, which must not lose digits."""
    with localcontext(prec=_DIGITS):
        fitted = _fitted(value)
    if fitted != value:
        raise _beyond(f"the number {value}")
    return fitted


def _fitted(value: Decimal) -> Decimal:
    rounded = value.quantize(_SCALE, ROUND_HALF_UP)
    if abs(rounded) >= _LIMIT:
        raise _beyond("overflow")
    return rounded


def _beyond(what: str) -> GoogleSqlError:
    return GoogleSqlError(f"BIGNUMERIC {what}: the emulator holds 20 digits before the point and 18 behind it")


@function("shift_left(BIGINT, BIGINT) -> BIGINT")
def shift_left(value: int, by: int) -> int:
    shifted = (value << by) & 0xFFFF_FFFF_FFFF_FFFF
    return shifted - 2**64 if shifted >= 2**63 else shifted


@function("shift_right(BIGINT, BIGINT) -> BIGINT")
def shift_right(value: int, by: int) -> int:
    shifted = (value & 0xFFFF_FFFF_FFFF_FFFF) >> by
    return shifted - 2**64 if shifted >= 2**63 else shifted
