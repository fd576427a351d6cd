"""Rows as the API and the export write them."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, BinaryIO

from tarn_publishers.socrata.crashes import Row, location_of, position_of
from tarn_publishers.socrata.fields import ALL_FIELDS, EXPORT_NAMES, FieldType
from tarn_publishers.socrata.soql import Output

_NOBODY = json.dumps({"address": "", "city": "", "state": "", "zip": ""})
_FLUSH_ROWS = 2_000


def records(rows: Iterable[Row], outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """JSON's records: a key that has no value is left out, every number is text, the location is an object."""
    return [
        {output.name: value for output in outputs if (value := _json_value(row, output.field)) is not None}
        for row in rows
    ]


def aggregated(rows: Sequence[Row], outputs: Sequence[Output]) -> list[dict[str, Any]]:
    """The one record that aggregates give."""
    record = {}
    for output in outputs:
        if output.field == "*":
            record[output.name] = str(len(rows))
            continue
        values = [value for row in rows if (value := _json_value(row, output.field)) is not None]
        if output.aggregate == "count":
            record[output.name] = str(len(values))
        elif values:
            # Times as texts compare as times do; numbers do not.
            key = Decimal if ALL_FIELDS[output.field] is FieldType.NUMBER else str
            record[output.name] = (min if output.aggregate == "min" else max)(values, key=key)
    return [record]


def _json_value(row: Row, field: str) -> Any:
    if field == "location":
        location = location_of(row)
        return location and {"latitude": location[0], "longitude": location[1], "human_address": _NOBODY}
    value = row[position_of(field)]
    return None if value is None else str(value)


def csv_text(rows: Iterable[Row], outputs: Sequence[Output]) -> str:
    """CSV by the API: its own names, everything in quotes."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\n")
    writer.writerow([output.name for output in outputs])
    writer.writerows([_csv_value(row, output.field) for output in outputs] for row in rows)
    return out.getvalue()


def _csv_value(row: Row, field: str) -> str:
    if field == "location":
        location = location_of(row)
        return f"({location[0]}, {location[1]})" if location else ""
    value = row[position_of(field)]
    return "" if value is None else str(value)


class Export:
    """The CSV export. Editions before 2021 end lines with CRLF and write a place as well-known text."""

    def __init__(self, fields: Sequence[str], *, old: bool) -> None:
        self._fields = fields
        self._old = old

    def write(self, out: BinaryIO, rows: Iterator[Row]) -> None:
        """Writes header and rows a few thousand at a time."""
        buffer = io.StringIO()
        writer = csv.writer(buffer, lineterminator="\r\n" if self._old else "\n")
        writer.writerow([EXPORT_NAMES.get(field, field) for field in self._fields])
        for number, row in enumerate(rows, 1):
            writer.writerow([self._value(row, field) for field in self._fields])
            if number % _FLUSH_ROWS == 0:
                out.write(buffer.getvalue().encode())
                buffer.seek(0)
                buffer.truncate()
        out.write(buffer.getvalue().encode())

    def _value(self, row: Row, field: str) -> str:
        text = _csv_value(row, field)
        if field == "crash_date":
            return f"{text[5:7]}/{text[8:10]}/{text[:4]}"
        if field == "location" and text and self._old:
            latitude, longitude = location_of(row) or ("", "")
            return f"POINT ({longitude} {latitude})"
        return text
