"""Sources: where a publisher keeps a partition, as a file or behind an API, and how to ask for it."""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Any, Self
from urllib.parse import quote

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from tarn.declared import IDENTIFIER, FirstDay, Model, text_keys
from tarn.partition import Partition
from tarn.placeholders import Value, dates_of, fill, require_known

PUBLISHER_ID = r"^[a-z][a-z0-9_]*$"

TextValues = Annotated[dict[str, str], BeforeValidator(text_keys)]


class SourceFormat(StrEnum):
    """The forms in which publishers send data. A ``.gz`` is gzipped; json is the answers of an API."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    TSV_GZ = "tsv.gz"
    PARQUET = "parquet"
    JSON = "json"


GZIPPED = frozenset({SourceFormat.CSV_GZ, SourceFormat.TSV_GZ})


class Key(Model):
    """A publisher's secret. It comes from the Airflow connection, or from TARN_KEY_<PUBLISHER>; without it is none."""

    publisher: str = Field(pattern=PUBLISHER_ID, description="name of the connection that holds it")
    header: str = Field(pattern=r"^[A-Za-z0-9\-]+$", description="header that carries it")


class Source(Model):
    """What a file and an API have in common.

    Placeholders stand for the partition: ``{year}``, ``{month}``, ``{day}`` for its first day, ``{next}`` for the
    first day after it, each with a form if need be: ``{day:%Y%m%d}``.
    """

    name: str = Field("", description="to choose it by, with TARN_SOURCES; by default the format")
    format: SourceFormat
    url: str = Field(pattern=r"^https?://", description="the publisher's own address")
    mirror: str = Field(description="path of the same data under the address that TARN_PUBLISHERS gives")
    first: FirstDay | None = Field(None, alias="from", description="first day published here")
    last: FirstDay | None = Field(None, alias="until", description="last partition published here")
    requests_per_minute: float | None = Field(
        None, gt=0, description="how often the publisher lets itself be asked; TARN_RATE_LIMITS overrides it"
    )
    key: Key | None = Field(None, description="the secret that the publisher asks for, or is faster with")

    @model_validator(mode="before")
    @classmethod
    def _fill_name(cls, data: Any) -> Any:
        return {"name": data.get("format")} | data if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _placeholders_are_known(self) -> Self:
        for field, pattern in self._patterns().items():
            try:
                require_known(pattern, self._more_placeholders())
            except ValueError as error:
                raise ValueError(f"{field}: {error}") from None
        return self

    @property
    def publisher(self) -> str:
        """The publisher's id in settings, pools and connections: its key's, else the first folder of the mirror."""
        first = self.mirror.strip("/").split("/")[0]
        return self.key.publisher if self.key else re.sub(r"\W", "_", first.lower())

    def covers(self, partition: Partition) -> bool:
        """Whether the publisher says to have this partition here."""
        after_start = self.first is None or partition.next().start > self.first
        return after_start and (self.last is None or partition.start <= self.last)

    def _patterns(self) -> dict[str, str]:
        return {"url": self.url, "mirror": self.mirror}

    def _more_placeholders(self) -> tuple[str, ...]:
        return ()

    def _place(self, base: str | None) -> str:
        return f"{base}/{self.mirror.lstrip('/')}" if base else self.url


class FileSource(Source):
    """A file a partition."""

    def address(self, partition: Partition, base: str | None) -> str:
        """The URL of the partition's file: the publisher's own, or under ``base`` where one is given."""
        return fill(self._place(base), dates_of(partition))


