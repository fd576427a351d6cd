"""The quarantine file: bad rows as JSON lines, each with its place, its reason and its own text."""

import dataclasses
import json
from collections import Counter
from collections.abc import Iterable
from typing import TextIO

from tarn.parquetize.rows import BadRow

SHOWN_REASONS = 3


class Quarantine:
    """Writes bad rows to a file as they come, and counts them."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self.rows = 0
        self.rules: Counter[str] = Counter()
        self.first_reasons: list[str] = []

    def add(self, rows: Iterable[BadRow]) -> None:
        """Write rows to the file."""
        for row in rows:
            self._file.write(json.dumps(dataclasses.asdict(row), ensure_ascii=False) + "\n")
            self.rows += 1
            self.rules[row.rule] += 1
            if len(self.first_reasons) < SHOWN_REASONS:
                at = f"{row.column} " if row.column else ""
                self.first_reasons.append(f"line {row.line}: {at}{row.reason}")
