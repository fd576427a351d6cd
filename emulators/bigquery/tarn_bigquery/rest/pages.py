"""Lists in pages: a token is the place to go on from, in base64 so that nobody counts on it."""

import base64
import binascii
from collections.abc import Sequence
from typing import Any, TypeVar

from tarn_bigquery.errors import invalid
from tarn_bigquery.rest.http import Call

_Item = TypeVar("_Item")


def page(call: Call, items: Sequence[_Item], default: int = 1000) -> tuple[Sequence[_Item], dict[str, Any]]:
    """The items of the page that is asked for, and `nextPageToken` where there are more."""
    start = start_of(call.query.get("pageToken"))
    limit = call.integer("maxResults", default)
    end = start + (limit if limit is not None and limit > 0 else default)
    return items[start:end], {"nextPageToken": token(end)} if end < len(items) else {}


def token(position: int) -> str:
    return base64.urlsafe_b64encode(f"at:{position}".encode()).decode()


def start_of(text: str | None) -> int:
    """The position in a page token. Raises ApiError `invalid` for one that was not given out here."""
    if not text:
        return 0
    try:
        word, _, number = base64.urlsafe_b64decode(text).decode().partition(":")
        if word == "at":
            return int(number)
    except (binascii.Error, ValueError):
        pass
    raise invalid("Invalid page token: it was not given out by this service.", "pageToken")
