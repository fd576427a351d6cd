"""Labels of datasets, tables and jobs: https://cloud.google.com/bigquery/docs/labels-intro#requirements"""

import re

from tarn_bigquery.errors import invalid

_MOST = 64
_RULE = "has at most 63 characters, which are lowercase letters, digits, underscores and dashes"
_WORD = re.compile(r"[\w-]{0,63}")


def check_labels(labels: dict[str, str | None] | None) -> None:
    """Raises ApiError `invalid` for labels that cannot be. One whose value is null is to be removed."""
    given = labels or {}
    if len(given) > _MOST:
        raise invalid(f"Too many labels: {len(given)}. A resource has at most {_MOST}.", "labels")
    for key, value in given.items():
        if not key or not key[0].isalpha() or not _is_word(key):
            raise invalid(f'Invalid label key "{key}": it begins with a letter, and {_RULE}.', "labels")
        if value is not None and not _is_word(value):
            raise invalid(f'Invalid value "{value}" of the label {key}: it {_RULE}.', "labels")


def _is_word(text: str) -> bool:
    return _WORD.fullmatch(text) is not None and text == text.lower()
