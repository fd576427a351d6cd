"""Datasets: one YAML file each, under ``datasets/``. What a file may say is what these models declare."""

import hashlib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import BeforeValidator, Field, ValidationError, model_validator

from tarn.cleaning import NULL, QUARANTINE, Policy, Rule
from tarn.declared import IDENTIFIER, Model, text_keys
from tarn.errors import InvalidDataset, NotPublished
from tarn.partition import Granularity, Partition
from tarn.source import API, FILE, AnySource, ApiSource, FileSource

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


class Column(Model):
    """A column of the declared schema and how to find it in the publisher's files."""

    name: str = Field(pattern=IDENTIFIER, description="name in the lake")
    type: ColumnType
    description: str = Field(min_length=1)
    aliases: tuple[str, ...] = Field((), description="names in the files; case and surrounding blanks never matter")
    recode: Annotated[dict[str, str], BeforeValidator(text_keys)] = Field(
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
    sources: tuple[AnySource, ...] = Field(min_length=1, description="in the order in which they are tried")
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

    @model_validator(mode="after")
    def _sources_are_distinct(self) -> Self:
        names = [source.name for source in self.sources]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise ValueError(f"sources: two are called {twice!r}; give each a name of its own")
        return self

    def candidates(self, partition: Partition, chosen: Mapping[str, str]) -> list[FileSource | ApiSource]:
        """The sources that say to have a partition, best first; ``chosen`` names by dataset the one to ask alone.

        Raises NotPublished where there is none; InvalidDataset where none has the chosen name.
        """
        choice = chosen.get(self.name)
        among = [self.source(choice)] if choice else self.sources
        found = [source for source in among if source.covers(partition)]
        if not found:
            raise NotPublished(f"{self.name}: {self.publisher} has not published {partition}.")
        return found

    def source(self, name: str) -> FileSource | ApiSource:
        """The source of a name; raises InvalidDataset with the names there are."""
        for source in self.sources:
            if source.name == name:
                return source
        names = ", ".join(source.name for source in self.sources)
        raise InvalidDataset(f"{self.name} has no source {name!r}; there are: {names}.")

    def partition(self, text: str) -> Partition:
        """Read a partition of this dataset's granularity; raises InvalidPartition."""
        return Partition.parse(text, self.partition_by)

    @property
    def pipeline(self) -> str:
        """The pipeline that it belongs to: its name's first word."""
        return self.name.partition("_")[0]

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
    return ".".join(str(part) for part in location if part not in (API, FILE)) or "the file"


def _reason(message: str) -> str:
    return message.removeprefix("Value error, ")