class Pages(Model):
    """How an API gives its records page by page: by ``offset`` (records to skip) or by ``number`` (the first is 1).

    The order of the records must be a stable one, asked for by the source's params. A page with fewer records than
    asked for is the last.
    """

    size: str = Field(min_length=1, description="parameter that asks for so many records a page")
    per_page: int = Field(gt=0, description="records a page, at most as many as the API gives")
    offset: str | None = Field(None, description="parameter that skips so many records")
    number: str | None = Field(None, description="parameter that counts the pages from 1")
    last_offset: int | None = Field(None, ge=0, description="largest offset that the API takes")
    id: str | None = Field(None, description="field that no two records share: tells when records move between pages")
    total: str | None = Field(None, description="path in an answer to the number of records there are in all")

    @model_validator(mode="after")
    def _one_way_of_counting(self) -> Self:
        if (self.offset is None) == (self.number is None):
            raise ValueError("give either offset or number")
        if self.last_offset is not None and self.offset is None:
            raise ValueError("last_offset belongs to offset")
        return self

    def place(self, page: int) -> dict[str, str]:
        """The parameters that ask for a page; the first is 0."""
        asked = {self.size: str(self.per_page)}
        if self.offset is not None:
            return asked | {self.offset: str(page * self.per_page)}
        return asked | {str(self.number): str(page + 1)}

    def reaches(self, page: int) -> bool:
        """Whether the API gives a page so far on."""
        return self.last_offset is None or page * self.per_page <= self.last_offset


class Series(Model):
    """Parallel lists of [milliseconds since 1970, value], which become one record a time.

    Records outside the partition are left out; where a time comes twice, or the series runs backwards, the value that
    comes last counts, and records are in the order of time.
    """

    time: str = Field(pattern=IDENTIFIER, description="field that takes the time, in milliseconds")
    values: dict[str, str] = Field(min_length=1, description="path of each list in an answer, and the field it becomes")


class Mark(Model):
    """A high-water mark: each partition asks for what has changed since the newest record of the ones before it.

    The window of a partition begins after ``{mark}``, the largest value of ``field`` that an earlier partition's
    receipt has, else ``first``, else the partition's first day; ``{next}`` ends it. A repeated run keeps the window of
    its receipt.
    """

    field: str = Field(min_length=1, description="field of the records whose text is in the order of time")
    first: FirstDay | None = Field(
        None, description="where the first window begins; without it, with the partition's first day"
    )


class ApiSource(Source):
    """Answers of an API, kept as they come; each record of each answer becomes a row.

    Placeholders besides the partition's: ``{days_ago}`` (whole days from the partition's first day to today, in UTC,
    at least 1), ``{mark}``, and the names of ``each``.
    """

    params: TextValues = Field(default_factory=dict, description="parameters of the request")
    pages: Pages | None = Field(None, description="without: one answer has all")
    records: str = Field("", description="path to the list of records in an answer; without: the answer is the list")
    each: dict[str, tuple[str, ...]] = Field(
        default_factory=dict, description="repeat the request for each value; it is a field of the records too"
    )
    series: Series | None = Field(None, description="the answer holds series instead of records")
    snapshot: bool = Field(False, description="live there is only the present: no partition before yesterday's")
    mark: Mark | None = Field(None, description="ask only for what has changed")

    @model_validator(mode="after")
    def _parts_fit(self) -> Self:
        if self.series and (self.records or self.pages):
            raise ValueError("series goes without records and pages")
        if not all(self.each.values()):
            raise ValueError("each: give at least one value")
        if self.mark is None and any("{mark}" in pattern for pattern in self._patterns().values()):
            raise ValueError("{mark} needs mark")
        return self

    def address(self, values: Mapping[str, Value], base: str | None) -> str:
        """The URL of the request without its parameters, with the placeholders' values."""
        return fill(self._place(base), values, lambda text: quote(text, safe=""))

    def parameters(self, values: Mapping[str, Value]) -> dict[str, str]:
        """The parameters of the request, with the placeholders' values."""
        return {name: fill(pattern, values) for name, pattern in self.params.items()}

    def _patterns(self) -> dict[str, str]:
        return super()._patterns() | {f"params.{name}": pattern for name, pattern in self.params.items()}

    def _more_placeholders(self) -> tuple[str, ...]:
        return tuple(self.each)


FILE, API = "<file>", "<api>"


def _kind(data: Any) -> str:
    format_ = data.get("format") if isinstance(data, dict) else getattr(data, "format", None)
    return API if format_ == SourceFormat.JSON else FILE


AnySource = Annotated[
    Annotated[FileSource, Tag(FILE)] | Annotated[ApiSource, Tag(API)],
    Discriminator(_kind),
]
