"""ALTER statements in the forms that sqlglot leaves unread: taken apart into one statement an action."""

import re

from sqlglot import exp
from sqlglot.tokenizer_core import TokenType

from tarn_bigquery.errors import unsupported
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.script import Words

_HEAD = re.compile(
    r"\s*ALTER\s+(?:(?:MATERIALIZED\s+)?VIEW|(?:SNAPSHOT\s+)?TABLE)\s+(?P<exists>IF\s+EXISTS\s+)?"
    r"(?P<name>(?:`[^`]+`|[\w-]+)(?:\s*\.\s*(?:`[^`]+`|[\w-]+))*)\s+",
    re.IGNORECASE,
)
_COLUMN_OPTIONS = re.compile(
    r"ALTER\s+COLUMN\s+(?P<exists>IF\s+EXISTS\s+)?(?P<name>`[^`]+`|\w+)\s+(?P<options>SET\s+OPTIONS\s*\(.*)",
    re.IGNORECASE | re.DOTALL,
)


class ColumnOptions(exp.Expression):
    """ALTER COLUMN ... SET OPTIONS: `this` is the column's name, `set` the options as those of a table."""

    arg_types = {"this": True, "set": True, "exists": False}  # noqa: RUF012 - as sqlglot declares it


def read(text: str) -> exp.Alter:
    """The statement with all of its actions. Raises ApiError where one of them is not known."""
    head = _HEAD.match(text)
    if head is None:
        raise unsupported(f"this form of ALTER: {text[:60]}")
    start = f"ALTER TABLE {head['exists'] or ''}{head['name']} "
    alters = [_one(start, piece) for piece in _pieces(text[head.end() :])]
    whole = alters[0]
    whole.set("actions", [action for alter in alters for action in alter.args["actions"]])
    return whole


def _one(start: str, action: str) -> exp.Alter:
    options = _COLUMN_OPTIONS.fullmatch(action)
    tree = parse(start + (options["options"] if options is not None else action))[0].tree
    if not isinstance(tree, exp.Alter):
        raise unsupported(f"ALTER TABLE {action}")
    if options is not None:
        name = options["name"].strip("`")
        found = ColumnOptions(this=exp.to_identifier(name), set=tree.args["actions"][0], exists=bool(options["exists"]))
        tree.set("actions", [found])
    return tree


def _pieces(text: str) -> list[str]:
    """The parts of a text between the commas that stand outside of all brackets."""
    pieces, depth, start = [], 0, 0
    for token in Words().tokenize(text):
        depth += {"(": 1, "<": 1, "[": 1, ")": -1, ">": -1, ">>": -2, "]": -1}.get(token.text, 0)
        if token.token_type == TokenType.COMMA and depth == 0:
            pieces.append(text[start : token.start].strip())
            start = token.end + 1
    return [*pieces, text[start:].strip().rstrip(";")]
