"""A table of a day as Blockchair dumps it: tab-separated, gzipped, with no line end after the last row."""

import zlib
from collections.abc import Iterable
from typing import Any, BinaryIO

from tarn_publishers.taxi.csv_files import GZIP_LEVEL


def write_dump(out: BinaryIO, records: Iterable[dict[str, Any]]) -> None:
    """Writes a gzip file without name or time, so that equal records give equal bytes."""
    gzip = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, wbits=31)
    for number, record in enumerate(records):
        if number == 0:
            out.write(gzip.compress("\t".join(record).encode()))
        out.write(gzip.compress(("\n" + "\t".join(map(_text, record.values()))).encode()))
    out.write(gzip.flush())


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(int(value))
    return format(value, "f").rstrip("0").rstrip(".") if isinstance(value, float) and abs(value) < 1e-4 else str(value)
