"""What a session reads, fixed at the moment that it is made."""

from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa
from sqlglot import exp

from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.selection import select_fields, unknown_fields
from tarn_bigquery.engine.definitions import fields_of
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.query_jobs import anonymous_job_id
from tarn_bigquery.engine.results import ArrowFile
from tarn_bigquery.engine.runner import new_job_id
from tarn_bigquery.errors import ApiError, invalid
from tarn_bigquery.sql.parse import parse
from tarn_bigquery.sql.types import Field


@dataclass(frozen=True)
class Selection:
    """Which part of a table is read: columns by name, rows by a condition in GoogleSQL, a sample of them in percent."""

    names: Sequence[str] = ()
    restriction: str = ""
    sample_percent: float | None = None

    @property
    def is_whole(self) -> bool:
        """Whether every row is read."""
        return not self.restriction.strip() and self.sample_percent is None


@dataclass(frozen=True)
class Rows:
    """Rows that stay as they are, whatever becomes of the table: mapped from a file, not held in memory."""

    fields: list[Field]
    table: pa.Table


def read(engine: Engine, ref: TableRef, selection: Selection) -> Rows:
    """The rows of a table or of a query's result.

    Raises ApiError: `notFound`, `invalid` for what the API cannot read, `invalidQuery` for a wrong condition.
    """
    job_id = anonymous_job_id(ref)
    if job_id is None:
        fields = _selected(fields_of(_readable(engine.catalog.table(ref))), selection)
        return Rows(fields, _query(engine, ref, fields, selection))
    result = engine.result_of(ref.project, job_id)
    fields = _selected(result.schema, selection)
    if selection.is_whole:
        return Rows(fields, result.page(0, result.total_rows()))
    return Rows(fields, _query(engine, ref, fields, selection))


def _selected(schema: list[Field], selection: Selection) -> list[Field]:
    names = list(selection.names)
    if unknown := unknown_fields(schema, names):
        raise invalid(
            "request failed: The following selected fields do not exist in the table schema: " + ", ".join(unknown)
        )
    return select_fields(schema, names)


def _readable(body: Resource) -> Resource:
    if body["type"] == "EXTERNAL":
        raise ApiError(
            "conditionNotMet", "request failed: the table has a storage format that is not supported", code=412
        )
    if body["type"] not in {"TABLE", "SNAPSHOT"}:
        raise invalid("request failed: non-table entities cannot be read with the storage API")
    return body


def _query(engine: Engine, ref: TableRef, fields: list[Field], selection: Selection) -> pa.Table:
    """The rows by a query of the emulator's own, whose result then belongs to the session alone."""
    text = _query_text(ref, fields, selection)
    job = Job(ref.project, new_job_id(), {"query": {"query": text, "useLegacySql": False}})
    engine.runner.run(job, engine.query_jobs.run)
    if job.error is not None:
        raise job.error
    if not isinstance(job.result, ArrowFile):
        raise TypeError(f"A query for a read session gave {job.result}.")
    rows = job.result.page(0, job.result.total_rows())
    # The mapping keeps the rows: the file goes with the session, or with the process.
    job.result.discard()
    return rows


def _query_text(ref: TableRef, fields: list[Field], selection: Selection) -> str:
    columns = ", ".join(f"`{field['name']}`" for field in fields)
    text = f"SELECT {columns} FROM `{ref.project}`.`{ref.dataset}`.`{ref.table}`"  # noqa: S608
    if selection.sample_percent is not None:
        text += f" TABLESAMPLE SYSTEM ({selection.sample_percent} PERCENT)"
    if selection.restriction.strip():
        text += f" WHERE (\n{selection.restriction}\n)"
        statements = parse(text)
        if len(statements) != 1 or not isinstance(statements[0].tree, exp.Select):
            raise invalid(f"request failed: row restriction '{selection.restriction}' is not one condition")
    return text
