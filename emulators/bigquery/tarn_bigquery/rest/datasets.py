"""datasets.*"""

import re
from typing import Any

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import DatasetRef
from tarn_bigquery.engine import definitions
from tarn_bigquery.errors import invalid
from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page


def insert(call: Call) -> Resource:
    given = resources.require(call.body, "datasetReference", "datasetId")
    return definitions.create_dataset(call.engine.database, DatasetRef(call.path["project"], given), call.body)


def get(call: Call) -> Resource:
    return call.engine.catalog.dataset(ref_of(call))


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
    return _change(call, resources.updated)


def _change(call: Call, change: Any) -> Resource:
    def edit(current: Resource) -> Resource:
        resources.check_etag(current, call.headers.get("if-match"))
        return change(current, call.body)

    ref = ref_of(call)
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
