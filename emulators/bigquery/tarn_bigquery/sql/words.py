"""Statements whose first words sqlglot does not take, told without them."""

import re
from itertools import pairwise

from sqlglot import Dialect

from tarn_bigquery.errors import invalid_query


def without_word(text: str, word: str) -> str:
    """The statement without a word that stands before TABLE and that sqlglot does not take: EXTERNAL, SNAPSHOT."""
    for token, after in pairwise(Dialect.get_or_raise("bigquery").tokenize(text)):
        if token.text.upper() == word and after.text.upper() == "TABLE":
            return text[: token.start] + text[token.end + 1 :]
        # A statement that sqlglot does not know is one word and a text.
        if found := re.match(rf"(?i){word}\s+(?=TABLE\b)", after.text):
            place = text.index(after.text, token.end)
            return text[:place] + text[place + found.end() :]
    raise invalid_query(f"Syntax error: Expected {word} TABLE")
