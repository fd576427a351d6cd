"""GoogleSQL as sqlglot shall read it: every function call stays a call of the name that was written.

sqlglot would turn calls into nodes of its own that are meant for any dialect. The compiler gives BigQuery's own
meaning to BigQuery's own names, so it wants the calls as they are.
"""

import re
from itertools import pairwise
from typing import Any, ClassVar, NoReturn

from sqlglot import exp
from sqlglot.dialects.bigquery import BigQuery
from sqlglot.parser import Parser
from sqlglot.parsers.bigquery import BigQueryParser
from sqlglot.tokenizer_core import Token, TokenType

from tarn_bigquery.sql.array_paths import unnest_of
from tarn_bigquery.sql.pipes import PipeParser
from tarn_bigquery.sql.syntax import SyntaxMistake, unexpected, unexpected_instead

TABLE_FUNCTION = "TABLE FUNCTION"
"""The kind of a CREATE TABLE FUNCTION; sqlglot passes over the word TABLE."""

AGGREGATE_FUNCTION = "AGGREGATE FUNCTION"
"""The kind of a CREATE AGGREGATE FUNCTION, whose word AGGREGATE sqlglot does not know."""

NOT_AGGREGATE = "not_aggregate"
"""The mark in the `meta` of an argument of an aggregate function that is the same for all rows."""

TYPE_NAME = "type_name"
"""Under which a type's `meta` has its name as it is written."""

_TYPE_NAME = re.compile(r"[A-Za-z]\w*(\s+[A-Za-z]\w*)*")
_SPECIAL_SYNTAX = ("ARRAY", "CAST", "EXTRACT", "SAFE_CAST")


_WANTED = re.compile(r"Expect(?:ed|ing) (\W)|Expected (END|AS|FROM) .*|Invalid expression / Unexpected token")
_READ_WHOLE = re.compile(
    r"CREATE\s+(OR\s+REPLACE\s+)?(TEMP(ORARY)?\s+|MATERIALIZED\s+)?(TABLE|VIEW|(AGGREGATE\s+)?FUNCTION|SCHEMA)\b",
    re.IGNORECASE,
)
_NOT_SERVED = re.compile(r"\bWITH\s+CONNECTION\b|\bAS\s+REPLICA\s+OF\b", re.IGNORECASE)
_BEGINS_QUERY = {TokenType.FROM, TokenType.SELECT, TokenType.WITH}
_BITWISE = ((TokenType.PIPE, exp.BitwiseOr), (TokenType.CARET, exp.BitwiseXor), (TokenType.AMP, exp.BitwiseAnd))
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


def properties_of(node: exp.Expr) -> list[exp.Expr]:
    """What a CREATE, or what stands in one, says behind its name: options, a language, partitions."""
    properties = node.args.get("properties")
    return properties.expressions if properties is not None else []


