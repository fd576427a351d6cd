"""DuckDB's complaints, as BigQuery would have put them."""

import re
from collections.abc import Callable

import duckdb

from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.dialect import GoogleSQL
from tarn_bigquery.sql.parse import Statement

Words = Callable[[re.Match[str]], str]

# The first that fits is taken. A macro's message stands behind the character 1, a Python function's behind its class.
_MESSAGES: tuple[tuple[re.Pattern[str], Words], ...] = tuple(
    (re.compile(pattern, re.DOTALL), words)
    for pattern, words in (
        ("\x01(.*?)' to ", lambda m: m[1].replace("''", "'")),
        (r"GoogleSqlError: ([^\n]*)", lambda m: m[1]),
        (
            r"Division by zero in expression \((.*?) (?://|%|/) (.*?)\)",
            lambda m: f"division by zero: {m[1]} / {m[2]}",
        ),
        (r"Overflow in (\w+) of INT64 \((.*?)\)!", lambda m: f"Integer overflow: {m[2]}"),
        (r"Type INT128 with value (\S+) can't be cast", lambda m: f"Integer overflow: {m[1]}"),
        (r"Overflow on abs\((.*?)\)", lambda m: f"Integer overflow: ABS({m[1]})"),
        (r"Overflow in SUM of DECIMAL", lambda m: "numeric overflow: SUM"),
        # DuckDB shows the operands without their decimal points: they would be told wrong.
        (r"Overflow in (?:\w+ of (?:DECIMAL|INT128|HUGEINT)|HUGEINT \w+)", lambda m: "numeric overflow"),
        (r"(?:Could not cast value|Casting value) \"?([^\s\"]+)\"? to (?:type )?DECIMAL", lambda m: _beyond(m[1])),
        (r"Could not convert string '(.*?)' to INT64", lambda m: f"Bad int64 value: {m[1]}"),
        (r"Could not convert string '(.*?)' to DOUBLE", lambda m: f"Bad double value: {m[1]}"),
        (r"Could not convert string \"(.*?)\" to DECIMAL", lambda m: f"Invalid NUMERIC value: {m[1]}"),
        (r"Could not convert string '(.*?)' to BOOL", lambda m: f"Bad bool value: {m[1]}"),
        (
            r"Invalid Input Error: (missing|invalid|bad|unexpected|no argument|unterminated)( [^\n]*)",
            lambda m: f"Cannot parse regular expression: {m[1]}{m[2]}",
        ),
        (r"Unknown TimeZone '(.*?)'", lambda m: f"Invalid time zone: {m[1]}"),
        (r"Could not parse string \"(.*?)\" according", lambda m: f'Failed to parse input string "{m[1]}"'),
        (r"column \"(.*?)\" must appear in the GROUP BY clause", lambda m: _ungrouped(m[1])),
        (r"aggregate function calls cannot be nested", lambda m: "Aggregations of aggregations are not allowed"),
        (
            r"GROUPING child .* must be a grouping column",
            lambda m: "GROUPING must have an argument that exists within the group-by expression list.",
        ),
        (
            r"Frame starting from following row cannot have preceding rows",
            lambda m: (
                "Ending window framing expression cannot be OFFSET PRECEDING when the starting window framing "
                "expression is OFFSET FOLLOWING"
            ),
        ),
        (r"More than one row returned by a subquery", lambda m: "Scalar subquery produced more than one element"),
        (
            r"NOT NULL constraint failed: (?:.*\.)?(\S+)",
            lambda m: f"Required field {m[1]} cannot be null",
        ),
        (
            r"can only update one target row|MERGE.*more than one",
            lambda m: "UPDATE/MERGE must match at most one source row for each target row",
        ),
    )
)
_COLUMN = re.compile(r'Referenced column "(?P<name>[^"]+)" not found|column named "(?P<other>[^"]+)"')


def raised_message(error: duckdb.Error) -> str | None:
    """What a macro has raised, or None for an error of DuckDB's own."""
    pattern, words = _MESSAGES[0]
    found = pattern.search(str(error))
    return words(found) if found else None


def from_duckdb(error: duckdb.Error, statement: Statement) -> ApiError:
    """The ApiError for what DuckDB said about a statement."""
    message = str(error)
    for pattern, words in _MESSAGES:
        if found := pattern.search(message):
            return invalid_query(words(found))
    if found := _COLUMN.search(message):
        name = found["name"] or found["other"]
        return invalid_query(f"Unrecognized name: {name}{_position(statement, name)}")
    if isinstance(error, duckdb.TransactionException):
        return invalid_query("Could not serialize access to table due to concurrent update")
    first_line = message.split("\n", 1)[0]
    return invalid_query(first_line.split(": ", 1)[-1])


def _beyond(number: str) -> str:
    return f"numeric out of range: {number.rstrip('0').rstrip('.') if '.' in number else number}"


def _ungrouped(column: str) -> str:
    return f"SELECT list expression references column {column} which is neither grouped nor aggregated"


def _position(statement: Statement, name: str) -> str:
    """` at [line:column]` of the first token of the statement that is the name, or nothing where none is."""
    for token in GoogleSQL().tokenize(statement.script):
        if statement.start <= token.start and token.text.lower() == name.lower():
            return f" at [{token.line}:{token.col - len(token.text) + 1}]"
    return ""
