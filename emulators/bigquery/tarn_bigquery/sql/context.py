"""What a query text is read against, and what comes of it."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import Catalog, Resource, table_key
from tarn_bigquery.catalog.names import DatasetRef, TableRef, check_dataset_id
from tarn_bigquery.errors import invalid_query
from tarn_bigquery.sql.literals import literal
from tarn_bigquery.sql.types import Field


@dataclass(frozen=True)
class ExternalRead:
    """A query's read of one external table.

    `predicates` are conjuncts of the query that may leave files out; `columns` are the columns it uses, or None
    for all of them. The scan needs to give no column but the `named` ones, or all. `name` is for messages.
    """

    name: str
    table: Resource
    predicates: list[exp.Expr]
    columns: frozenset[str] | None
    named: frozenset[str] | None
    with_file_name: bool


class Externals(Protocol):
    """The way from an external table to a DuckDB table expression over files that are here."""

    def scan(self, read: ExternalRead, query: "Prepared") -> str:
        """Make the files ready that the predicates leave, pin them for the query, and say how to read them."""

    def with_schema(self, table: Resource) -> Resource:
        """The table's resource with its columns, declared or detected, and the names of its partition keys."""


@dataclass(frozen=True)
class Result:
    """What a query gave: its columns, and its rows as DuckDB's Arrow."""

    fields: list[Field]
    rows: pa.Table


@dataclass(frozen=True)
class PastTable:
    """A table as it was: its resource, and its rows, which are `rows` or else those of `relation`, DuckDB's SQL."""

    body: Resource
    rows: pa.Table | None
    relation: str


class Introspection(Protocol):
    """What can be queried beyond the catalog's tables: what INFORMATION_SCHEMA tells, results of queries, the past."""

    def size(self, body: Resource) -> tuple[int, int]:
        """Rows and bytes of a table."""

    def partitions(self, body: Resource) -> list[tuple[str | None, int, int]]:
        """Id, rows and bytes of each partition of a table."""

    def result(self, ref: TableRef) -> Result | None:
        """The rows of a query's result, where the table is the anonymous one that holds them."""

    def jobs(self, project: str) -> list[dict[str, Any]]:
        """The resources of the project's jobs, newest first."""

    def moment(self, sql: str) -> int | None:
        """A TIMESTAMP of DuckDB's SQL, reckoned now, in microseconds since the epoch."""

    def past(self, ref: TableRef, moment: int) -> PastTable:
        """A table as it was. Raises ApiError where it was not, or where what it held is not kept."""


@dataclass(frozen=True)
class Variable:
    """A script's variable: a REST field for its type, and its value as Arrow gives it to Python."""

    field: Field
    value: Any

    @property
    def sql(self) -> str:
        """The value as DuckDB SQL."""
        return literal(self.value, self.field)


@dataclass(frozen=True)
class QueryContext:
    """Whose query it is: the catalog, where names without a project or a dataset belong, and the parameters.

    `variables` are a script's, by their names in lower case; `temporary` is the dataset that holds its temporary
    tables. Where `is_definition` is set the query is a view's, which its readers will filter.
    """

    catalog: Catalog
    externals: Externals
    introspection: Introspection
    project: str
    default_dataset: DatasetRef | None = None
    parameters: list[dict[str, Any]] = field(default_factory=list)
    definitions: dict[str, Resource] = field(default_factory=dict)
    variables: Mapping[str, Variable] = field(default_factory=dict)
    temporary: DatasetRef | None = None
    is_definition: bool = False

    def table_ref(self, node: exp.Table) -> TableRef:
        """The table that a node names. Raises ApiError for a bare name without a default dataset."""
        name, dataset, project = node.name, node.db, node.catalog
        if self.temporary is not None and dataset in {"", "_SESSION"}:
            ref = self.temporary.table(name)
            if self.catalog.find(table_key(ref)) is not None:
                return ref
        if not dataset:
            if self.default_dataset is None:
                raise invalid_query(f'Table "{name}" must be qualified with a dataset (e.g. dataset.table).')
            return self.default_dataset.table(name)
        check_dataset_id(dataset)
        return TableRef(project or self.project, dataset, name)


@dataclass
class Prepared:
    """A statement made ready for DuckDB.

    `schema` has the columns of a query's result, and is None for a statement that has none; `names` has the names that
    the query itself gives them, which need not be distinct.
    `references` has the tables read or written, each with the columns that count, or None where all do; `resources`
    has the resource that each of them had. `scans` has the reads of external tables, each with the digest of its files.
    `partitions` has, for each time that one of them is read, the SQL of `partition_filters` or None for all of it.
    `relations` are tables that the engine registers for the time of the statement; `pins` holds what the statement has
    pinned, files in a cache for one, and is closed when the statement has run.
    `is_repeatable` says whether the same text gives the same rows for as long as what it read is the same.
    """

    sql: str = ""
    schema: list[Field] | None = None
    names: list[str] = field(default_factory=list)
    references: dict[TableRef, frozenset[str] | None] = field(default_factory=dict)
    resources: dict[TableRef, Resource] = field(default_factory=dict)
    scans: list[tuple[ExternalRead, str]] = field(default_factory=list)
    partitions: dict[TableRef, list[str | None]] = field(default_factory=dict)
    relations: dict[str, pa.Table] = field(default_factory=dict)
    external_bytes: int = 0
    is_repeatable: bool = True
    pins: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Prepared":
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.pins.close()

    def refer(
        self, ref: TableRef, resource: Resource, columns: frozenset[str] | None, condition: str | None = None
    ) -> None:
        """Note that the statement uses a table's columns: these, or all where None is given.

        `condition` leaves partitions out.
        """
        self.resources[ref] = resource
        self.partitions.setdefault(ref, []).append(condition)
        known = self.references.get(ref, frozenset())
        self.references[ref] = None if columns is None or known is None else known | columns

    def relation(self, rows: pa.Table) -> str:
        """A name under which the statement can read the rows, which may be other ones the next time."""
        self.is_repeatable = False
        name = f"_relation_{len(self.relations)}"
        self.relations[name] = rows
        return name