class GoogleSQLParser(PipeParser):
    _last_type: exp.Expr | None = None
    _body_options: exp.Properties | None = None
    STATEMENT_PARSERS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.STATEMENT_PARSERS,
        # sqlglot takes it in part only: `load_data` reads the text.
        TokenType.LOAD: lambda self: exp.Command(this="LOAD", expression=self._rest_of_statement()),
    }
    LAMBDAS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.LAMBDAS,
        TokenType.ARROW: Parser.LAMBDAS[TokenType.ARROW],
    }
    # `%` is no operator of GoogleSQL, and `||` binds as tightly as `*`.
    FACTOR: ClassVar[dict[TokenType, type[exp.Binary]]] = {
        TokenType.SLASH: exp.Div,
        TokenType.STAR: exp.Mul,
        TokenType.DPIPE: exp.DPipe,
    }
    PRIMARY_PARSERS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.PRIMARY_PARSERS,
        TokenType.NATIONAL_RAW_STRING: lambda _, token: exp.ByteString(this=token.text.encode().decode("latin-1")),
    }
    RANGE_PARSERS: ClassVar[dict[TokenType, Any]] = {
        **BigQueryParser.RANGE_PARSERS,
        TokenType.LIKE: lambda self, this: self._parse_like(this),
    }
    COLUMN_OPERATORS: ClassVar[dict[TokenType, Any]] = {
        token: operator for token, operator in BigQueryParser.COLUMN_OPERATORS.items() if token != TokenType.DCOLON
    }
    FUNCTIONS: ClassVar[dict[str, Any]] = {}
    FUNCTION_PARSERS: ClassVar[dict[str, Any]] = {
        name: BigQueryParser.FUNCTION_PARSERS[name] for name in _SPECIAL_SYNTAX
    }

    def raise_error(self, message: str, token: Token | None = None) -> NoReturn:
        """Say what was found, where, and what could have stood there if sqlglot knows it."""
        if wanted := _WANTED.fullmatch(message):
            symbol, word = wanted.groups()
            expected = f'"{symbol}"' if symbol else f"keyword {word}" if word else "end of input"
            raise SyntaxMistake(unexpected_instead(self.sql, self._curr or None, expected))
        raise SyntaxMistake(unexpected(self.sql, token or self._curr or None))

    def _parse_projections(self) -> tuple[list[exp.Expr], list[exp.Expr] | None]:
        columns, others = super()._parse_projections()
        if not columns:
            self.raise_error("Expected a column")
        return columns, others

    def _parse_function_args(self, *args: Any, **kwargs: Any) -> list[exp.Expr]:
        arguments = super()._parse_function_args(*args, **kwargs)
        is_query = bool(arguments) and isinstance(arguments[-1], exp.Select)
        if self._prev.token_type == TokenType.COMMA and not is_query:
            self.raise_error("Unexpected symbol")
        return arguments

    def _parse_statement(self) -> exp.Expr | None:
        """A statement, which does not begin with any word: sqlglot would take an expression for one."""
        first = self._curr
        if self._match_text_seq("UNDROP"):
            return exp.Command(this="UNDROP", expression=self._rest_of_statement())
        statement = super()._parse_statement()
        if isinstance(statement, exp.Condition | exp.Alias) and not isinstance(statement, exp.Query):
            self.raise_error("Unexpected word", first)
        return statement

    def _parse_user_defined_function_expression(self) -> exp.Expr | None:
        """The body of a function, in parentheses or, of a table function, a query; its options follow it."""
        in_parentheses = self._curr.token_type == TokenType.L_PAREN
        body = self._parse_disjunction() if in_parentheses else super()._parse_statement()
        self._body_options = self._parse_properties()
        return body

    def _parse_as_command(self, start: Token) -> exp.Command:
        """A statement that is left unread. One that is read in all of its forms has a mistake where reading ended."""
        text = self._find_sql(start, self._tokens[-1])
        if _READ_WHOLE.match(text) and not _NOT_SERVED.search(text):
            self.raise_error("Unexpected word")
        return super()._parse_as_command(start)

    def _rest_of_statement(self) -> str:
        """The text from here to the end of the statement, whose words are passed over."""
        first = self._curr
        while self._curr:
            self._advance()
        return self._find_sql(first, self._prev) if first else ""

    def _parse_create(self) -> exp.Create | exp.Command:
        words = [token.token_type for token in self._tokens[self._index : self._index + 4]]
        self._body_options = None
        is_aggregate = self._pass_over_aggregate()
        create = super()._parse_create()
        if isinstance(create, exp.Create) and (TokenType.TABLE, TokenType.FUNCTION) in pairwise(words):
            create.set("kind", TABLE_FUNCTION)
        if isinstance(create, exp.Create) and is_aggregate:
            create.set("kind", AGGREGATE_FUNCTION)
        if self._body_options is not None:
            create.set(
                "properties", exp.Properties(expressions=[*properties_of(create), *self._body_options.expressions])
            )
        return create

    def _pass_over_aggregate(self) -> bool:
        """Take the word out of CREATE [OR REPLACE] [TEMP] AGGREGATE FUNCTION. Returns whether it was there."""
        ahead = self._tokens[self._index : self._index + 5]
        for place, (token, following) in enumerate(pairwise(ahead), self._index):
            if token.text.upper() == "AGGREGATE" and following.token_type == TokenType.FUNCTION:
                self._tokens = [*self._tokens[:place], *self._tokens[place + 1 :]]
                self._tokens_size -= 1
                self._advance(0)
                return True
        return False

    def _parse_function_parameter(self) -> exp.Expr | None:
        parameter = super()._parse_function_parameter()
        if self._match_text_seq("NOT", "AGGREGATE") and parameter is not None:
            parameter.meta[NOT_AGGREGATE] = True
        return parameter

    def _parse_paren(self) -> exp.Expr | None:
        """Something in parentheses. A comma behind a SELECT list is no part of what is around it."""
        inner = super()._parse_paren()
        if (
            isinstance(inner, exp.Tuple)
            and len(inner.expressions) == 1
            and isinstance(inner.expressions[0], exp.Select)
        ):
            return exp.Subquery(this=inner.expressions[0])
        return inner

    def _parse_function(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """A call. A date part among its arguments is a word and no column."""
        call = super()._parse_function(*args, **kwargs)
        inner = call.this if isinstance(call, exp.Window) else call
        if isinstance(inner, exp.Anonymous) and _TAKES_DATE_PART.fullmatch(inner.name.upper()):
            for argument in inner.expressions[1:]:
                _make_word(argument)
        return call

    def _parse_bitwise(self) -> exp.Expr | None:
        """Operators on bits, each level binding tighter than the one before: `|`, `^`, `&`, shifts."""
        return self._left_associative(0)

    def _left_associative(self, level: int) -> exp.Expr | None:
        if level == len(_BITWISE):
            return self._parse_shift()
        this = self._left_associative(level + 1)
        token, kind = _BITWISE[level]
        while self._match(token):
            this = self.expression(kind(this=this, expression=self._left_associative(level + 1)))
        return this

    def _parse_shift(self) -> exp.Expr | None:
        this = self._parse_term()
        while True:
            if self._match_pair(TokenType.LT, TokenType.LT):
                kind: type[exp.Expr] = exp.BitwiseLeftShift
            elif self._match_pair(TokenType.GT, TokenType.GT):
                kind = exp.BitwiseRightShift
            else:
                return this
            this = self.expression(kind(this=this, expression=self._parse_term()))

    def _parse_like(self, this: exp.Expr | None) -> exp.Expr:
        """LIKE and what follows: a pattern, or ANY, SOME or ALL of a list, an UNNEST or a subquery."""
        if not self._match_set((TokenType.ANY, TokenType.SOME, TokenType.ALL)):
            return self.expression(exp.Like(this=this, expression=self._parse_bitwise()))
        kind = exp.All if self._prev.token_type == TokenType.ALL else exp.Any
        if self._match(TokenType.UNNEST):
            patterns: exp.Expr = exp.Unnest(expressions=self._parse_wrapped_csv(self._parse_disjunction))
        elif self._next and self._next.token_type in {TokenType.SELECT, TokenType.WITH}:
            patterns = exp.Subquery(this=self._parse_wrapped(self._parse_select))
        else:
            patterns = exp.Tuple(expressions=self._parse_wrapped_csv(self._parse_disjunction))
        return self.expression(exp.Like(this=this, expression=kind(this=patterns)))

    def _parse_type(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """An operand. What stands behind a literal, as in `JSON '{"a": 1}'.a`, is about its value and not its text."""
        if self._match_pair(TokenType.WITH, TokenType.L_PAREN):
            return self._parse_with_expression()
        node = super()._parse_type(*args, **kwargs)
        if not isinstance(node, exp.Cast | exp.ParseJSON) or not isinstance(node.this, exp.Dot | exp.Bracket):
            return node
        outer = inner = node.this
        while isinstance(inner.this, exp.Dot | exp.Bracket):
            inner = inner.this
        if not isinstance(inner.this, exp.Literal):
            return node
        literal = inner.this
        inner.set("this", node)
        node.set("this", literal)
        return outer

    def _parse_with_expression(self) -> exp.Expr:
        """`WITH(name AS value, ..., result)`, a call whose arguments but the last have aliases."""
        arguments = self._parse_csv(self._parse_with_argument)
        self._match_r_paren()
        return exp.Anonymous(this="WITH", expressions=arguments)

    def _parse_with_argument(self) -> exp.Expr | None:
        if self._next is None or self._next.token_type != TokenType.ALIAS:
            return self._parse_disjunction()
        name = self._parse_id_var()
        self._match(TokenType.ALIAS)
        return exp.Alias(this=self._parse_disjunction(), alias=name)

    def _parse_primary(self) -> exp.Expr | None:
        """A literal. Two that stand side by side are one text to sqlglot, and a mistake in GoogleSQL."""
        primary = super()._parse_primary()
        if isinstance(primary, exp.Concat):
            self.raise_error("Unexpected string literal", self._prev)
        return primary

    def _parse_table(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """A table; the one that CLONE or COPY names may be meant as it was, and options of the new one follow it."""
        if self._curr.token_type in _BEGINS_QUERY and self._prev.token_type != TokenType.L_PAREN:
            self.raise_error("A query stands in parentheses")
        is_origin = self._prev is not None and self._prev.text.upper() in self.CLONE_KEYWORDS
        table = super()._parse_table(*args, **kwargs)
        if is_origin and isinstance(table, exp.Table):
            table.set("version", self._parse_version())
            table.set("properties", self._parse_properties())
        if isinstance(table, exp.Table) and self._match_pair(TokenType.WITH, TokenType.OFFSET):
            self._match(TokenType.ALIAS)
            unnest = unnest_of(table)
            unnest.set("offset", self._parse_id_var(any_token=False) or exp.to_identifier("offset"))
            return unnest
        return table

    # `unnest_array_paths` finds more of them.
    SUPPORTS_IMPLICIT_UNNEST = False

    def _parse_delete(self, *args: Any, **kwargs: Any) -> exp.Delete:
        """DELETE, whose FROM may be left out: sqlglot then takes the table for one of a list of targets."""
        delete = super()._parse_delete(*args, **kwargs)
        targets = delete.args.get("tables")
        if targets and not delete.args.get("this"):
            delete.set("this", targets[0])
            delete.set("tables", None)
        return delete

    def _parse_drop(self, *args: Any, **kwargs: Any) -> exp.Drop | exp.Command:
        """DROP, of a table function too."""
        is_table_function = self._match_pair(TokenType.TABLE, TokenType.FUNCTION, advance=False)
        if is_table_function:
            self._advance()
        drop = super()._parse_drop(*args, **kwargs)
        if is_table_function and isinstance(drop, exp.Drop):
            drop.set("kind", TABLE_FUNCTION)
        return drop

    def _parse_types(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """A type, which remembers its name as it is written: sqlglot takes other databases' names for BigQuery's."""
        first = self._curr
        kind = super()._parse_types(*args, **kwargs)
        self._last_type = kind
        if first and isinstance(kind, exp.DataType) and (name := _TYPE_NAME.match(self._find_sql(first, self._prev))):
            kind.meta[TYPE_NAME] = name[0]
        return kind

    def _parse_id_var(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """A name, which no text in quotes is."""
        return (
            None if self._curr and self._curr.token_type == TokenType.STRING else super()._parse_id_var(*args, **kwargs)
        )

    def _parse_cast(self, *args: Any, **kwargs: Any) -> exp.Expr:
        """CAST, which sqlglot takes for another function where it has a FORMAT and a date's type."""
        cast = super()._parse_cast(*args, **kwargs)
        if not isinstance(cast, exp.StrToDate | exp.StrToTime):
            return cast
        kind = exp.TryCast if cast.args.get("safe") else exp.Cast
        form, zone = cast.args["format"], cast.args.get("zone")
        if zone is not None:
            form = exp.AtTimeZone(this=form, zone=zone)
        return kind(this=cast.this, to=self._last_type, format=form)

    def _parse_lambda(self, *args: Any, **kwargs: Any) -> exp.Expr | None:
        """An argument of a call; `TABLE name` is one to a table function."""
        if self._curr.token_type == TokenType.TABLE and self._next and self._next.token_type != TokenType.L_PAREN:
            self._advance()
            return self._parse_table_parts()
        return super()._parse_lambda(*args, **kwargs)


_QUOTES = ("'", '"', '"""', "'''")
_RAW_PREFIXES = ("rb", "rB", "Rb", "RB", "br", "bR", "Br", "BR")
_RAW_BYTES = [(prefix + quote, quote) for quote in _QUOTES for prefix in _RAW_PREFIXES]


class GoogleSQL(BigQuery):
    """The dialect to parse with; what it writes is BigQuery's."""

    Parser = GoogleSQLParser

    class Tokenizer(BigQuery.Tokenizer):
        # sqlglot knows no raw bytes: they come as tokens of a kind that BigQuery has no use for.
        NATIONAL_RAW_STRINGS: ClassVar[list[str | tuple[str, str]]] = [*_RAW_BYTES]

    # Formats of CAST are read when they are used. A mapping of nothing to nothing leaves them as they are written.
    FORMAT_MAPPING: dict[str, str] = {"\0": "\0"}  # noqa: RUF012 - as sqlglot declares it
