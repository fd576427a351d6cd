"""An API's answer, its numbers as they were written."""

import json
from dataclasses import dataclass
from typing import Any

BOM = b"\xef\xbb\xbf"
_LINE_ENDS = bytes.maketrans(b"\r\n", b"  ")


class Number(str):
    """A number in the digits that the publisher wrote: ``1.10`` stays so, and no digit is beyond a float."""

    __slots__ = ()


class NotJson(Exception):
    """A text is no JSON; the message says where it is not."""


@dataclass(frozen=True)
class Answer:
    """What a publisher answered: the body on one line, what it says, and its version."""

    url: str
    line: bytes
    data: Any
    etag: str | None = None
    last_modified: str | None = None


def one_line(body: bytes) -> bytes:
    """A JSON text on one line; within a string JSON has no line ends, so only blanks between tokens change."""
    return body.removeprefix(BOM).translate(_LINE_ENDS).strip()


def parse(line: bytes) -> Any:
    """What a JSON text says, with each number as a Number; raises NotJson."""
    try:
        return json.loads(line, parse_int=Number, parse_float=Number, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise NotJson(str(error)) from None


def as_text(value: Any) -> str | None:
    """A value of a record as the text that is cast; an object or a list is text in JSON."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    return "".join(_encoded(value))


def at_path(data: Any, path: str) -> Any:
    """What lies at a path such as ``context.total_rows``, or in a field of just that name; None where nothing does."""
    if isinstance(data, dict) and path in data:
        return data[path]
    for part in filter(None, path.split(".")):
        if isinstance(data, dict):
            data = data.get(part)
        elif isinstance(data, list) and part.isdecimal() and int(part) < len(data):
            data = data[int(part)]
        else:
            return None
    return data


def _encoded(value: Any) -> list[str]:
    if isinstance(value, Number):
        return [value]
    if isinstance(value, dict):
        fields = [f"{json.dumps(name, ensure_ascii=False)}: {''.join(_encoded(one))}" for name, one in value.items()]
        return ["{", ", ".join(fields), "}"]
    if isinstance(value, list):
        return ["[", ", ".join("".join(_encoded(one)) for one in value), "]"]
    return [json.dumps(value, ensure_ascii=False)]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
