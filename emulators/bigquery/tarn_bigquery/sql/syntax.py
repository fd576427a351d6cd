"""Mistakes in the text of a query, in BigQuery's words and with their place."""

import re

from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from tarn_bigquery.errors import ApiError, invalid_query
from tarn_bigquery.sql.reserved import RESERVED

_STRINGS = {TokenType.STRING, TokenType.RAW_STRING, TokenType.HEREDOC_STRING}
_BYTES = {TokenType.BYTE_STRING, TokenType.NATIONAL_RAW_STRING}
_WORD = re.compile(r"[^\W\d]\w*")


class SyntaxMistake(ParseError):
    """What the parser raises: `told` is the error for the client."""

    def __init__(self, told: ApiError) -> None:
        super().__init__(str(told))
        self.told = told


def unexpected(script: str, token: Token | None) -> ApiError:
    """The error for a token that cannot stand where it stands; None is the end of the script."""
    return invalid_query(f"Syntax error: Unexpected {_described(script, token)}{_place(script, token)}")


def unexpected_instead(script: str, token: Token | None, expected: str) -> ApiError:
    """The error for a token where only `expected` can stand."""
    return invalid_query(
        f"Syntax error: Expected {expected} but got {_described(script, token)}{_place(script, token)}"
    )


def token_error(error: TokenError) -> ApiError:
    """What sqlglot says of a text that it cannot split into words."""
    found = re.search(r"Missing (\S+) from (\d+):(\d+)", str(error.__cause__))
    if found is None or found[1][-1] not in "'\"`":
        return invalid_query("Syntax error: Unclosed comment")
    what = (
        "identifier" if found[1] == "`" else "triple-quoted string literal" if len(found[1]) > 2 else "string literal"
    )
    return invalid_query(f"Syntax error: Unclosed {what} at [{found[2]}:{int(found[3]) + 2 - len(found[1])}]")


def _described(script: str, token: Token | None) -> str:
    if token is None:
        return "end of script"
    written = script[token.start : token.end + 1]
    if token.token_type in _STRINGS:
        return f"string literal {written}"
    if token.token_type in _BYTES:
        return f"bytes literal {written}"
    if token.token_type == TokenType.NUMBER:
        return f'{"integer" if written.isalnum() else "floating point"} literal "{written}"'
    if token.token_type == TokenType.IDENTIFIER:
        return f"identifier {written}"
    if not _WORD.fullmatch(written):
        return f'"{written}"'
    is_keyword = written.upper() in RESERVED or token.token_type != TokenType.VAR
    return f"keyword {written.upper()}" if is_keyword else f'identifier "{written}"'


def _place(script: str, token: Token | None) -> str:
    return place(script, len(script.rstrip()) if token is None else token.start)


def place(script: str, start: int) -> str:
    """` at [line:column]` of a place in a script."""
    line, column = line_and_column(script, start)
    return f" at [{line}:{column}]"


def line_and_column(script: str, start: int) -> tuple[int, int]:
    """The line and the column of a place in a script, both from 1."""
    return script.count("\n", 0, start) + 1, start - script.rfind("\n", 0, start)
