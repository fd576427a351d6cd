"""The signatures that GoogleSQL lists in its errors, and why a call fits none of them.

The emulator's own way to compile a function may be laxer than Google's: a call is held to Google's list first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sqlglot import exp

from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler.functions.registry import Call, parse_type
from tarn_bigquery.sql.compiler.kinds import NULL
from tarn_bigquery.sql.compiler.mismatches import no_coercion, no_supertype
from tarn_bigquery.sql.compiler.values import Value, coerce, common_type

_FILE = Path(__file__).with_name("signatures.txt")
_NAMES = r"INT64|FLOAT64|BOOL|STRING|BYTES|DATE|TIME|DATETIME|TIMESTAMP|INTERVAL|JSON|ANY|T[0-9]|NUMERIC|BIGNUMERIC"
_TYPE = re.compile(rf"(?:{_NAMES})|ARRAY<(?:{_NAMES})>")
_ARGUMENT = re.compile(r"\[(?P<repeated>.+), \.\.\.\]|\[(?P<optional>.+)\]|(?P<required>.+)")
_BRACKETS = re.compile(r"[\[<(]|(?<![=-])>|[\])]|, ")
_TEMPLATE = re.compile(r"T[0-9]")
_NOT_COMPILED = (exp.Kwarg, exp.Lambda, exp.Star, exp.Interval, exp.Alias)


@dataclass(frozen=True)
class Argument:
    """An argument of a signature: its type, or the template of one.

    The type is None for what is more than a type: the name of a date part, a lambda, what is given by its name.
    """

    type: str | None
    is_optional: bool
    is_repeated: bool

    @classmethod
    def parse(cls, text: str) -> "Argument":
        found = _ARGUMENT.fullmatch(text)
        groups = found.groupdict() if found is not None else {}
        kind = groups.get("repeated") or groups.get("optional") or groups.get("required") or text
        is_type = _TYPE.fullmatch(kind) is not None
        return cls(kind if is_type else None, groups.get("required") is None, groups.get("repeated") is not None)


@dataclass(frozen=True)
class Listed:
    """One signature."""

    text: str
    arguments: tuple[Argument, ...]

    @classmethod
    def parse(cls, text: str) -> "Listed":
        inside = text.partition("(")[2].removesuffix(")")
        return cls(text, tuple(map(Argument.parse, _parts(inside))))

    @property
    def has_types_alone(self) -> bool:
        return all(argument.type is not None for argument in self.arguments)

    def wrong_number(self, given: int) -> str | None:
        """Why so many arguments do not fit, in Google's words; None where they do."""
        least = sum(not argument.is_optional for argument in self.arguments)
        if given < least:
            return f"Signature requires at least {_counted(least)}, found {_counted(given)}"
        is_open = any(argument.is_repeated for argument in self.arguments)
        if given > len(self.arguments) and not is_open:
            return f"Signature accepts at most {_counted(len(self.arguments))}, found {_counted(given)}"
        return None

    def misfit(self, args: Sequence[Value]) -> str | None:
        """Why the arguments do not fit; None where they do, or that cannot be told of their types."""
        if (problem := self.wrong_number(len(args))) is not None or not self.has_types_alone:
            return problem
        templates: dict[str, list[Value]] = {}
        for place, arg in enumerate(args):
            pattern = self.arguments[min(place, len(self.arguments) - 1)].type
            if (problem := _misfit(pattern, arg, templates)) is not None:
                return f"Argument {place + 1}: {problem}"
        unlike = (name for name, values in templates.items() if common_type(values) is None)
        return next((no_supertype(name, [value.type for value in templates[name]]) for name in unlike), None)


@dataclass(frozen=True)
class Function:
    """A function as Google names it. `kind` is function, aggregate function or analytic function."""

    kind: str
    name: str
    signatures: list[Listed]


def check(call: Call) -> None:
    """Raises ApiError `invalidQuery` for a call that none of the function's signatures fits."""
    function = function_of(call.name)
    if function is None or any(isinstance(node, _NOT_COMPILED) for node in call.nodes):
        return
    if all(listed.wrong_number(len(call.nodes)) is not None for listed in function.signatures):
        raise no_match(call, function)
    has_types_alone = all(listed.has_types_alone for listed in function.signatures)
    if has_types_alone and all(listed.misfit(call.args) is not None for listed in function.signatures):
        raise no_match(call, function)


def no_match(call: Call, function: Function) -> ApiError:
    """The error for arguments that fit no signature."""
    title = f"No matching signature for {function.kind} {function.name}"
    types = ", ".join(str(arg.type) for arg in call.args)
    lines = [f"{title}\n  Argument types: {types}" if types else f"{title} with no arguments"]
    for listed in function.signatures:
        lines.append(f"  Signature: {listed.text}")
        if (problem := listed.misfit(call.args)) is not None:
            lines.append(f"    {problem}")
    return call.wrong("\n".join(lines))


def function_of(name: str) -> Function | None:
    """The function of that name, where its signatures are known."""
    return functions().get(name)


def _parts(text: str) -> Iterator[str]:
    """What stands between the commas that are in no brackets."""
    depth = start = 0
    for found in _BRACKETS.finditer(text):
        if found[0] != ", ":
            depth += 1 if found[0] in "[<(" else -1
        elif depth == 0:
            yield text[start : found.start()]
            start = found.end()
    if text:
        yield text[start:]


def _misfit(pattern: str | None, arg: Value, templates: dict[str, list[Value]]) -> str | None:
    """Why one argument does not fit; one that stands for a template is noted with the others that do."""
    if pattern is None or pattern == "ANY":
        return None
    if _TEMPLATE.fullmatch(pattern):
        templates.setdefault(pattern, []).append(arg)
        return None
    wanted = parse_type(pattern)
    if wanted.element is not None and _TEMPLATE.fullmatch(wanted.element.name):
        if arg.type == NULL:
            return None
        if arg.type.name != "ARRAY":
            return f"expected array type but found {arg.type}"
        if arg.type.element is not None:
            templates.setdefault(wanted.element.name, []).append(Value(arg.sql, arg.type.element))
        return None
    return None if coerce(arg, wanted) else no_coercion(arg.type, wanted)


def _counted(number: int) -> str:
    return f"{number} argument{'' if number == 1 else 's'}"


@cache
def functions() -> dict[str, Function]:
    """The functions of the list by their names and other names."""
    found: dict[str, Function] = {}
    kind = ""
    for line in _FILE.read_text(encoding="utf-8").splitlines():
        if not line or line.startswith("#"):
            continue
        if line.startswith("["):
            kind = line.strip("[]")
        elif " = " in line:
            other, name = line.split(" = ")
            found[other] = found[name]
        else:
            name = line.split("(", 1)[0]
            found.setdefault(name, Function(kind, name, [])).signatures.append(Listed.parse(line))
    return found
