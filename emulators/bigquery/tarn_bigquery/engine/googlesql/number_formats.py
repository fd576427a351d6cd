"""FORMAT clauses of CAST from a number to STRING.

https://cloud.google.com/bigquery/docs/reference/standard-sql/format-elements#format_numeric_type_as_string
"""

import re
from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal, localcontext

from tarn_bigquery.engine.googlesql.udf import GoogleSqlError, function

_ELEMENT = re.compile(r"EEEE|FM|MI|PR|RN|TM[9Ee]?|[09XxSsDdGgCcLlBbVv$.,]", re.IGNORECASE)
_ROMAN = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"), (40, "XL"), (10, "X"),
          (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
_ROMAN_WIDTH, _LAST_ROMAN = 15, 3999


@dataclass
class _Model:
    """What a format asks for. `whole` and `fraction` are the digits around the point, with the separators."""

    whole: list[str] = field(default_factory=list)
    fraction: list[str] = field(default_factory=list)
    point: str = ""
    sign: str = ""
    sign_first: bool = True
    currency: str = ""
    exponent: bool = False
    compact: bool = False
    blank_zero: bool = False
    shift: int | None = None


def _wrong(form: str) -> GoogleSqlError:
    return GoogleSqlError(f"Invalid format string: '{form}'")


def _model(form: str) -> _Model:
    """The format read. Raises GoogleSqlError for an element that is not known or stands twice."""
    model = _Model()
    at = 0
    while at < len(form):
        found = _ELEMENT.match(form, at)
        if found is None:
            raise _wrong(form)
        at = found.end()
        _enter(model, found[0], form, is_last=at == len(form))
    return model


def _enter(model: _Model, written: str, form: str, *, is_last: bool) -> None:
    name = written.upper()
    digits = model.fraction if model.point else model.whole
    if name in {"0", "9", "X"}:
        digits.append(written)
        model.shift = model.shift + 1 if model.shift is not None else None
    elif name in {",", "G"}:
        digits.append(",")
    elif name in {".", "D"} and not model.point:
        model.point = "."
    elif name in {"$", "L", "C"} and not model.currency:
        model.currency = "$" if name in {"$", "L"} else "USD" if written == "C" else "usd"
    elif name in {"S", "MI", "PR"} and not model.sign and (name == "S" or is_last):
        model.sign, model.sign_first = name, not (model.whole or model.point)
    elif name == "EEEE" and not model.exponent:
        model.exponent = True
    elif name == "FM":
        model.compact = True
    elif name == "B":
        model.blank_zero = True
    elif name == "V" and model.shift is None:
        model.shift = 0
    else:
        raise _wrong(form)


@function("format_number(VARCHAR, VARCHAR) -> VARCHAR")
def format_number(form: str, text: str) -> str:
    """A number, given as its text, by the format."""
    if re.fullmatch(r"TM[9Ee]?", form, re.IGNORECASE):
        return _shortest(form.upper(), text)
    if form.upper() in {"RN", "FMRN", "RNFM"}:
        roman = _roman(Decimal(text), form)
        return roman if "FM" in form.upper() else roman.rjust(_ROMAN_WIDTH)
    model = _model(form)
    if text in {"inf", "-inf", "nan"}:
        raise GoogleSqlError(f"Cannot format {text} with the format string '{form}'")
    with localcontext(prec=120):
        return _written(model, Decimal(text))


def _shortest(form: str, text: str) -> str:
    return text if form != "TME" else f"{Decimal(text):E}"


def _roman(number: Decimal, form: str) -> str:
    value = int(number.quantize(Decimal(1), ROUND_HALF_UP))
    if not 1 <= value <= _LAST_ROMAN:
        raise GoogleSqlError(f"The number {number} cannot be written with the format string '{form}'")
    letters = ""
    for size, letter in _ROMAN:
        letters += letter * (value // size)
        value %= size
    return letters


def _written(model: _Model, number: Decimal) -> str:
    hexadecimal = any(element in "Xx" for element in model.whole)
    places = sum(element != "," for element in model.fraction)
    size = abs(number) * (10**model.shift if model.shift is not None else 1)
    exponent = size.adjusted() if model.exponent and size else 0
    if model.exponent:
        size = size.scaleb(-exponent)
    rounded = size.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    if model.exponent and rounded >= 10:
        rounded, exponent = (rounded / 10).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), exponent + 1
    plain_whole, _, fraction = f"{rounded:f}".partition(".")
    if hexadecimal:
        plain_whole = f"{int(rounded):X}"
    plain_whole = "" if plain_whole == "0" and model.point else plain_whole
    if len(plain_whole) > sum(element != "," for element in model.whole):
        body = "".join("," if element == "," else "#" for element in model.whole)
        body += model.point + "#" * places
    else:
        body = _digits(model, plain_whole) + model.point + _fraction(model, fraction)
    if model.exponent:
        body += f"E{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    written = _signed(model, body, number < 0, is_zero=not rounded)
    if model.blank_zero and number.copy_abs() < 1:
        written = " " * len(written)
    if model.compact:
        written = written.replace(" ", "")
        written = written.rstrip("0").rstrip(".") if model.fraction and not model.exponent else written
    return written


def _digits(model: _Model, digits: str) -> str:
    """The digits in front of the point, in the places of the format."""
    places = [element for element in model.whole if element != ","]
    filled = digits.rjust(len(places))
    # Zeros begin at the first 0 of the format.
    first_zero = places.index("0") if "0" in places else len(places)
    if not digits and not model.point and places:
        first_zero = min(first_zero, len(places) - 1)
    shown = [("0" if digit == " " and i >= first_zero else digit) for i, digit in enumerate(filled)]
    cases = _cases(places)
    shown = [digit.lower() if lower else digit for digit, lower in zip(shown, cases, strict=True)]
    result, rest = "", iter(shown)
    for element in model.whole:
        if element == ",":
            result += "," if result.strip() else " "
        else:
            result += next(rest)
    return result


def _cases(places: list[str]) -> list[bool]:
    """For each place whether its letter is a small one: a 0 takes the case of the next X or x."""
    cases, lower = [], False
    for element in reversed(places):
        lower = element == "x" if element in "Xx" else lower
        cases.append(lower)
    return cases[::-1]


def _fraction(model: _Model, digits: str) -> str:
    rest = iter(digits)
    return "".join("," if element == "," else next(rest) for element in model.fraction)


def _signed(model: _Model, body: str, negative: bool, *, is_zero: bool) -> str:
    """The body with its currency and its sign next to the digits."""
    digits = body.lstrip(" ")
    blanks = body[: len(body) - len(digits)]
    digits = model.currency + digits
    negative = negative and not is_zero
    if model.sign == "PR":
        return f"{blanks}<{digits}>" if negative else f"{blanks} {digits} "
    if model.sign == "MI" or (model.sign == "S" and not model.sign_first):
        plus = "+" if model.sign == "S" and not is_zero else " "
        return f"{blanks}{digits}{'-' if negative else plus}"
    plus = "+" if model.sign == "S" and not is_zero else " "
    return f"{blanks}{'-' if negative else plus}{digits}"
