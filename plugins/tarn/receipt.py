"""Receipts: what a step read and what it wrote, kept beside its output and believed only while both still hold."""

import datetime as dt
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tarn import durable
from tarn.checksum import file_crc32c


class Artifact(BaseModel):
    """A file or an object, and how to tell whether it is still the same."""

    model_config = ConfigDict(frozen=True)

    uri: str = Field(description="path, gs:// or http(s):// address")
    bytes: int
    crc32c: str = Field(description="base64, as Cloud Storage writes it")
    etag: str | None = Field(None, description="the publisher's, where it gave one")
    last_modified: str | None = Field(None, description="the publisher's, where it gave one")
    values: dict[str, str] = Field(default_factory=dict, description="what an API was asked for, such as one coin")

    @classmethod
    def of(cls, path: Path) -> "Artifact":
        """Describe a file as it lies on disk."""
        return cls(uri=str(path), bytes=path.stat().st_size, crc32c=file_crc32c(path))

    def holds(self) -> bool:
        """Whether the file is still there, byte for byte."""
        path = Path(self.uri)
        return path.is_file() and path.stat().st_size == self.bytes and file_crc32c(path) == self.crc32c


class Receipt(BaseModel):
    """What one run of a step did."""

    model_config = ConfigDict(frozen=True)

    step: str
    dataset: str
    partition: str
    fingerprint: str = Field("", description="of the declared schema, where the output depends on it")
    reads: tuple[Artifact, ...] = ()
    writes: tuple[Artifact, ...] = ()
    source: str = Field("", description="which of the dataset's sources the files came from")
    since: str | None = Field(None, description="where the window of changes began that an API was asked for")
    mark: str | None = Field(None, description="the newest change among the records, where the next window begins")
    rows_read: int | None = None
    rows_written: int | None = None
    rows_quarantined: int | None = None
    rows_kept: int | None = Field(None, description="written as the publisher has them")
    rows_repaired: int | None = Field(None, description="written after a cleaning rule changed them")
    repaired_by: dict[str, int] = Field(default_factory=dict, description="cleaning rule to the rows that it repaired")
    quarantined_by: dict[str, int] = Field(default_factory=dict, description="what rows broke to their number")
    columns: dict[str, str] = Field(default_factory=dict, description="name to BigQuery type, in order")
    job: str | None = Field(None, description="BigQuery's job that proved the load")
    bytes_processed: int | None = Field(None, description="by that job")
    checks: dict[str, int] = Field(default_factory=dict, description="name of a check to the rows that break it")
    ignored_columns: tuple[str, ...] = Field((), description="columns of the file that the schema does not declare")
    seconds: float
    finished_at: dt.datetime
    reused: bool = Field(False, exclude=True, description="true where the receipt still held and nothing was done")

    def save(self, path: Path) -> None:
        """Write the receipt durably."""
        durable.write_text(path, self.model_dump_json(indent=2, exclude_none=True) + "\n")

    @classmethod
    def load(cls, path: Path) -> "Receipt | None":
        """Read a receipt; None where there is none, or one that an older version wrote and this one cannot read."""
        try:
            return cls.model_validate_json(path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError):
            return None

    def outputs_hold(self) -> bool:
        """Whether every file that the step wrote is still there, byte for byte."""
        return all(artifact.holds() for artifact in self.writes)
