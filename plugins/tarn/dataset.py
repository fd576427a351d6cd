"""Datasets: one YAML file each, under ``datasets/``. What a file may say is what these models declare."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, field_validator, model_validator

from tarn.cleaning import NULL, QUARANTINE, Policy, Rule
from tarn.errors import InvalidDataset, NotPublished
from tarn.partition import Granularity, Partition

IDENTIFIER = r"^[a-z_][a-z0-9_]{0,127}$"
SPEC_SUFFIX = ".yaml"


class ColumnType(StrEnum):
    """The BigQuery types that a column may be declared with."""

    STRING = "STRING"
    INT64 = "INT64"
    FLOAT64 = "FLOAT64"
    NUMERIC = "NUMERIC"
    BOOL = "BOOL"
    DATE = "DATE"
    DATETIME = "DATETIME"
    TIMESTAMP = "TIMESTAMP"


class SourceFormat(StrEnum):
    """The file formats that publishers send."""

    CSV = "csv"
    CSV_GZ = "csv.gz"
    PARQUET = "parquet"


def _text_keys(value: object) -> object:
    # YAML reads an unquoted 1 or Y as a number or a boolean; in a recode both sides are text of the file.
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else value


def _month_to_date(value: object) -> object:
    return f"{value}-01" if isinstance(value, str) and re.fullmatch(r"\d{4}-\d{2}", value) else value


Month = Annotated[dt.date, BeforeValidator(_month_to_date)]


class Model(BaseModel):
    """A part of a dataset's file: immutable, and without unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Column(Model):
    """A column of the declared schema and how to find it in the publisher's files."""

    name: str = Field(pattern=IDENTIFIER, description="name in the lake")
    type: ColumnType
    description: str = Field(min_length=1)
    aliases: tuple[str, ...] = Field((), description="names in the files; case and surrounding blanks never matter")
    recode: Annotated[dict[str, str], BeforeValidator(_text_keys)] = Field(
        default_factory=dict, description="values of older files in today's terms; case does not matter"
    )
    required: bool = Field(False, description="a file without this column is refused")
    repair: tuple[Rule, ...] = Field((), description="cleaning rules, applied to the text in this order")
    blank: str | None = Field(None, description=f"what a blank becomes: {QUARANTINE}, {NULL}, or a value's text")

    @property
    def cleaned(self) -> bool:
        """Whether the column declares any cleaning."""
        return bool(self.repair) or self.blank is not None

    @property
    def names(self) -> frozenset[str]:
        """Every name the column goes by, as ``fold_name`` gives them."""
        return frozenset(fold_name(name) for name in (self.name, *self.aliases))


class Source(Model):
    """Where a publisher keeps the file of a partition. ``{month}`` and ``{day}`` stand for the partition."""

    format: SourceFormat
    url: str = Field(pattern=r"^https?://", description="the publisher's own address")
    mirror: str = Field(description="path of the same file under the address that TARN_PUBLISHERS gives")
    first: Month | None = Field(None, alias="from", description="first partition published here")
    last: Month | None = Field(None, alias="until", description="last partition published here")

    @field_validator("url", "mirror")
    @classmethod
    def _placeholders_are_known(cls, pattern: str) -> str:
        unknown = set(re.findall(r"{(.*?)}", pattern)) - {"month", "day"}
        if unknown:
            raise ValueError(f"unknown placeholder {{{unknown.pop()}}}; there are {{month}} and {{day}}")
        return pattern

    def covers(self, partition: Partition) -> bool:
        """Whether the publisher says to have this partition here."""
        after_start = self.first is None or partition.start >= self.first
        return after_start and (self.last is None or partition.start <= self.last)

    def address(self, partition: Partition, base: str | None) -> str:
        """The URL of the partition's file: the publisher's own, or under ``base`` where one is given."""
        pattern = f"{base}/{self.mirror.lstrip('/')}" if base else self.url
        return pattern.replace("{month}", f"{partition.start:%Y-%m}").replace("{day}", partition.value)


class Check(Model):
    """A condition in GoogleSQL that the rows of a partition must satisfy; ``limit`` is the share that may fail."""

    name: str = Field(min_length=1)
    condition: str = Field(min_length=1)
    limit: float = Field(0.0, ge=0, le=1)


