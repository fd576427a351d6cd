"""Intervals carried over from one part to another, and written as ISO 8601 has them."""

from typing import Any

from tarn_bigquery.engine.googlesql.udf import function

_DAY, _MONTH = 86_400_000_000, 30


def _carried(high: int, low: int, size: int) -> tuple[int, int]:
    """The low part brought below its size, and to the sign that the high one has."""
    whole = abs(low) // size * (1 if low >= 0 else -1)
    high, low = high + whole, low - whole * size
    if high > 0 > low:
        return high - 1, low + size
    if high < 0 < low:
        return high + 1, low - size
    return high, low


@function("justify(BIGINT, BIGINT, BIGINT, VARCHAR) -> STRUCT(months BIGINT, days BIGINT, us BIGINT)")
def justify(months: int, days: int, micros: int, what: str) -> dict[str, Any]:
    """JUSTIFY_HOURS, JUSTIFY_DAYS or, with `INTERVAL`, both, which gives all parts one sign."""
    if what == "INTERVAL":
        total = (months * _MONTH + days) * _DAY + micros
        sign = -1 if total < 0 else 1
        all_days, rest = divmod(abs(total), _DAY)
        whole, some = divmod(all_days, _MONTH)
        return {"months": sign * whole, "days": sign * some, "us": sign * rest}
    if what == "HOURS":
        days, micros = _carried(days, micros, _DAY)
    else:
        months, days = _carried(months, days, _MONTH)
    return {"months": months, "days": days, "us": micros}


@function("interval_iso(BIGINT, BIGINT, BIGINT) -> VARCHAR")
def iso(months: int, days: int, micros: int) -> str:
    """`P1Y2M3DT4H5M6.7S`; each part has its own sign."""
    sign = -1 if micros < 0 else 1
    seconds, fraction = divmod(abs(micros), 1_000_000)
    whole = sign * (seconds % 60)
    shown = f"{fraction:06d}".rstrip("0")
    second = f"{'-' if sign < 0 and not whole else ''}{whole}{'.' + shown if shown else ''}"
    years, rest = _parts(months, 12)
    clock = [(sign * (seconds // 3600), "H"), (sign * (seconds // 60 % 60), "M")]
    dates = "".join(f"{value}{unit}" for value, unit in ((years, "Y"), (rest, "M"), (days, "D")) if value)
    times = "".join(f"{value}{unit}" for value, unit in clock if value)
    times += f"{second}S" if seconds % 60 or fraction else ""
    return f"P{dates}{'T' + times if times else ''}" if dates or times else "P0Y"


def _parts(value: int, size: int) -> tuple[int, int]:
    sign = -1 if value < 0 else 1
    return sign * (abs(value) // size), sign * (abs(value) % size)
