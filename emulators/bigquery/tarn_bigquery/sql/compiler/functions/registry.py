"""The table of functions, and calls matched to signatures.

A signature is written as BigQuery's documentation has it, and maps to DuckDB SQL:

    signature("SUBSTR(STRING, INT64, [INT64]) -> STRING", "googlesql.substr({args})")

`[...]` encloses what may be left out, `...` repeats the last argument, `ANY` is any type as it comes, `T` any type
and `N` any type of number, the same at every place.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from sqlglot import exp

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler.kinds import INT64, NULL, Type
from tarn_bigquery.sql.compiler.values import MACRO, Value, coerce, common_type, once

if TYPE_CHECKING:
    from tarn_bigquery.sql.compiler.expressions import Expressions

_VARIABLES = {"T", "N"}


@dataclass(frozen=True)
class Modifiers:
    """What may stand in a call besides its arguments: `DISTINCT x IGNORE NULLS HAVING MAX y ORDER BY z LIMIT n`."""

    distinct: bool = False
    nulls: str | None = None
    having: exp.HavingMax | None = None
    order: tuple[exp.Ordered, ...] = ()
    limit: exp.Expr | None = None


@dataclass
class Call:
    """A call of a function, in the scope that it stands in.

    `over` is the window's SQL, for an analytic call; `where` is a condition on the rows that an aggregate takes.
    """

    name: str
    nodes: list[exp.Expr]
    node: exp.Expr
    compiler: "Expressions"
    modifiers: Modifiers = field(default_factory=Modifiers)
    over: str | None = None
    where: str | None = None
    given: list[Value] | None = None

    @cached_property
    def args(self) -> list[Value]:
        """The arguments, compiled."""
        if self.given is not None:
            return self.given
        return [self.compiler.value(node) for node in self.nodes]

    def wrong(self, message: str) -> ApiError:
        return self.compiler.env.wrong(message, self.node)

    def check_arity(self, least: int, most: int | None = None) -> None:
        """Raises ApiError where the call has too few or too many arguments."""
        count = len(self.nodes)
        if count < least or (most is not None and count > most):
            raise self.no_match([])

    def word(self, index: int) -> str:
        """An argument that is a word and no value: a date part such as DAY or WEEK(MONDAY), NFC, a mode."""
        node = self.nodes[index]
        if isinstance(node, exp.Anonymous) and node.expressions:
            return f"{node.name}({node.expressions[0].name})".upper()
        return node.name.upper()

    def no_match(self, signatures: list["Signature"]) -> ApiError:
        from tarn_bigquery.sql.compiler.functions.listed import function_of, no_match

        if (known := function_of(self.name)) is not None:
            return no_match(self, known)
        types = ", ".join(str(INT64 if a.type == NULL else a.type) for a in self.args)
        listed = "".join(f"\n  Signature: {signature.text}" for signature in signatures)
        return self.wrong(f"No matching signature for function {self.name}\n  Argument types: {types}{listed}")

    def aggregate(self, sql: str, where: str | None = None) -> str:
        """An aggregate's SQL with the rows that it takes and the window that it is over."""
        conditions = [condition for condition in (where, self.where) if condition]
        filtered = f"{sql} FILTER (WHERE {' AND '.join(conditions)})" if conditions else sql
        return f"{filtered} OVER {self.over}" if self.over is not None else filtered

    @property
    def order(self) -> str:
        """The ORDER BY inside the call, or nothing."""
        from tarn_bigquery.sql.compiler.windows import ordered

        keys = ", ".join(ordered(self.compiler, key) for key in self.modifiers.order)
        return f" ORDER BY {keys}" if keys else ""

    @property
    def distinct(self) -> str:
        return "DISTINCT " if self.modifiers.distinct else ""


Handler = Callable[[Call], Value]
FUNCTIONS: dict[str, Handler] = {}


def function(*names: str) -> Callable[[Handler], Handler]:
    """Enter a handler under the names of the functions that it compiles."""

    def enter(handler: Handler) -> Handler:
        for name in names:
            FUNCTIONS[name] = handler
        return handler

    return enter


