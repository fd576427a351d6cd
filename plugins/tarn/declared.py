"""What every part of a dataset's file has in common."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict

IDENTIFIER = r"^[a-z_][a-z0-9_]{0,127}$"


class Model(BaseModel):
    """A part of a dataset's file: immutable, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def text_keys(value: object) -> object:
    """Both sides of a mapping as text: YAML reads an unquoted 1 or Y as a number or a boolean."""
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _first_day(value: object) -> object:
    if isinstance(value, int) and not isinstance(value, bool):
        value = f"{value:04}"
    if isinstance(value, str) and re.fullmatch(r"\d{4}(-\d{2})?", value):
        return f"{value}-01-01"[: len("2024-01-01")]
    return value


FirstDay = Annotated[dt.date, BeforeValidator(_first_day)]
"""A date, or the first day of a year or month such as ``2024`` or ``2024-05``."""
