#!/usr/bin/env python3
"""Make the secrets of docker-compose.yml that a file such as .env does not have yet; what it has stays.

Needs nothing but Python, so that the stack starts where nothing else is installed.
"""

import argparse
import base64
import os
import secrets
import sys
from collections.abc import Iterator
from pathlib import Path

PROJECT = "COMPOSE_PROJECT_NAME=tarn"
HEADING = "# Secrets of this machine's stack, made by `make compose-up`. They open its volumes: keep them, commit none."
PASSWORDS = (
    "TARN_AIRFLOW_PASSWORD",
    "TARN_GRAFANA_PASSWORD",
    "TARN_POSTGRES_PASSWORD",
    "TARN_REDIS_PASSWORD",
)
PASSWORD_BYTES = 24
SIGNING_KEYS = ("TARN_API_SECRET", "TARN_JWT_SECRET")
# 64 characters: Airflow signs its tokens with SHA-512, and warns at every start of a key that is shorter than its hash.
SIGNING_BYTES = 48
FERNET_BYTES = 32


def completed(text: str) -> str:
    """The file's text with a line for each name that it lacks."""
    present = {line.partition("=")[0].strip() for line in text.splitlines()}
    lines = [line for line in _lines() if line.partition("=")[0] not in present]
    if not lines:
        return text
    head = text if not text or text.endswith("\n") else f"{text}\n"
    return "\n".join([f"{head}{HEADING}", *lines, ""])


def _lines() -> Iterator[str]:
    yield PROJECT
    for name in PASSWORDS:
        # URL-safe: the passwords are part of addresses.
        yield f"{name}={secrets.token_urlsafe(PASSWORD_BYTES)}"
    for name in SIGNING_KEYS:
        yield f"{name}={secrets.token_urlsafe(SIGNING_BYTES)}"
    yield f"TARN_FERNET_KEY={base64.urlsafe_b64encode(secrets.token_bytes(FERNET_BYTES)).decode('ascii')}"


def main() -> int:
    """Complete the file in one move, for its owner's eyes only; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("file", type=Path, nargs="?", default=Path(".env"))
    file: Path = parser.parse_args().file
    before = file.read_text(encoding="utf-8") if file.exists() else ""
    after = completed(before)
    if after != before:
        temporary = file.with_name(f".{file.name}.part")
        temporary.unlink(missing_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as output:
            output.write(after)
            output.flush()
            os.fsync(output.fileno())
        temporary.replace(file)
        print(f"{file}: made the secrets that it lacked")
    return 0


if __name__ == "__main__":
    sys.exit(main())