@dataclass(frozen=True)
class Signature:
    """Types of arguments, a type of result, and the SQL template that computes it."""

    text: str
    required: tuple[Type, ...]
    optional: tuple[Type, ...]
    repeats: bool
    returns: Type
    template: str

    def match(self, call: Call) -> tuple[int, Value] | None:
        """The call compiled by this signature, and how far its arguments had to be coerced; None if they do not fit."""
        args = call.args
        wanted = self.required + self.optional
        if len(args) < len(self.required) or (len(args) > len(wanted) and not self.repeats):
            return None
        wanted = wanted[: len(args)] + (wanted[-1:] * (len(args) - len(wanted)) if wanted else ())
        variables = _bind(wanted, args)
        if variables is None:
            return None
        cost, fitted = 0, []
        for pattern, arg in zip(wanted, args, strict=True):
            value = arg if pattern.name == "ANY" else coerce(arg, _substitute(pattern, variables))
            if value is None:
                return None
            cost += value.type != arg.type
            fitted.append(value.sql)
        template = self.template.replace("{args}", ", ".join(f"{{{i}}}" for i in range(len(fitted))))
        sql = once(template, *fitted) if MACRO in template else template.format(*fitted)
        return cost, Value(sql, _substitute(self.returns, variables))


def signature(text: str, template: str) -> None:
    """Enter a signature and its SQL. Several may have one name: the one that needs the least coercion is taken."""
    parsed = _parse(text, template)
    name = text.split("(", 1)[0]
    known = FUNCTIONS.get(name)
    if isinstance(known, Overloads):
        known.signatures.append(parsed)
    else:
        FUNCTIONS[name] = Overloads([parsed])


def escaped(sql: str) -> str:
    """SQL that shall stand in a template as it is."""
    return sql.replace("{", "{{").replace("}", "}}")


def alias(name: str, *others: str) -> None:
    """Enter a function under other names too."""
    for other in others:
        FUNCTIONS[other] = FUNCTIONS[name]


@dataclass
class Overloads:
    """A function that is nothing but its signatures."""

    signatures: list[Signature]

    def __call__(self, call: Call) -> Value:
        found = [match for signature in self.signatures if (match := signature.match(call)) is not None]
        if not found:
            raise call.no_match(self.signatures)
        return min(found, key=lambda match: match[0])[1]


def _parse(text: str, template: str) -> Signature:
    listed, returns = re.fullmatch(r"[\w.]+\((.*)\) -> (.+)", text).groups()  # type: ignore[union-attr]
    listed, repeats = re.subn(r",? ?\.\.\.$", "", listed)
    plain, _, optional = listed.partition("[")
    required = tuple(parse_type(item) for item in _split(plain))
    rest = tuple(parse_type(item.strip(" []")) for item in _split(optional))
    return Signature(text, required, rest, bool(repeats), parse_type(returns), template)


def _split(text: str) -> list[str]:
    return [item.strip() for item in text.strip(" ,").split(",") if item.strip()]


def parse_type(text: str) -> Type:
    """`ARRAY<T>` and the like."""
    nested = re.fullmatch(r"(ARRAY|RANGE)<(.+)>", text)
    return Type(nested[1], parse_type(nested[2])) if nested else Type(text)


def _bind(wanted: tuple[Type, ...], args: list[Value]) -> dict[str, Type] | None:
    """The types that the variables stand for: the common type of the arguments at their places."""
    bound: dict[str, list[Value]] = {}
    for pattern, arg in zip(wanted, args, strict=True):
        if pattern.name in _VARIABLES:
            bound.setdefault(pattern.name, []).append(arg)
        elif pattern.element is not None and pattern.element.name in _VARIABLES:
            if arg.type == NULL:
                bound.setdefault(pattern.element.name, [])
                continue
            if arg.type.name != pattern.name or arg.type.element is None:
                return None
            bound.setdefault(pattern.element.name, []).append(Value(arg.sql, arg.type.element))
    types: dict[str, Type] = {}
    for name, values in bound.items():
        common = common_type(values)
        if common is None or (name == "N" and common != NULL and not common.is_numeric):
            return None
        types[name] = INT64 if common == NULL else common
    return types


def _substitute(pattern: Type, variables: dict[str, Type]) -> Type:
    if pattern.name in variables:
        return variables[pattern.name]
    if pattern.element is not None:
        return Type(pattern.name, _substitute(pattern.element, variables))
    return pattern
