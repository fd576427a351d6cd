"""Random expressions, reckoned by the emulator's engine and by Python."""

import datetime as dt
import re
from collections.abc import Iterator
from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tarn_bigquery.engine import googlesql
from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql.compiler.environment import Environment
from tarn_bigquery.sql.compiler.scope import Scope
from tarn_bigquery.sql.compiler.statements import compile_statement
from tarn_bigquery.sql.errors import from_duckdb
from tarn_bigquery.sql.parse import parse

INT64 = st.integers(-(2**63), 2**63 - 1)
NUMERIC = st.decimals(-(10**9), 10**9, places=9, allow_nan=False)
DATES = st.dates(dt.date(1, 1, 8), dt.date(9999, 12, 24))
TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)
STEP = Decimal("1e-9")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")
relaxed = settings(
    max_examples=150, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def engine() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    googlesql.install(connection)
    yield connection
    connection.close()


def evaluate(engine: duckdb.DuckDBPyConnection, expression: str) -> Any:
    """The value of a GoogleSQL expression. Raises ApiError as a query would."""
    statement = parse(f"SELECT {expression}")[0]
    compiled = compile_statement(statement.tree, Environment(statement.script), Scope())
    try:
        row = engine.execute(compiled.sql).fetchone()
    except duckdb.Error as error:
        raise from_duckdb(error, statement) from error
    return row[0] if row is not None else None


def quoted(text: str) -> str:
    escapes = {"\\": "\\\\", "'": "\\'", "\n": "\\n", "\r": "\\r"}
    return "'" + "".join(escapes.get(character, character) for character in text) + "'"


@relaxed
@given(left=INT64, right=INT64, symbol=st.sampled_from("+-*"))
def test_integers_are_exact_or_overflow(engine: duckdb.DuckDBPyConnection, left: int, right: int, symbol: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[symbol]
    if -(2**63) <= expected < 2**63:
        assert evaluate(engine, f"({left}) {symbol} ({right})") == expected
    else:
        with pytest.raises(ApiError, match="Integer overflow"):
            evaluate(engine, f"({left}) {symbol} ({right})")


@relaxed
@given(left=st.integers(-(10**12), 10**12), right=st.integers(-(10**6), 10**6).filter(bool))
def test_integer_division_goes_towards_zero(engine: duckdb.DuckDBPyConnection, left: int, right: int) -> None:
    quotient = abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)
    assert evaluate(engine, f"DIV({left}, {right})") == quotient
    assert evaluate(engine, f"MOD({left}, {right})") == left - quotient * right


@relaxed
@given(left=NUMERIC, right=NUMERIC, symbol=st.sampled_from("+-*/"))
def test_numerics_round_half_away_from_zero(
    engine: duckdb.DuckDBPyConnection, left: Decimal, right: Decimal, symbol: str
) -> None:
    expression = f"NUMERIC '{left:f}' {symbol} NUMERIC '{right:f}'"
    if symbol == "/" and not right:
        with pytest.raises(ApiError, match="division by zero"):
            evaluate(engine, expression)
        return
    with localcontext(prec=80):
        exact = {"+": left + right, "-": left - right, "*": left * right}.get(symbol)
        expected = (left / right if exact is None else exact).quantize(STEP, ROUND_HALF_UP)
    assert evaluate(engine, expression) == expected


@relaxed
@given(day=DATES, weeks=st.integers(-1, 1))
def test_weeks_begin_on_sunday_and_iso_weeks_on_monday(
    engine: duckdb.DuckDBPyConnection, day: dt.date, weeks: int
) -> None:
    literal = f"DATE '{day.isoformat()}'"
    assert evaluate(engine, f"DATE_TRUNC({literal}, WEEK)") == day - dt.timedelta(days=day.isoweekday() % 7)
    assert evaluate(engine, f"DATE_TRUNC({literal}, ISOWEEK)") == day - dt.timedelta(days=day.weekday())
    assert evaluate(engine, f"EXTRACT(ISOWEEK FROM {literal})") == day.isocalendar().week
    assert evaluate(engine, f"EXTRACT(DAYOFWEEK FROM {literal})") == day.isoweekday() % 7 + 1
    assert evaluate(engine, f"EXTRACT(WEEK FROM {literal})") == int(day.strftime("%U"))
    assert evaluate(engine, f"DATE_ADD({literal}, INTERVAL {weeks} WEEK)") == day + dt.timedelta(weeks=weeks)


@relaxed
@given(later=DATES, earlier=DATES)
def test_differences_count_the_bounds_between(
    engine: duckdb.DuckDBPyConnection, later: dt.date, earlier: dt.date
) -> None:
    pair = f"DATE '{later.isoformat()}', DATE '{earlier.isoformat()}'"
    assert evaluate(engine, f"DATE_DIFF({pair}, DAY)") == (later - earlier).days
    months = (later.year - earlier.year) * 12 + later.month - earlier.month
    assert evaluate(engine, f"DATE_DIFF({pair}, MONTH)") == months
    assert evaluate(engine, f"DATE_DIFF({pair}, YEAR)") == later.year - earlier.year


@relaxed
@given(moment=st.datetimes(dt.datetime(1, 1, 2), dt.datetime(9999, 12, 30)))
def test_a_timestamp_comes_back_from_its_text(engine: duckdb.DuckDBPyConnection, moment: dt.datetime) -> None:
    literal = f"TIMESTAMP '{moment.isoformat(sep=' ')}'"
    found = evaluate(engine, f"CAST(CAST({literal} AS STRING) AS TIMESTAMP) = {literal}")
    assert found is True


@relaxed
@given(text=TEXTS, start=st.integers(-15, 15), length=st.integers(0, 15))
def test_substr_counts_characters(engine: duckdb.DuckDBPyConnection, text: str, start: int, length: int) -> None:
    begin = max(start - 1, 0) if start >= 0 else max(len(text) + start, 0)
    found = evaluate(engine, f"SUBSTR({quoted(text)}, {start}, {length})")
    assert found == text[begin : begin + length]


@relaxed
@given(value=st.floats(allow_nan=False, allow_infinity=False))
def test_a_float_comes_back_from_its_text(engine: duckdb.DuckDBPyConnection, value: float) -> None:
    assert evaluate(engine, f"CAST(CAST(CAST('{value!r}' AS FLOAT64) AS STRING) AS FLOAT64)") == value


@relaxed
@given(
    text=st.text(st.sampled_from("ab-_"), max_size=12), pattern=st.sampled_from(("a", "a+", "(a)b?", "b(a)", "[^a]"))
)
def test_bytes_are_matched_as_texts(engine: duckdb.DuckDBPyConnection, text: str, pattern: str) -> None:
    for name in ("REGEXP_EXTRACT", "REGEXP_INSTR"):
        found = evaluate(engine, f"{name}({quoted(text)}, {quoted(pattern)})")
        same = evaluate(engine, f"{name}(b{quoted(text)}, b{quoted(pattern)})")
        assert (same.decode() if isinstance(same, bytes) else same) == found
    found = evaluate(engine, f"REGEXP_EXTRACT_ALL({quoted(text)}, {quoted(pattern)})")
    assert [
        part.decode() for part in evaluate(engine, f"REGEXP_EXTRACT_ALL(b{quoted(text)}, b{quoted(pattern)})")
    ] == found
    assert found == re.findall(pattern, text)


@relaxed
@given(months=st.integers(-500, 500), days=st.integers(-500, 500), micros=st.integers(-(10**12), 10**12))
def test_a_justified_interval_is_as_long(
    engine: duckdb.DuckDBPyConnection, months: int, days: int, micros: int
) -> None:
    written = f"(INTERVAL {months} MONTH + INTERVAL {days} DAY + INTERVAL {micros} MICROSECOND)"
    parts = "EXTRACT(YEAR FROM i), EXTRACT(MONTH FROM i), EXTRACT(DAY FROM i), EXTRACT(HOUR FROM i)"
    found = evaluate(engine, f"(SELECT AS STRUCT {parts} FROM (SELECT JUSTIFY_INTERVAL({written}) AS i))")
    total = (months * 30 + days) * 24 * 3_600_000_000 + micros
    hours = abs(total) // 3_600_000_000
    sign = -1 if total < 0 else 1
    whole = (hours // (24 * 30 * 12), hours // (24 * 30) % 12, hours // 24 % 30, hours % 24)
    assert tuple(found.values()) == tuple(sign * part for part in whole)


@relaxed
@given(value=st.integers(-(10**9), 10**9))
def test_numbers_by_a_format_have_all_their_digits(engine: duckdb.DuckDBPyConnection, value: int) -> None:
    found = evaluate(engine, f"CAST({value} AS STRING FORMAT '9,999,999,999')")
    assert len(found) == len("9,999,999,999") + 1
    assert found.strip() == f"{value:,}"


@relaxed
@given(moment=st.datetimes(dt.datetime(1000, 1, 1), dt.datetime(9999, 12, 30)))
def test_a_datetime_comes_back_from_its_format(engine: duckdb.DuckDBPyConnection, moment: dt.datetime) -> None:
    literal = f"DATETIME '{moment.isoformat(sep=' ')}'"
    for form in ("YYYY-MM-DD HH24:MI:SS.FF6", "MON DD, YYYY HH12.MI.SS AM FF6", "YYYYDDD SSSSS FF6"):
        text = f"CAST({literal} AS STRING FORMAT '{form}')"
        if "SSSSS" in form:
            moment = moment.replace(microsecond=0)
        assert evaluate(engine, f"CAST({text} AS DATETIME FORMAT '{form}')").replace(microsecond=0) == moment.replace(
            microsecond=0
        )


@relaxed
@given(text=st.text(max_size=40))
def test_no_text_breaks_the_compiler(engine: duckdb.DuckDBPyConnection, text: str) -> None:
    """Whatever is asked, there is an answer or an error with a reason."""
    try:
        evaluate(engine, text)
    except ApiError as error:
        assert error.message


WORDS = ("SELECT", "1", "'a'", "x", "(", ")", ",", "+", "/", "[", "]", "FROM", "UNNEST", "NULL", "STRUCT", "CAST",
         "AS", "INT64", "CASE", "WHEN", "END", "DATE", "IN", "COUNT", "*", "OVER", "GROUP BY", ".", "IF", "ARRAY", "@p",
         "NOT", "SUM", "SAFE.", "JSON '1'", "INTERVAL", "DAY", "LIKE", "BETWEEN", "AND", "EXTRACT")  # fmt: skip


@settings(
    max_examples=600, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(words=st.lists(st.sampled_from(WORDS), max_size=10))
def test_no_mixture_of_words_breaks_the_compiler(engine: duckdb.DuckDBPyConnection, words: list[str]) -> None:
    try:
        evaluate(engine, " ".join(words))
    except ApiError as error:
        assert error.message


def _statements() -> list[str]:
    """The statements of the cases, which the documentation's examples are about."""
    files = sorted((Path(__file__).parent / "cases").glob("*.yaml"))
    return [case["sql"] for file in files for case in yaml.safe_load(file.read_text())]


TOKENS = re.compile(r"'(?:[^'\\]|\\.)*'|\w+|\s+|.", re.DOTALL)
STATEMENTS = [TOKENS.findall(statement) for statement in _statements()]


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """A statement of the cases, some of its tokens dropped, doubled, swapped or taken from another."""
    tokens = list(draw(st.sampled_from(STATEMENTS)))
    for change in draw(st.lists(st.sampled_from(("drop", "double", "swap", "take")), min_size=1, max_size=3)):
        here, there = (draw(st.integers(0, max(len(tokens) - 1, 0))) for _ in range(2))
        if change == "drop":
            del tokens[here : here + 1]
        elif change == "double":
            tokens[here:here] = tokens[here : here + 1]
        elif change == "swap" and tokens:
            tokens[here], tokens[there] = tokens[there], tokens[here]
        else:
            tokens[here : here + 1] = [draw(st.sampled_from(draw(st.sampled_from(STATEMENTS))))]
    return "".join(tokens)


@settings(max_examples=250, deadline=None, derandomize=True)
@given(text=mutated())
def test_no_mutation_of_a_statement_breaks_the_emulator(client: bigquery.Client, text: str) -> None:
    """Each is answered or refused, and the answer is never that the emulator itself has failed."""
    try:
        client.query_and_wait(text, job_retry=None, retry=None, api_timeout=60, wait_timeout=60)
    except (GoogleAPICallError, ValueError) as error:
        told = getattr(error, "message", "")
        assert getattr(error, "code", 400) in {400, 404, 409, 501}, (text, error)
        assert "The emulator failed" not in told, text
