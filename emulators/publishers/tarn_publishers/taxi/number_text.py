"""How the CSV files write fractions: two ways, by era."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class NumberText:
    """How fractions are written: from cents, hundredths of a mile and millionths of a degree."""

    money: Callable[[int], str]
    distance: Callable[[int], str]
    position: Callable[[int], str]


def _shortest(hundredths: int) -> str:
    return f"{hundredths / 100:.12g}"


def _without_leading_zero(hundredths: int) -> str:
    return f"{hundredths // 100 or ''}.{hundredths % 100:02d}"


def _seventeen_digits(hundredths: int) -> str:
    return f"{hundredths / 100:.17g}"


# A position that went through a 32-bit float and was then written with all the digits of a 64-bit one.
def _widened_position(millionths: int) -> str:
    return f"{float(np.float32(millionths / 1_000_000)):.17g}"


def _seventeen_digit_position(millionths: int) -> str:
    return f"{millionths / 1_000_000:.17g}"


PLAIN = NumberText(_shortest, _without_leading_zero, _widened_position)
ALL_DIGITS = NumberText(_seventeen_digits, _seventeen_digits, _seventeen_digit_position)