class Dataset(Model):
    """One dataset: its publisher, layout, declared schema, partitioning and checks."""

    name: str = Field(pattern=IDENTIFIER)
    description: str = Field(min_length=1)
    publisher: str = Field(min_length=1)
    sources: tuple[Source, ...] = Field(min_length=1)
    partition_by: Granularity = Granularity.MONTH
    columns: tuple[Column, ...] = Field(min_length=1)
    quarantine_limit: float = Field(0.0, ge=0, le=1, description="share of rows that may be bad")
    new_columns: Policy = Field(
        Policy.IGNORE, description="columns that are not declared: add them as STRING, leave them out, refuse the file"
    )
    dropped_columns: Policy = Field(
        Policy.IGNORE, description="declared columns that a file lacks: leave them out, write NULL, refuse the file"
    )
    changed_types: Policy = Field(
        Policy.REFUSE,
        description="columns with nothing of their type: keep as text beside the column, write NULL, refuse the file",
    )
    prefix: str = Field("", pattern=r"^[a-zA-Z0-9_\-./]*$", description="folder in the bucket; the name by default")
    table: str = Field("", pattern=r"^\w*$", description="external table in the lake's dataset; the name by default")
    checks: tuple[Check, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _fill_defaults(cls, data: Any) -> Any:
        return {"prefix": data.get("name"), "table": data.get("name")} | data if isinstance(data, dict) else data

    @model_validator(mode="after")
    def _columns_are_distinct(self) -> Self:
        owner: dict[str, str] = {self.partition_by.value: "the partition key"}
        for column in self.columns:
            for name in sorted(column.names):
                if name in owner:
                    raise ValueError(f"column {column.name}: {name!r} already names {owner[name]}")
            owner |= dict.fromkeys(column.names, f"column {column.name}")
        return self

    def source(self, partition: Partition) -> Source:
        """The source that holds a partition.

        Raises NotPublished where none claims to.
        """
        for source in self.sources:
            if source.covers(partition):
                return source
        raise NotPublished(f"{self.name}: {self.publisher} has not published {partition}.")

    def partition(self, text: str) -> Partition:
        """Read a partition of this dataset's granularity; raises InvalidPartition."""
        return Partition.parse(text, self.partition_by)

    @property
    def fingerprint(self) -> str:
        """Changes when what parquetize would write changes: the schema, its names, its cleaning."""
        shape = [column.model_dump_json(exclude={"description"}) for column in self.columns]
        policies = [self.new_columns, self.dropped_columns, self.changed_types]
        return hashlib.sha256("\n".join([*shape, str(self.quarantine_limit), *policies]).encode()).hexdigest()[:16]


def fold_name(name: str) -> str:
    """A column's name as names are compared: without case, surrounding blanks or a byte-order mark."""
    return name.strip("\ufeff \t\r\n").lower()


def load_dataset(path: Path) -> Dataset:
    """Read and validate one dataset's file.

    Raises InvalidDataset naming the file, each wrong field and the reason.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDataset(f"{path}: cannot be read: {error}.") from None
    except yaml.YAMLError as error:
        raise InvalidDataset(f"{path}: not YAML: {' '.join(str(error).split())}.") from None
    try:
        dataset = Dataset.model_validate(data)
    except ValidationError as error:
        lines = [f"{path}: {_field(problem['loc'])}: {_reason(problem['msg'])}" for problem in error.errors()]
        raise InvalidDataset("\n".join(lines)) from None
    if dataset.name != path.stem:
        raise InvalidDataset(f"{path}: name: {dataset.name!r} must be the file's own name, {path.stem!r}")
    return dataset


def dataset_names(folder: Path) -> list[str]:
    """The names of the datasets in a folder, sorted; no file is opened."""
    return sorted(path.stem for path in folder.glob(f"*{SPEC_SUFFIX}"))


def find_dataset(name: str, folder: Path) -> Dataset:
    """Load a dataset by name.

    Raises InvalidDataset, listing the known names where this one is not among them.
    """
    known = dataset_names(folder)
    if name not in known:
        raise InvalidDataset(f"There is no dataset {name!r} in {folder}; there are: {', '.join(known) or 'none'}.")
    return load_dataset(folder / f"{name}{SPEC_SUFFIX}")


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in location) or "the file"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
