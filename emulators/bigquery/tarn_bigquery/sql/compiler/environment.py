"""What a statement's compilation knows besides its scopes: its text, its common table expressions, the routines."""

from dataclasses import dataclass, field, replace
from typing import Protocol

from sqlglot import exp

from tarn_bigquery.errors import ApiError, invalid_query, unsupported
from tarn_bigquery.sql.compiler.kinds import Type
from tarn_bigquery.sql.compiler.scope import Relation
from tarn_bigquery.sql.syntax import place


@dataclass(frozen=True)
class Routine:
    """A user-defined function: its arguments, what it returns where that is declared, and its body.

    An argument of type None takes any type. `script` is the code of a function that is written in JavaScript.
    `of_rows` has, for an aggregate function, the arguments that differ from row to row, and is None for any other.
    """

    name: str
    arguments: list[tuple[str, Type | None]]
    returns: Type | None
    body: exp.Expr
    script: str | None = None
    of_rows: frozenset[str] | None = None


class Routines(Protocol):
    """Where user-defined functions are found."""

    def function(self, path: list[str]) -> Routine | None:
        """The scalar function of that name."""

    def table_function(self, path: list[str]) -> Routine | None:
        """The table function of that name."""


class NoRoutines:
    def function(self, path: list[str]) -> Routine | None:
        return None

    def table_function(self, path: list[str]) -> Routine | None:
        return None


@dataclass(frozen=True)
class Cte:
    """A common table expression in reach: the name it has in the SQL that is written, and its columns.

    `hidden` are columns that the query knows nothing of.
    """

    name: str
    columns: list[tuple[str, Type]]
    hidden: tuple[tuple[str, Type], ...] = ()


@dataclass(frozen=True)
class Environment:
    """`columns` has, by the id of its node, the relations among which a column was found.

    Not all that looks like a column is one: the part of a date in `DATE_TRUNC(d, MONTH)` is none.
    """

    text: str = ""
    routines: Routines = field(default_factory=NoRoutines)
    ctes: dict[str, Cte] = field(default_factory=dict)
    depth: int = 0
    columns: dict[int, list[Relation]] = field(default_factory=dict)

    def with_cte(self, cte: Cte) -> "Environment":
        return replace(self, ctes={**self.ctes, cte.name.lower(): cte})

    def inside(self, routine: Routine) -> "Environment":
        """The environment of a routine's body. Raises ApiError where routines nest without end."""
        if self.depth > 32:
            raise invalid_query(f"Too many nested calls of user-defined functions at {routine.name}")
        return replace(self, text="", ctes={}, depth=self.depth + 1)

    def at(self, node: exp.Expr) -> str:
        """` at [line:column]` where the node or its first part stands, or nothing where that is not known."""
        while isinstance(node.parent, exp.Dot) and node.arg_key == "expression":
            node = node.parent
        for part in node.walk(bfs=False):
            start = part.meta_get("start")
            if start is not None and start < len(self.text):
                return place(self.text, start)
        return ""

    def wrong(self, message: str, node: exp.Expr) -> ApiError:
        """The error for a mistake in the query, with its place."""
        return invalid_query(f"{message}{self.at(node)}")


def not_supported(node: exp.Expr) -> ApiError:
    written = node.sql("bigquery")
    return unsupported(written if len(written) <= 100 else f"{written[:100]}...")
