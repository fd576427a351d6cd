"""SoQL, as much of it as a client of one dataset needs: what to select, which rows, in which order.

Source of the grammar: https://dev.socrata.com/docs/queries/ and https://dev.socrata.com/docs/functions/
"""

import datetime as dt
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import cmp_to_key
from typing import Any

from tarn_publishers.socrata.crashes import FIRST_DAY, MOST_DAYS_LATE, Row, location_of, position_of
from tarn_publishers.socrata.fields import ALL_FIELDS, FIELDS, SYSTEM_FIELDS, FieldType

Read = Callable[[Row], Any]
Condition = Callable[[Row], bool | None]  # None where a null leaves it open


class QueryRefusedError(Exception):
    """A query that the API refuses: `code` is its own word for why, the message says what is wrong."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Span:
    """Days of crashes that rows can be of, both included."""

    first: dt.date = FIRST_DAY
    last: dt.date = dt.date.max

    def and_(self, other: "Span") -> "Span":
        return Span(max(self.first, other.first), min(self.last, other.last))


@dataclass(frozen=True)
class Where:
    """A condition, and the only days whose crashes can meet it."""

    condition: Condition
    span: Span = Span()


@dataclass(frozen=True)
class Output:
    """A column of the answer: a field under a name, or what an aggregate makes of it."""

    name: str
    field: str
    aggregate: str | None = None


EVERYTHING = Where(lambda _: True)

_TOKEN = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<number>-?\d+(?:\.\d+)?)|(?P<name>`[^`]+`|:?[A-Za-z_@][\w@]*|:\*)"
    r"|(?P<sign><=|>=|!=|<>|=|<|>|\(|\)|,|\*))"
)
_QUERY = re.compile(r"\s*select\s+(?P<select>.*?)(?:\s+where\s+(?P<where>.*))?\s*", re.DOTALL | re.IGNORECASE)
_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "!=": operator.ne,
    "<>": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_AGGREGATES = ("count", "min", "max")
_DAY = dt.timedelta(days=1)


def read_where(text: str) -> Where:
    """Raises QueryRefusedError."""
    reader = _Reader(text)
    where = reader.alternatives()
    reader.end()
    return where


def read_select(text: str) -> list[Output]:
    """Raises QueryRefusedError."""
    reader = _Reader(text)
    outputs = reader.outputs()
    reader.end()
    if len({output.aggregate is None for output in outputs}) > 1:
        raise QueryRefusedError(
            "query.soql.column-not-in-group-bys", "A column beside an aggregate needs $group, which is not offered here"
        )
    return outputs


def read_order(text: str) -> Callable[[list[Row]], list[Row]]:
    """What puts rows in order; nulls come last, and rows that agree stay as they were. Raises QueryRefusedError."""
    reader = _Reader(text)
    keys = reader.order_keys()
    reader.end()

    def compare(one: Row, other: Row) -> int:
        for read, descending in keys:
            left, right = read(one), read(other)
            if left != right:
                less = right is None or (left is not None and left < right)
                return -1 if less != descending else 1
        return 0

    def in_order(rows: list[Row]) -> list[Row]:
        if len(keys) == 1 and not keys[0][1]:
            read = keys[0][0]
            return sorted(rows, key=lambda row: (read(row) is None, read(row)) if read(row) is not None else (True,))
        return sorted(rows, key=cmp_to_key(compare))

    return in_order


def read_query(text: str) -> tuple[list[Output] | None, Where]:
    """A whole query `select ... [where ...]`, as exports take it; None where it selects `*`.

    Raises QueryRefusedError.
    """
    match = re.fullmatch(
        r"\s*select\s+(?P<select>.*?)(?:\s+where\s+(?P<where>.*))?\s*", text, re.DOTALL | re.IGNORECASE
    )
    if match is None:
        raise QueryRefusedError("query.compiler.malformed", f"Could not parse SoQL query {text!r}")
    select = match["select"].strip()
    return (
        None if select == "*" else read_select(select),
        read_where(match["where"]) if match["where"] else EVERYTHING,
    )


def equal_to(field: str, literal: str) -> Where:
    """The simple filter `?borough=BRONX`. Raises QueryRefusedError."""
    return _compared(_known(field), "=", literal)


def both(one: Where, other: Where) -> Where:
    """Rows that meet both."""
    return Where(lambda row: _and(one.condition(row), other.condition(row)), one.span.and_(other.span))


class _Reader:
    """Reads a clause word by word, by recursive descent."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens: list[tuple[str, str]] = []
        at = 0
        while at < len(text.rstrip()):
            match = _TOKEN.match(text, at)
            if match is None:
                raise self._refusal(f"unexpected {text[at : at + 20]!r}")
            self._tokens.append((match.lastgroup or "", match[match.lastgroup or 0]))
            at = match.end()
        self._next = 0

    def end(self) -> None:
        if self._next < len(self._tokens):
            raise self._refusal(f"unexpected {self._tokens[self._next][1]!r}")

    def alternatives(self) -> Where:
        where = self._conjunction()
        while self._take("or"):
            left, right = where, self._conjunction()
            span = Span(min(left.span.first, right.span.first), max(left.span.last, right.span.last))
            where = Where(_either(left.condition, right.condition), span)
        return where

    def _conjunction(self) -> Where:
        where = self._negation()
        while self._take("and"):
            where = both(where, self._negation())
        return where

    def _negation(self) -> Where:
        if self._take("not"):
            inner = self._negation().condition
            return Where(lambda row: None if (met := inner(row)) is None else not met)
        if self._take("("):
            where = self.alternatives()
            self._expect(")")
            return where
        return self._comparison()

    def _comparison(self) -> Where:
        field = self._field()
        if self._take("is"):
            wanted = not self._take("not")
            self._expect("null")
            read = _reader(field)
            return Where(lambda row: (read(row) is None) == wanted)
        negated = self._take("not")
        if self._take("between"):
            low = self._literal()
            self._expect("and")
            where = both(_compared(field, ">=", low), _compared(field, "<=", self._literal()))
        elif self._take("in"):
            where = _among(field, self._list())
        elif self._take("like"):
            where = _like(field, self._literal())
        else:
            kind, sign = self._pop()
            if negated or kind != "sign" or sign not in _COMPARE:
                raise self._refusal(f"{sign!r} is no comparison")
            return _compared(field, sign, self._literal())
        if not negated:
            return where
        return Where(lambda row: None if (met := where.condition(row)) is None else not met)

    def _list(self) -> list[str]:
        self._expect("(")
        literals = [self._literal()]
        while self._take(","):
            literals.append(self._literal())
        self._expect(")")
        return literals

    def outputs(self) -> list[Output]:
        outputs = self._output()
        while self._take(","):
            outputs += self._output()
        return outputs

    def _output(self) -> list[Output]:
        if self._take("*"):
            return [Output(name, name) for name in FIELDS]
        if self._take(":*"):
            return [Output(name, name) for name in SYSTEM_FIELDS]
        name = self._name()
        aggregate = name.lower() if name.lower() in _AGGREGATES and self._take("(") else None
        if aggregate is None:
            output = Output(name, _known(name))
        else:
            field = "*" if aggregate == "count" and self._take("*") else self._field()
            self._expect(")")
            output = Output(aggregate if field == "*" else f"{aggregate}_{field.lstrip(':')}", field, aggregate)
        return [Output(self._name(), output.field, aggregate) if self._take("as") else output]

    def order_keys(self) -> list[tuple[Read, bool]]:
        keys = []
        while True:
            read = _reader(self._field())
            descending = self._take("desc")
            if not descending:
                self._take("asc")
            keys.append((read, descending))
            if not self._take(","):
                return keys

    def _field(self) -> str:
        return _known(self._name())

    def _name(self) -> str:
        kind, word = self._pop()
        if kind != "name":
            raise self._refusal(f"{word!r} is no column")
        return word.strip("`")

    def _literal(self) -> str:
        kind, word = self._pop()
        if kind == "text":
            return word[1:-1].replace("''", "'")
        if kind != "number":
            raise self._refusal(f"{word!r} is no literal")
        return word

    def _pop(self) -> tuple[str, str]:
        if self._next == len(self._tokens):
            raise self._refusal("unexpected end")
        self._next += 1
        return self._tokens[self._next - 1]

    def _take(self, word: str) -> bool:
        if self._next < len(self._tokens):
            kind, found = self._tokens[self._next]
            if kind != "text" and found.lower() == word:
                self._next += 1
                return True
        return False

    def _expect(self, word: str) -> None:
        if not self._take(word):
            raise self._refusal(f"{word!r} is missing")

    def _refusal(self, what: str) -> QueryRefusedError:
        return QueryRefusedError("query.compiler.malformed", f"Could not parse SoQL query {self._text!r}: {what}")


