"""datasets.*"""

import re
from typing import Any

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.engine import definitions
from tarn_bigquery.errors import invalid, unsupported
from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page


def insert(call: Call) -> Resource:
    call.reference("datasetReference")
    _check_supported(call.body)
    given = resources.require(call.body, "datasetReference", "datasetId")
    return definitions.create_dataset(call.engine.database, DatasetRef(call.path["project"], given), call.body)


def get(call: Call) -> Resource:
    body = call.engine.catalog.dataset(ref_of(call))
    view = call.choice("datasetView", ("DATASET_VIEW_UNSPECIFIED", "METADATA", "ACL", "FULL"), "FULL")
    if view == "METADATA":
        return {name: value for name, value in body.items() if name != "access"}
    return {name: body[name] for name in _OF_ACCESS if name in body} if view == "ACL" else body


_UNSUPPORTED = ("isCaseInsensitive", "defaultCollation", "externalDatasetReference", "linkedDatasetSource",
                "externalCatalogDatasetOptions")  # fmt: skip


def _check_supported(body: Resource) -> None:
    """Raises ApiError `notImplemented` for what would change the meaning of the dataset's tables and names."""
    for name in _UNSUPPORTED:
        if body.get(name):
            raise unsupported(f"{name} of a dataset")


_OF_ACCESS = ("kind", "etag", "id", "selfLink", "datasetReference", "access")
"""What is told of a dataset to those who ask who may use it."""


def list_datasets(call: Call) -> dict[str, Any]:
    wanted = label_filter(call.query.get("filter"))
    refs = [r for r in call.engine.catalog.datasets(call.path["project"]) if call.flag("all") or r.dataset[0] != "_"]
    bodies = [
        body for body in map(call.engine.catalog.dataset, refs) if wanted.items() <= body.get("labels", {}).items()
    ]
    found, more = page(call, bodies)
    names = ("kind", "id", "datasetReference", "labels", "friendlyName", "location")
    items = [{name: body[name] for name in names if name in body} for body in found]
    return {"kind": "bigquery#datasetList", "etag": OF_CONTENT, "datasets": items, **more}


def patch(call: Call) -> Resource:
    return _change(call, resources.patched)


def put(call: Call) -> Resource:
    # An update that leaves out who may use the dataset leaves it to those who may use any.
    return _change(call, lambda current, given: resources.updated(current, {"access": resources.ACCESS, **given}))


def _change(call: Call, change: Any) -> Resource:
    def edit(current: Resource) -> Resource:
        resources.check_etag(current, call.headers.get("if-match"))
        _check_supported(call.body)
        if (wanted := call.body.get("location")) and wanted.upper() != current["location"].upper():
            raise invalid(
                f"The location of a dataset cannot be changed: {ref} is in {current['location']}.", "location"
            )
        return change(current, call.body)

    ref = ref_of(call)
    call.reference("datasetReference")
    call.engine.catalog.dataset(ref)
    return definitions.update_dataset(call.engine.database, ref, edit)


def delete(call: Call) -> None:
    resources.check_etag(get(call), call.headers.get("if-match"))
    definitions.delete_dataset(call.engine.database, ref_of(call), contents=call.flag("deleteContents"))


def ref_of(call: Call) -> DatasetRef:
    return DatasetRef(call.path["project"], call.path["dataset"])


def label_filter(text: str | None) -> dict[str, str]:
    """The labels of a filter `labels.key:value labels.other:value`."""
    if not text:
        return {}
    found = re.findall(r"labels\.([\w-]+)(?::([\w-]*))?", text)
    if not found:
        raise invalid(f"Invalid filter: {text}", "filter")
    return dict(found)
