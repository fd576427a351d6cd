"""Names of resources, and the names that DuckDB knows them by."""

import re
from dataclasses import dataclass
from typing import Any

from tarn_bigquery.errors import ApiError, invalid

_PROJECT = re.compile(r"([\w.-]{1,63}:)?[\w-]{1,63}", re.ASCII)
_DATASET = re.compile(r"\w{1,1024}", re.ASCII)
_ROUTINE = re.compile(r"\w{1,256}", re.ASCII)
_TABLE = re.compile(r"[\w\-\u2010-\u2015 ]{1,1024}")


@dataclass(frozen=True, order=True)
class DatasetRef:
    project: str
    dataset: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}"

    def rest(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset}

    def table(self, name: str) -> "TableRef":
        return TableRef(self.project, self.dataset, name)


@dataclass(frozen=True, order=True)
class TableRef:
    project: str
    dataset: str
    table: str

    def __str__(self) -> str:
        return f"{self.project}:{self.dataset}.{self.table}"

    def rest(self) -> dict[str, str]:
        return {"projectId": self.project, "datasetId": self.dataset, "tableId": self.table}

    @property
    def parent(self) -> DatasetRef:
        return DatasetRef(self.project, self.dataset)

    @classmethod
    def from_rest(cls, reference: dict[str, Any], project: str) -> "TableRef":
        """Read a TableReference; a reference without a project is of `project`."""
        try:
            return cls(reference.get("projectId") or project, reference["datasetId"], reference["tableId"])
        except KeyError as error:
            raise ApiError("required", f"Required parameter is missing: {error.args[0]}") from error


def check_project_id(project: str) -> None:
    """Shorter names than BigQuery's are let through, and capitals: nobody else could have them here."""
    if not _PROJECT.fullmatch(project):
        raise invalid(
            f"Invalid project ID '{project}'. Project IDs must contain 6-63 lowercase letters, digits, or dashes. Some "
            "project IDs also include domain name separated by a colon. IDs must start with a letter and may not end "
            "with a dash."
        )


def check_dataset_id(dataset: str) -> None:
    if not _DATASET.fullmatch(dataset):
        raise invalid(
            f'Invalid dataset ID "{dataset}". Dataset IDs must be alphanumeric '
            "(plus underscores) and must be at most 1024 characters long."
        )


def check_table_id(table: str) -> None:
    if not _TABLE.fullmatch(table):
        raise invalid(
            f'Invalid table ID "{table}". Table IDs must be alphanumeric '
            "(plus underscores) and must be at most 1024 characters long."
        )


def check_routine_id(routine: str) -> None:
    if not _ROUTINE.fullmatch(routine):
        raise invalid(
            f'Invalid routine ID "{routine}". Routine IDs must be alphanumeric '
            "(plus underscores) and must be at most 256 characters long."
        )


def quote(identifier: str) -> str:
    """An identifier as DuckDB takes it, whatever characters it holds."""
    return '"' + identifier.replace('"', '""') + '"'


def _case_folded(name: str) -> str:
    """A name that differs from every other even where case is ignored, as DuckDB ignores it.

    BigQuery tells `Orders` from `orders`. Names without capitals stay as they are; others carry the places
    of their capitals as a hexadecimal mask behind a `~`, which no BigQuery name holds.
    """
    mask = sum(1 << i for i, letter in enumerate(name) if letter.lower() != letter)
    return f"{name}~{mask:x}" if mask else name


def duck_schema(ref: DatasetRef) -> str:
    """The DuckDB schema of a dataset. A dataset id holds no dot, so the last dot parts the two names."""
    return _case_folded(f"{ref.project}.{ref.dataset}")


def duck_table(ref: TableRef) -> str:
    return _case_folded(ref.table)


def duck_path(ref: TableRef) -> str:
    """The quoted, qualified name of a native table."""
    return f"{quote(duck_schema(ref.parent))}.{quote(duck_table(ref))}"