def _known(field: str) -> str:
    if field not in ALL_FIELDS:
        raise QueryRefusedError("query.soql.no-such-column", f"No such column: {field}")
    return field


def _reader(field: str) -> Read:
    position, type_ = position_of(field), ALL_FIELDS[field]
    if type_ is FieldType.LOCATION:
        return location_of
    if type_ is not FieldType.NUMBER:
        return lambda row: row[position]
    return lambda row: None if row[position] is None else Decimal(row[position] or 0)


def _operand(field: str, literal: str) -> Any:
    type_ = ALL_FIELDS[field]
    if type_ is FieldType.NUMBER:
        try:
            return Decimal(literal)
        except InvalidOperation:
            raise _mismatch(field, literal) from None
    if type_ in (FieldType.MOMENT, FieldType.INSTANT):
        # Written as the rows have it, so that their texts compare as the times do.
        return (
            f"{_moment(field, literal).isoformat(timespec='milliseconds')}{'Z' if type_ is FieldType.INSTANT else ''}"
        )
    return literal


def _moment(field: str, literal: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(literal)
    except ValueError:
        raise _mismatch(field, literal) from None
    return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _mismatch(field: str, literal: str) -> QueryRefusedError:
    return QueryRefusedError(
        "query.soql.type-mismatch", f"Type mismatch for {field}: {literal!r} is no {ALL_FIELDS[field]}"
    )


def _compared(field: str, sign: str, literal: str) -> Where:
    read, operand, compare = _reader(field), _operand(field, literal), _COMPARE[sign]
    return Where(
        lambda row: None if (value := read(row)) is None else compare(value, operand), _span(field, sign, literal)
    )


def _span(field: str, sign: str, literal: str) -> Span:
    if field not in ("crash_date", ":created_at", ":updated_at"):
        return Span()
    day = _moment(field, literal).date()
    late = 0 if field == "crash_date" else MOST_DAYS_LATE
    after, before = Span(first=max(FIRST_DAY, day - late * _DAY)), Span(last=day)
    return {"=": after.and_(before), ">": after, ">=": after, "<": before, "<=": before}.get(sign, Span())


def _among(field: str, literals: Sequence[str]) -> Where:
    read, operands = _reader(field), {_operand(field, literal) for literal in literals}
    return Where(lambda row: None if (value := read(row)) is None else value in operands)


def _like(field: str, pattern: str) -> Where:
    read = _reader(field)
    parts = {"%": ".*", "_": "."}
    regex = re.compile("".join(parts.get(letter, re.escape(letter)) for letter in pattern), re.DOTALL)
    return Where(lambda row: None if (value := read(row)) is None else regex.fullmatch(str(value)) is not None)


def _and(one: bool | None, other: bool | None) -> bool | None:
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _either(one: Condition, other: Condition) -> Condition:
    def condition(row: Row) -> bool | None:
        left, right = one(row), other(row)
        if left or right:
            return True
        return None if left is None or right is None else False

    return condition
