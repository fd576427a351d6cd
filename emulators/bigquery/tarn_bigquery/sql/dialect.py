"""GoogleSQL as sqlglot shall read it: every function call stays a call of the name that was written.

sqlglot would turn calls into nodes of its own that are meant for any dialect. The compiler gives BigQuery's own
meaning to BigQuery's own names, so it wants the calls as they are.
"""

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parser import Parser
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import TokenType

_SPECIAL_SYNTAX = ("ARRAY", "CAST", "EXTRACT", "SAFE_CAST")


_TAKES_DATE_PART = re.compile(r"(DATE|DATETIME|TIME|TIMESTAMP)_(TRUNC|DIFF)|LAST_DAY|NORMALIZE(_AND_CASEFOLD)?")
_WORDS = {"MICROSECOND", "MILLISECOND", "SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "ISOWEEK", "MONTH", "QUARTER",
          "YEAR", "ISOYEAR", "NFC", "NFD", "NFKC", "NFKD"}  # fmt: skip


def _make_word(argument: exp.Expr) -> None:
    """Turn a date part, bare or as WEEK(MONDAY), from a name into a word."""
    if isinstance(argument, exp.Anonymous) and argument.name.upper() == "WEEK" and argument.expressions:
        day = argument.expressions[0]
        day.replace(exp.Var(this=day.name))
    elif isinstance(argument, exp.Column) and not argument.table and argument.name.upper() in _WORDS:
        argument.replace(exp.Var(this=argument.name))


class GoogleSQLParser(BigQueryParser):
    _last_type: exp.Expr | None = None
    STATEMENT_PARSERS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.STATEMENT_PARSERS,
        # sqlglot takes it in part only: `load_data` reads the text.
        TokenType.LOAD: lambda self: exp.Command(this="LOAD", expression=self._rest_of_statement()),
    }
    LAMBDAS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.LAMBDAS,
        TokenType.ARROW: Parser.LAMBDAS[TokenType.ARROW],
    }
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: BigQueryParser.FUNCTION_PARSERS[name] for name in _SPECIAL_SYNTAX
    }

    def _rest_of_statement(self) -> str:
        """The text from here to the end of the statement, whose words are passed over."""
        first = self._curr
        while self._curr:
            self._advance()
        return self._find_sql(first, self._prev) if first else ""

    def _parse_function(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """A call. A date part among its arguments is a word and no column."""
        call = super()._parse_function(*args, **kwargs)
        inner = call.this if isinstance(call, exp.Window) else call
        if isinstance(inner, exp.Anonymous) and _TAKES_DATE_PART.fullmatch(inner.name.upper()):
            for argument in inner.expressions[1:]:
                _make_word(argument)
        return call

    def _parse_types(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        kind = super()._parse_types(*args, **kwargs)
        self._last_type = kind
        return kind

    def _parse_cast(self, *args: Any, **kwargs: Any) -> exp.Expr:
        """CAST, which sqlglot takes for another function where it has a FORMAT and a date's type."""
        cast = super()._parse_cast(*args, **kwargs)
        if not isinstance(cast, exp.StrToDate | exp.StrToTime):
            return cast
        kind = exp.TryCast if cast.args.get("safe") else exp.Cast
        return kind(this=cast.this, to=self._last_type, format=cast.args["format"])

    def _parse_lambda(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """An argument of a call; `TABLE name` is one to a table function."""
        if self._curr.token_type == TokenType.TABLE and self._next and self._next.token_type != TokenType.L_PAREN:
            self._advance()
            return self._parse_table_parts()
        return super()._parse_lambda(*args, **kwargs)


class GoogleSQL(BigQuery):
    """The dialect to parse with; what it writes is BigQuery's."""

    Parser = GoogleSQLParser
    # Formats of CAST are read when they are used. A mapping of nothing to nothing leaves them as they are written.
    FORMAT_MAPPING: dict[str, str] = {"\0": "\0"}  # noqa: RUF012 - as sqlglot declares it
