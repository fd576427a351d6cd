"""What has failed in a script, and where: told in the message of its error, and in the variables `@@error`.

https://cloud.google.com/bigquery/docs/reference/standard-sql/procedural-language#beginexceptionend
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.context import Variable
from tarn_bigquery.sql.script import Fragment
from tarn_bigquery.sql.syntax import line_and_column
from tarn_bigquery.sql.types import Field

_PLACE = re.compile(r" at \[(\d+):(\d+)\]$")
_QUERY_ERROR = "Query error: "
_STACK_TRACE: Field = {
    "name": "",
    "type": "RECORD",
    "mode": "REPEATED",
    "fields": [
        {"name": "line", "type": "INTEGER"},
        {"name": "column", "type": "INTEGER"},
        {"name": "filename", "type": "STRING"},
        {"name": "location", "type": "STRING"},
    ],
}


@dataclass
class Activation:
    """A text that is being carried out, and the statement that it has come to.

    `procedure` is the full name of the procedure whose body it is, None for a script and for dynamic SQL.
    """

    procedure: str | None = None
    statement: Fragment | None = None

    @property
    def place(self) -> "Place":
        line, column = (1, 1)
        if self.statement is not None:
            line, column = line_and_column(self.statement.script, self.statement.start)
        return Place(line, column, self.procedure)


@dataclass(frozen=True)
class Place:
    """A line and a column, from 1, in a script or in the body of a procedure."""

    line: int
    column: int
    procedure: str | None

    def __str__(self) -> str:
        return f"{self.procedure or ''}[{self.line}:{self.column}]"

    @property
    def in_message(self) -> str:
        return (
            f" at [{self.procedure}:{self.line}:{self.column}]"
            if self.procedure
            else f" at [{self.line}:{self.column}]"
        )


@dataclass(frozen=True)
class Failure:
    """An error as a script tells it: with the statement that failed, and the calls that led to it, innermost first."""

    error: ApiError
    statement: str
    trace: tuple[Place, ...]

    def variables(self) -> dict[str, Variable]:
        """What an exception handler sees."""
        frames = [
            {"line": place.line, "column": place.column, "filename": None, "location": place.procedure}
            for place in self.trace
        ]
        texts: dict[str, Any] = {
            "message": self.error.message,
            "statement_text": self.statement,
            "formatted_stack_trace": "\n".join(f"At {place}" for place in self.trace),
        }
        found = {name: Variable({"name": "", "type": "STRING"}, text) for name, text in texts.items()}
        found["stack_trace"] = Variable(_STACK_TRACE, frames)
        return {f"@@error.{name}": variable for name, variable in found.items()}


def failure(error: ApiError, activations: Sequence[Activation], *, as_said: bool) -> Failure:
    """The failure of the innermost activation's statement. Its message gets a place, or is left `as_said`."""
    trace = tuple(activation.place for activation in reversed(activations))
    fragment = activations[-1].statement
    told = error if as_said else _told(error, trace[0])
    return Failure(told, fragment.text if fragment is not None else "", trace)


def _told(error: ApiError, place: Place) -> ApiError:
    """The error of a statement as that of its script."""
    message = error.message
    if found := _PLACE.search(message):
        message = message[: found.start()]
        place = Place(int(found[1]), int(found[2]), place.procedure)
    prefix = _QUERY_ERROR if error.reason == "invalidQuery" else ""
    return ApiError(error.reason, f"{prefix}{message}{place.in_message}", location=error.location, code=error.code)
