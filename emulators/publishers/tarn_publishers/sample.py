"""What one run of the publishers serves: how much of it, and which of all possible samples."""

import datetime as dt
import hashlib
from dataclasses import dataclass

# Part of every file's identity. Raise it with any change that alters the bytes of a file.
GENERATION = 1
_EPOCH = dt.datetime(2025, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Sample:
    """Equal samples hold equal files: byte for byte, on every machine."""

    rows: int  # of a taxi service's reference month; the other months keep their real proportion to it
    seed: int = 1
    bad_per_million: int = 0  # rows of CSV files that no reader can make sense of

    @property
    def name(self) -> str:
        """A folder name that no other sample has."""
        return f"v{GENERATION}-seed{self.seed}-rows{self.rows}-bad{self.bad_per_million}"

    def seed_of(self, revision: int) -> str:
        """The seed of a file that its publisher has replaced `revision` times."""
        return f"{self.seed}.{revision}" if revision else str(self.seed)

    def etag(self, path: str, revision: int) -> str:
        """A strong entity tag: the sample, the path and the revision decide every byte."""
        return f'"{hashlib.sha256(f"{self.name}{path}#{revision}".encode()).hexdigest()[:32]}"'

    def last_modified(self, revision: int) -> dt.datetime:
        """A time that stays the same for one seed, and moves on by an hour with each revision."""
        return _EPOCH + dt.timedelta(minutes=self.seed % 500_000, hours=revision)
