"""The system's variables, `@@time_zone` and the like.

https://cloud.google.com/bigquery/docs/reference/system-variables
"""

from collections.abc import Mapping
from typing import Any

from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.queries import Outcome
from tarn_bigquery.errors import unsupported
from tarn_bigquery.sql.context import QueryContext, Variable

_TIME_ZONE = "@@time_zone"


def values(context: QueryContext, bytes_processed: int, last: Outcome, job: Job) -> dict[str, Variable]:
    """The variables with the values that they have unless a script has set them. `job` is the script's own."""
    default = context.default_dataset
    modified = last.statistics.get("numDmlAffectedRows")
    return {
        _TIME_ZONE: _text("UTC"),
        "@@project_id": _text(context.project),
        "@@dataset_project_id": _text(default.project if default is not None else context.project),
        "@@dataset_id": _text(default.dataset if default is not None else None),
        "@@query_label": _text(None),
        "@@session_id": _text(None),
        "@@row_count": _number(None if modified is None else int(modified)),
        "@@script.bytes_processed": _number(bytes_processed),
        "@@script.bytes_billed": _number(bytes_processed),
        "@@script.job_id": _text(job.job_id),
        "@@script.num_child_jobs": _number(len(job.children)),
        "@@script.slot_ms": _number(0),
    }


def default_dataset(context: QueryContext, variables: Mapping[str, Variable]) -> DatasetRef | None:
    """The dataset of names without one: the one that a script has set, else that of the request."""
    dataset = variables["@@dataset_id"].value
    return DatasetRef(variables["@@dataset_project_id"].value, dataset) if dataset else context.default_dataset


def check(name: str, value: Variable) -> None:
    """Raises ApiError `notImplemented` for a variable set to what would have no effect here."""
    if name.lower() == _TIME_ZONE and value.value not in {"UTC", "Etc/UTC"}:
        raise unsupported(f"SET {_TIME_ZONE} = {value.value!r}")


def _text(value: str | None) -> Variable:
    return _variable("STRING", value)


def _number(value: int | None) -> Variable:
    return _variable("INTEGER", value)


def _variable(kind: str, value: Any) -> Variable:
    return Variable({"name": "", "type": kind}, value)
