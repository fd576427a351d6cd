"""Resources in the shape of the REST API: https://cloud.google.com/bigquery/docs/reference/rest/v2"""

import hashlib
import json
import time
from typing import Any

from tarn_bigquery.catalog.labels import check_labels
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.errors import ApiError, invalid

Resource = dict[str, Any]

LOCATION = "US"
BASE_PATH = "/bigquery/v2"

ACCESS = [
    {"role": "WRITER", "specialGroup": "projectWriters"},
    {"role": "OWNER", "specialGroup": "projectOwners"},
    {"role": "READER", "specialGroup": "projectReaders"},
]
"""Who may do what with a dataset of which nobody has said so."""

# What the service sets: a client may send these back and never changes them.
_OUTPUT_ONLY = {
    "kind", "etag", "id", "selfLink", "creationTime", "lastModifiedTime", "numRows", "numBytes",
    "numLongTermBytes", "location", "type", "datasetReference", "tableReference",
}  # fmt: skip


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def without_nulls(value: Any) -> Any:
    """A body without its members that are null: Google's APIs take them as absent, and some clients send them."""
    if isinstance(value, dict):
        return {name: without_nulls(member) for name, member in value.items() if member is not None}
    return [without_nulls(item) for item in value] if isinstance(value, list) else value


def stamped(body: Resource) -> Resource:
    """The body with the time of this change and the etag that goes with its content."""
    body = {**body, "lastModifiedTime": str(now_ms())}
    body.pop("etag", None)
    content = json.dumps([body, time.time_ns()], sort_keys=True)
    return {**body, "etag": hashlib.md5(content.encode(), usedforsecurity=False).hexdigest()}


def new_dataset(ref: DatasetRef, given: Resource) -> Resource:
    """A dataset as it is kept: what was given, and what the service adds."""
    return stamped(
        {
            **_settable(given),
            "kind": "bigquery#dataset",
            "id": str(ref),
            "selfLink": f"{BASE_PATH}/projects/{ref.project}/datasets/{ref.dataset}",
            "datasetReference": ref.rest(),
            "type": "DEFAULT",
            "location": given.get("location") or LOCATION,
            "creationTime": str(now_ms()),
            "access": given.get("access") or ACCESS,
        }
    )


def new_table(ref: TableRef, given: Resource, location: str = LOCATION) -> Resource:
    """A table, view or external table as it is kept."""
    return stamped(
        {
            **_settable(given),
            "kind": "bigquery#table",
            "id": str(ref),
            "selfLink": f"{BASE_PATH}/projects/{ref.project}/datasets/{ref.dataset}/tables/{ref.table}",
            "tableReference": ref.rest(),
            "type": table_type(given),
            "location": location,
            "creationTime": str(now_ms()),
        }
    )


def new_routine(ref: DatasetRef, name: str, given: Resource) -> Resource:
    """A function, table function or procedure as it is kept."""
    return stamped(
        {
            **_settable(given),
            "routineReference": {**ref.rest(), "routineId": name},
            "language": given.get("language") or "SQL",
            "creationTime": str(now_ms()),
        }
    )


def table_type(given: Resource) -> str:
    for name, kind in (
        ("view", "VIEW"),
        ("materializedView", "MATERIALIZED_VIEW"),
        ("externalDataConfiguration", "EXTERNAL"),
        ("snapshotDefinition", "SNAPSHOT"),
    ):
        if given.get(name):
            return kind
    return "TABLE"


def _settable(given: Resource) -> Resource:
    check_labels(given.get("labels"))
    return {name: value for name, value in given.items() if name not in _OUTPUT_ONLY and value is not None}


def patched(current: Resource, given: Resource) -> Resource:
    """The resource after a PATCH: members given replace, null removes, labels are merged key by key.

    Raises ApiError `invalid` for labels that cannot be.
    """
    check_labels(given.get("labels"))
    body = dict(current)
    for name, value in given.items():
        # A table keeps its schema whatever is said: bq sends null where it shall stay as it is.
        if name in _OUTPUT_ONLY or (name == "schema" and value is None):
            continue
        if name == "labels" and value is not None:
            value = {k: v for k, v in {**body.get("labels", {}), **value}.items() if v is not None}
        if value is None:
            body.pop(name, None)
        else:
            body[name] = value
    return stamped(body)


def updated(current: Resource, given: Resource) -> Resource:
    """The resource after a PUT: what the client can set is what was given, and nothing else."""
    kept = {name: value for name, value in current.items() if name in _OUTPUT_ONLY}
    return stamped({**_settable(given), **kept})


def check_etag(current: Resource, wanted: str | None) -> None:
    """Raises ApiError `conditionNotMet` where If-Match names other versions."""
    if wanted and not any(is_etag(given, current["etag"]) for given in wanted.split(",")):
        raise ApiError("conditionNotMet", "Precondition check failed.", location="If-Match")


def is_etag(given: str, etag: str | None) -> bool:
    """Whether a header's etag, in quotes or bare, is a resource's, if that has one: `*` is any."""
    return etag is not None and given.strip().removeprefix("W/").strip('"') in {"*", etag}


def require(body: Resource, *path: str) -> Any:
    """The member at `path`. Raises ApiError `required` or `invalid` where the body has none."""
    value: Any = body
    for name in path:
        if not isinstance(value, dict):
            raise invalid(f"Invalid value for {'.'.join(path)}")
        value = value.get(name)
        if value is None:
            raise ApiError("required", "Required parameter is missing: " + ".".join(path), location=path[-1])
    return value
