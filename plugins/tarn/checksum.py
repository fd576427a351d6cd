"""crc32c, the checksum that Cloud Storage keeps for every object."""

import base64
from pathlib import Path

import google_crc32c

CHUNK_BYTES = 1 << 20


def encode_crc32c(value: int) -> str:
    """A crc32c as Cloud Storage writes it: base64 of the four big-endian bytes."""
    return base64.b64encode(value.to_bytes(4, "big")).decode("ascii")


def file_crc32c(path: Path) -> str:
    """The crc32c of a file's bytes, in Cloud Storage's form."""
    value = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            value = google_crc32c.extend(value, chunk)
    return encode_crc32c(value)
