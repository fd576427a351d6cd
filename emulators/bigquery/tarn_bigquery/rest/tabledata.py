"""tabledata.*"""

from typing import Any

from tarn_bigquery.catalog.partitions import condition, undecorated
from tarn_bigquery.engine.definitions import fields_of, is_stored
from tarn_bigquery.engine.partition_summary import partition_summary, summarized
from tarn_bigquery.engine.query_jobs import anonymous_job_id
from tarn_bigquery.engine.results import NoRows, RowSource, StoredRows
from tarn_bigquery.errors import invalid
from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.rows import rows_page, selected
from tarn_bigquery.rest.tables import ref_of


def list_rows(call: Call) -> dict[str, Any]:
    source = _source(call)
    fields = selected(source.schema, call.words("selectedFields"))
    return {
        "kind": "bigquery#tableDataList",
        "etag": OF_CONTENT,
        **rows_page(call, source, fields, call.integer("maxResults")),
    }


def _source(call: Call) -> RowSource:
    ref = ref_of(call)
    if job_id := anonymous_job_id(ref):
        return call.engine.result_of(ref.project, job_id)
    if partitioned := summarized(ref):
        return partition_summary(call.engine.catalog.table(partitioned), call.engine.introspection)
    call.engine.expiry.sweep()
    target = undecorated(ref)
    body = call.engine.catalog.table(target.table)
    if not is_stored(body):
        raise invalid(f"Cannot list a table of type {body['type']}.")
    fields = fields_of(body)
    if not fields:
        return NoRows([])
    where = condition(body, target.partition) if target.partition else "TRUE"
    return StoredRows.of(call.engine.database, target.table, fields, where)


_MOST_BYTES = 10 * 1024 * 1024
"""https://cloud.google.com/bigquery/quotas#streaming_inserts"""


def insert_all(call: Call) -> dict[str, Any]:
    if int(call.headers.get("content-length", "0")) > _MOST_BYTES:
        raise invalid(f"Request payload size exceeds the limit: {_MOST_BYTES} bytes.")
    errors = call.engine.inserts.insert(ref_of(call), call.body)
    body: dict[str, Any] = {"kind": "bigquery#tableDataInsertAllResponse"}
    return body | ({"insertErrors": errors} if errors else {})
