"""Cleaning rules: what a dataset declares to be dirt in a column's text, and what stands for it in the clean.

A rule changes text and nothing else; whether the outcome is a value is up to the cast that follows. What a rule has
changed makes its row a repaired one, under the rule's name.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

QUARANTINE, NULL = "quarantine", "null"
"""The two words of ``blank``; whatever else it says is the text that takes a blank's place."""


class Policy(StrEnum):
    """What happens where a publisher's file has other columns than the dataset declares."""

    EVOLVE = "evolve"
    IGNORE = "ignore"
    REFUSE = "refuse"


def _as_text(value: object) -> object:
    # YAML reads an unquoted 1 or Y as a number or a boolean; rules are about text.
    if isinstance(value, Mapping):
        return {str(key): str(new) for key, new in value.items()}
    if isinstance(value, list):
        return [str(item) for item in value]
    return value if value is None else str(value)


class Rule(BaseModel):
    """One rule of a column's ``repair``: exactly one of the fields is given."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    strip_prefix: Annotated[str | None, BeforeValidator(_as_text)] = Field(
        None, min_length=1, description="leading text to take away"
    )
    words: Annotated[dict[str, str] | None, BeforeValidator(_as_text)] = Field(
        None, min_length=1, description="whole values by what they mean; neither case nor the width of blanks matters"
    )
    date_format: str | None = Field(None, pattern="%", description="another form of a time, as strptime has it")
    decimal_zero: bool | None = Field(None, description="501.0 is 501: for columns of text, as numbers need no rule")
    null_when: Annotated[tuple[str, ...] | None, BeforeValidator(_as_text)] = Field(
        None, min_length=1, description="values that stand for none"
    )

    @model_validator(mode="after")
    def _is_one_rule(self) -> Self:
        if len(self.model_fields_set) != 1 or not self.kind:
            raise ValueError(f"give exactly one of {', '.join(type(self).model_fields)}")
        return self

    @property
    def kind(self) -> str:
        """The field that is given; empty where it says nothing."""
        return next((name for name in type(self).model_fields if getattr(self, name)), "")

    @property
    def label(self) -> str:
        """The rule's name, for people: its kind, and its text where it has but one."""
        value = getattr(self, self.kind)
        return f"{self.kind} {value}" if isinstance(value, str) else self.kind
