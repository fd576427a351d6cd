"""GoogleSQL text into statements."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import pairwise

from sqlglot import exp
from sqlglot.errors import ParseError, TokenError
from sqlglot.tokenizer_core import Token, TokenType

from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.array_paths import unnest_array_paths
from tarn_bigquery.sql.dialect import AGGREGATE_FUNCTION, GoogleSQL
from tarn_bigquery.sql.reserved import refuse_reserved_names
from tarn_bigquery.sql.syntax import SyntaxMistake, token_error, unexpected

_KINDS: dict[type[exp.Expr], str] = {
    exp.Query: "SELECT",
    exp.Insert: "INSERT",
    exp.Update: "UPDATE",
    exp.Delete: "DELETE",
    exp.Merge: "MERGE",
    exp.TruncateTable: "TRUNCATE_TABLE",
    exp.Export: "EXPORT_DATA",
}

# Statements that sqlglot leaves unread and whose first two words are not all of their name.
_LONGER_NAMES = {
    "ALTER_MATERIALIZED": "ALTER_MATERIALIZED_VIEW",
    "ALTER_SNAPSHOT": "ALTER_TABLE",
    "CREATE_SNAPSHOT": "CREATE_SNAPSHOT_TABLE",
    "DROP_SNAPSHOT": "DROP_SNAPSHOT_TABLE",
}

_EXTERNAL_TABLE = re.compile(r"\s*(OR\s+REPLACE\s+)?EXTERNAL\s+TABLE\b", re.IGNORECASE)


@dataclass(frozen=True)
class Statement:
    """One statement of a script: its tree, and where in the script its text stands."""

    tree: exp.Expr
    script: str
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.script[self.start : self.end]


def parse(script: str) -> list[Statement]:
    """The statements of a query text. Raises ApiError `invalidQuery` with the place of the first mistake.

    The trees are the caller's own to change.
    """
    statements = [replace(statement, tree=statement.tree.copy()) for statement in _parsed(script)]
    if not statements:
        raise invalid_query("Syntax error: Unexpected end of statement")
    return statements


def parse_fragment(script: str, start: int, end: int, *, before: str = "") -> Statement:
    """The one statement between two places of a script, with `before` put in front of it.

    What stands before it is blanked, so that positions are those in the script.
    """
    blank = re.sub(r"[^\n]", " ", script[:start])
    if before:
        blank = blank[: -len(before)] + before if blank.endswith(" " * len(before)) else blank + before
    found = parse(f"{blank}{script[start:end]}")
    if len(found) != 1:
        raise invalid_query("Syntax error: Expected one statement")
    return replace(found[0], script=script, start=start, end=end)


def parse_type(text: str) -> exp.DataType:
    """A type as it is written in a script. Raises ApiError `invalidQuery` for a text that is none."""
    try:
        return exp.DataType.from_str(text, dialect=GoogleSQL)
    except (ParseError, TokenError, IndexError, TypeError) as error:
        raise invalid_query(f"Type not found: {text.strip()}") from error


@lru_cache(maxsize=64)
def _parsed(script: str) -> list[Statement]:
    dialect = GoogleSQL()
    try:
        tokens = dialect.tokenize(script)
        _refuse_gaps(script, tokens)
        trees = dialect.parser().parse(tokens, script)
    except SyntaxMistake as error:
        raise error.told from error
    except TokenError as error:
        raise token_error(error) from error
    except (AttributeError, IndexError, TypeError) as error:
        # sqlglot trips over some texts that are wrong, where it should say so.
        raise invalid_query("Syntax error: The statement cannot be read") from error
    for tree in trees:
        if tree is not None:
            refuse_reserved_names(tree)
            unnest_array_paths(tree)
    chunks: list[list[Token]] = [[]]
    for token in tokens:
        if token.token_type == TokenType.SEMICOLON:
            chunks.append([])
        else:
            chunks[-1].append(token)
    found = [tree for tree in trees if tree is not None and not isinstance(tree, exp.Semicolon)]
    spans = [(chunk[0].start, chunk[-1].end + 1) for chunk in chunks if chunk]
    if len(found) != len(spans):
        raise invalid_query("Syntax error: Unexpected end of statement")
    return [Statement(tree, script, start, end) for tree, (start, end) in zip(found, spans, strict=True)]


_BEFORE_AN_ITEM = {TokenType.COMMA, TokenType.L_PAREN, TokenType.L_BRACKET}
_AFTER_AN_ITEM = {TokenType.COMMA, TokenType.R_BRACKET}


def _refuse_gaps(script: str, tokens: list[Token]) -> None:
    """Raises ApiError `invalidQuery` for a comma with nothing before or behind it, which sqlglot passes over."""
    for token, following in pairwise(tokens):
        is_gap = token.token_type in _BEFORE_AN_ITEM and following.token_type == TokenType.COMMA
        if is_gap or (token.token_type == TokenType.COMMA and following.token_type in _AFTER_AN_ITEM):
            raise unexpected(script, following)


def query_text(statement: Statement) -> str:
    """The query behind the AS of a CREATE VIEW, as it was written."""
    depth = 0
    for token in GoogleSQL().tokenize(statement.text):
        if token.token_type == TokenType.L_PAREN:
            depth += 1
        elif token.token_type == TokenType.R_PAREN:
            depth -= 1
        elif token.token_type == TokenType.ALIAS and depth == 0:
            return statement.text[token.end + 1 :].strip()
    raise invalid_query("Syntax error: Expected keyword AS")


def statement_type(tree: exp.Expr) -> str:
    """The statement's name in a job's statistics: `SELECT`, `CREATE_TABLE_AS_SELECT`, `DROP_VIEW`."""
    for kind, name in _KINDS.items():
        if isinstance(tree, kind):
            return name
    if external := _external_verb(tree):
        return f"{external}_EXTERNAL_TABLE"
    if isinstance(tree, exp.Create | exp.Drop | exp.Alter):
        verb = type(tree).__name__.upper()
        name = f"{verb}_{_kind(tree).replace(' ', '_')}"
        if tree.args.get("materialized") or tree.find(exp.MaterializedProperty):
            name = name.replace("VIEW", "MATERIALIZED_VIEW")
        as_select = isinstance(tree.args.get("expression"), exp.Query)
        return f"{name}_AS_SELECT" if name == "CREATE_TABLE" and as_select else name
    if isinstance(tree, exp.Command):
        words = [str(tree.this), *str(tree.args.get("expression") or "").split()]
        name = "_".join(word for word in words[:2] if word.isalpha()).upper()
        return _LONGER_NAMES.get(name, name)
    return type(tree).__name__.upper()


def _kind(tree: exp.Create | exp.Drop | exp.Alter) -> str:
    kind = (tree.args.get("kind") or "").upper()
    return "FUNCTION" if kind == AGGREGATE_FUNCTION else kind


def _external_verb(tree: exp.Expr) -> str | None:
    """CREATE or DROP where the statement is about an external table; sqlglot leaves most of those unread."""
    if isinstance(tree, exp.Create) and tree.find(exp.ExternalProperty):
        return "CREATE"
    if isinstance(tree, exp.Command) and _EXTERNAL_TABLE.match(str(tree.args.get("expression") or "")):
        return str(tree.this).upper()
    return None
