"""The table of functions that are written in Python. A NULL among the arguments makes the result NULL."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, TypeVar

Call = TypeVar("Call", bound=Callable[..., Any])


class GoogleSqlError(Exception):
    """What is wrong with a value, as BigQuery says it."""


@dataclass(frozen=True)
class Function:
    name: str
    call: Callable[..., Any]
    arguments: list[str]
    returns: str


FUNCTIONS: list[Function] = []


def function(signature: str) -> Callable[[Call], Call]:
    """Enter a function: `reverse(VARCHAR) -> VARCHAR` is called `googlesql_reverse` in SQL."""
    head, returns = signature.split(" -> ")
    name, _, listed = head[:-1].partition("(")
    arguments = [item.strip() for item in listed.split(";" if ";" in listed else ",") if item.strip()]

    def enter(call: Call) -> Call:
        @wraps(call)
        def null_in_null_out(*values: Any) -> Any:
            return None if any(value is None for value in values) else call(*values)

        FUNCTIONS.append(Function(f"googlesql_{name}", null_in_null_out, arguments, returns))
        return call

    return enter
