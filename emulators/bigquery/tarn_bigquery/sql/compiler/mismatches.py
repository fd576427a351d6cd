"""Types that do not go together, told in GoogleSQL's words."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tarn_bigquery.sql.compiler.kinds import BOOL, NULL, Type
from tarn_bigquery.sql.compiler.values import Value, coerce

# Google lists the types of a mistake in the order of its own numbers for them.
_ORDER = (
    *("INT64", "BOOL", "FLOAT64", "STRING", "BYTES", "DATE", "ARRAY", "STRUCT", "TIMESTAMP", "TIME", "DATETIME"),
    *("GEOGRAPHY", "NUMERIC", "BIGNUMERIC", "JSON", "INTERVAL", "RANGE"),
)


_COMPARISONS = {"=", "!=", "<", "<=", ">", ">="}
_OPERANDS = {
    "+": [
        "INT64 INT64",
        "FLOAT64 FLOAT64",
        "NUMERIC NUMERIC",
        "BIGNUMERIC BIGNUMERIC",
        "DATE INT64",
        "INT64 DATE",
        "TIMESTAMP INTERVAL",
        "INTERVAL TIMESTAMP",
        "DATE INTERVAL",
        "INTERVAL DATE",
        "DATETIME INTERVAL",
        "INTERVAL DATETIME",
        "INTERVAL INTERVAL",
    ],
    "-": [
        "INT64 INT64",
        "NUMERIC NUMERIC",
        "BIGNUMERIC BIGNUMERIC",
        "FLOAT64 FLOAT64",
        "DATE INT64",
        "DATE DATE",
        "TIMESTAMP TIMESTAMP",
        "DATETIME DATETIME",
        "TIME TIME",
        "TIMESTAMP INTERVAL",
        "DATE INTERVAL",
        "DATETIME INTERVAL",
        "INTERVAL INTERVAL",
    ],
    "*": [
        "INT64 INT64",
        "FLOAT64 FLOAT64",
        "NUMERIC NUMERIC",
        "BIGNUMERIC BIGNUMERIC",
        "INTERVAL INT64",
        "INT64 INTERVAL",
    ],
    "/": [
        "FLOAT64 FLOAT64",
        "NUMERIC NUMERIC",
        "BIGNUMERIC BIGNUMERIC",
        "INTERVAL INT64",
    ],
    "LIKE": [
        "STRING STRING",
        "BYTES BYTES",
    ],
}
"""What each operator takes on its left and its right, in the order in which GoogleSQL lists it."""


def no_operator(symbol: str, left: Value, right: Value) -> str:
    """What is wrong with an operator that does not take values of these types."""
    symbol = "!=" if symbol == "<>" else symbol
    types = f"{left.type}, {right.type}"
    if symbol in {"+", "-", "*", "/"}:
        head = f"No matching signature for operator {symbol}\n  Argument types: {types}"
    else:
        head = f"No matching signature for operator {symbol} for argument types: {types}"
    lines = [head]
    if symbol in _COMPARISONS:
        lines += [f"  Signature: T1 {symbol} T1", f"    {no_supertype('T1', [left.type, right.type])}"]
    for pair in _OPERANDS.get(symbol, []):
        wanted = [Type(name) for name in pair.split()]
        lines.append(f"  Signature: {wanted[0]} {symbol} {wanted[1]}")
        lines += [
            f"    Argument {place}: {no_coercion(value.type, kind)}"
            for place, (value, kind) in enumerate(zip((left, right), wanted, strict=True), 1)
            if coerce(value, kind) is None
        ][:1]
    return "\n".join(lines)


def no_boolean_operator(word: str, types: Sequence[Type]) -> str:
    """What is wrong with NOT, AND or OR, which take nothing but BOOL."""
    wrong = next(place for place, kind in enumerate(types, 1) if kind not in {BOOL, NULL})
    signature = "NOT (BOOL)" if word == "NOT" else f"BOOL {word} ([BOOL, ...])"
    return (
        f"No matching signature for operator {word}\n  Argument types: {', '.join(map(str, types))}\n"
        f"  Signature: {signature}\n    Argument {wrong}: {no_coercion(types[wrong - 1], BOOL)}"
    )


def no_in_operator(value: Value, items: Sequence[Value]) -> str:
    """What is wrong with IN and a list of values that the first cannot be compared with."""
    literal = "literal " if value.literal is not None else ""
    listed = ", ".join(_in_order(item.type for item in items))
    return f"No matching signature for operator IN for argument types {literal}{value.type} and {{{listed}}}"


def no_between(values: Sequence[Value]) -> str:
    """What is wrong with BETWEEN and values of which two have no type in common."""
    types = [value.type for value in values]
    return (
        f"No matching signature for operator BETWEEN\n  Argument types: {', '.join(map(str, types))}\n"
        f"  Signature: (T1) BETWEEN (T1) AND (T1)\n    {no_supertype('T1', types)}"
    )


@dataclass(frozen=True)
class CaseTypes:
    """The types in a CASE: of what is compared, where there is such, of each WHEN and THEN, and of ELSE."""

    subject: Type | None
    branches: list[tuple[Type, Type]]
    default: Type


def no_case(types: CaseTypes) -> str:
    """What is wrong with a CASE whose results have no type in common."""
    if types.subject is not None:
        given = [types.subject, *(kind for branch in types.branches for kind in branch), types.default]
        return f"No matching signature for operator CASE\n  Argument types: {', '.join(map(str, given))}"
    results = ", ".join(dict.fromkeys(str(kind) for kind in (*(r for _, r in types.branches), types.default)))
    results = results.removesuffix(", NULL")
    branches = " ".join(f"({test} {result})" for test, result in types.branches)
    return (
        "No matching signature for operator CASE; all THEN/ELSE arguments must be coercible to a common type but "
        f"found: {results}; actual argument types (WHEN THEN) ELSE: {branches} {types.default}"
    )


def no_coercion(found: Type, wanted: Type) -> str:
    return f"Unable to coerce type {found} to expected type {wanted}"


def no_supertype(template: str, types: Iterable[Type]) -> str:
    """What is wrong with the types at the places of one template: that they have none in common."""
    listed = ", ".join(_in_order(types))
    return (
        f"Unable to find common supertype for templated argument <{template}>\n"
        f"      Input types for <{template}>: {{{listed}}}"
    )


def _in_order(types: Iterable[Type]) -> list[str]:
    return list(dict.fromkeys(_shown(kind) for kind in sorted(types, key=_place)))


def _place(kind: Type) -> int:
    return _ORDER.index(kind.name) if kind.name in _ORDER else len(_ORDER)


def _shown(kind: Type) -> str:
    return "DOUBLE" if kind.name == "FLOAT64" else str(kind)
