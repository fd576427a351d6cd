"""tables.*"""

from typing import Any

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.catalog import Resource
from tarn_bigquery.catalog.names import DatasetRef, TableRef
from tarn_bigquery.catalog.partitions import condition, undecorated
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.partition_summary import FIELDS, summarized
from tarn_bigquery.engine.query_jobs import anonymous_job_id
from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page
from tarn_bigquery.rest.rows import selected


def insert(call: Call) -> Resource:
    call.reference("tableReference")
    name = resources.require(call.body, "tableReference", "tableId")
    ref = TableRef(call.path["project"], call.path["dataset"], name)
    return with_size(call, call.engine.create_table(ref, call.body))


_VIEWS = ("TABLE_METADATA_VIEW_UNSPECIFIED", "BASIC", "STORAGE_STATS", "FULL")
_STORAGE_STATS = {"numRows", "numBytes", "numLongTermBytes", "numTotalLogicalBytes", "numActiveLogicalBytes"}


def get(call: Call) -> Resource:
    view, names = call.choice("view", _VIEWS, "STORAGE_STATS"), call.words("selectedFields")
    body = _described(call)
    if view == "BASIC":
        body = {name: value for name, value in body.items() if name not in _STORAGE_STATS}
    if names and "schema" in body:
        body = {**body, "schema": {**body["schema"], "fields": selected(body["schema"]["fields"], names)}}
    return body


def _described(call: Call) -> Resource:
    """The resource of a table, of a query's result, or of what stands for either."""
    ref = ref_of(call)
    if job_id := anonymous_job_id(ref):
        return _result_table(call, ref, job_id)
    if partitioned := summarized(ref):
        body = call.engine.catalog.table(partitioned)
        return {**body, "tableReference": ref.rest(), "schema": {"fields": FIELDS}}
    call.engine.expiry.sweep()
    target = undecorated(ref)
    body = with_size(call, call.engine.catalog.table(target.table))
    return body if target.partition is None else _partition(call, ref, body, target.partition)


def _partition(call: Call, ref: TableRef, body: Resource, name: str) -> Resource:
    """A table's resource with the name and the counts of one of its partitions."""
    condition(body, name)
    found = {partition: counts for partition, *counts in call.engine.introspection.partitions(body)}
    rows, size = found.get(name, (0, 0))
    return {**body, "id": str(ref), "tableReference": ref.rest(), "numRows": str(rows), "numBytes": str(size)}


def list_tables(call: Call) -> dict[str, Any]:
    ref = DatasetRef(call.path["project"], call.path["dataset"])
    call.engine.catalog.dataset(ref)
    bodies = [body for _, body in call.engine.catalog.children("Table", ref)]
    found, more = page(call, bodies)
    names = ("id", "tableReference", "friendlyName", "type", "labels", "timePartitioning", "rangePartitioning",
             "clustering", "creationTime", "expirationTime", "requirePartitionFilter")  # fmt: skip
    items = []
    for body in found:
        item = {"kind": "bigquery#table"} | {name: body[name] for name in names if name in body}
        if "view" in body:
            item["view"] = {"useLegacySql": False}
        items.append(item)
    return {"kind": "bigquery#tableList", "etag": OF_CONTENT, "tables": items, "totalItems": len(bodies), **more}


def patch(call: Call) -> Resource:
    return _change(call, resources.patched)


def put(call: Call) -> Resource:
    return _change(call, resources.updated)


def _change(call: Call, change: Any) -> Resource:
    def edit(current: Resource) -> Resource:
        resources.check_etag(current, call.headers.get("if-match"))
        return change(current, call.body)

    call.reference("tableReference")
    return with_size(call, call.engine.change_table(ref_of(call), edit))


def delete(call: Call) -> None:
    target = undecorated(ref_of(call))
    body = call.engine.catalog.table(target.table)
    resources.check_etag(body, call.headers.get("if-match"))
    with call.engine.locks.writing(target.table), call.engine.database.transaction() as transaction:
        if target.partition is None:
            definitions.drop_table(transaction, body)
        else:
            definitions.drop_partition(transaction, body, target.partition)


def ref_of(call: Call) -> TableRef:
    return TableRef(call.path["project"], call.path["dataset"], call.path["table"])


def with_size(call: Call, body: Resource) -> Resource:
    """The resource with the counts that BigQuery reckons when it is asked."""
    size = call.engine.sizes.of(body)
    counts = {"numRows": str(size.rows), "numBytes": str(size.bytes), "numLongTermBytes": "0"}
    if body["type"] == "TABLE":
        counts |= {"numTotalLogicalBytes": str(size.bytes), "numActiveLogicalBytes": str(size.bytes)}
    return body | counts


def _result_table(call: Call, ref: TableRef, job_id: str) -> Resource:
    result = call.engine.result_of(ref.project, job_id)
    body = resources.new_table(ref, {"schema": {"fields": result.schema}})
    return body | {"numRows": str(result.total_rows()), "numBytes": "0"}
