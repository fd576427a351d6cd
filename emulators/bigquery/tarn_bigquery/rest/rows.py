"""Pages of rows, for every method that answers with some."""

from typing import Any

import pyarrow as pa

from tarn_bigquery.catalog.selection import select_fields, unknown_fields
from tarn_bigquery.engine import encode
from tarn_bigquery.engine.results import RowSource
from tarn_bigquery.errors import invalid, unsupported
from tarn_bigquery.rest import pages
from tarn_bigquery.rest.answers import JsonText
from tarn_bigquery.rest.http import Call
from tarn_bigquery.sql.types import Field

# BigQuery cuts pages at 10 MB; a row here is taken to be as large in JSON as in Arrow, threefold.
_PAGE_BYTES = 10 * 1024 * 1024
_JSON_FACTOR = 3
_PROBE_ROWS = 1_000
_MOST_ROWS = 100_000


def rows_page(call: Call, source: RowSource, schema: list[Field], limit: int | None = None) -> dict[str, Any]:
    """`rows`, `totalRows` and `pageToken` of the page that a call asks for."""
    total = source.total_rows()
    start = pages.start_of(call.query.get("pageToken")) or call.integer("startIndex", 0) or 0
    wanted = total - start if limit is None else min(limit, total - start)
    table = _cut(source, max(start, 0), max(wanted, 0))
    table = table.select([field["name"] for field in schema])
    body: dict[str, Any] = {"totalRows": str(total)}
    if table.num_rows:
        body["rows"] = JsonText(encode.rows_json(table, schema, int64_timestamps=wants_int64(call)))
    if wanted > 0 and start + table.num_rows < total:
        body["pageToken"] = pages.token(start + table.num_rows)
    return body


def wants_int64(call: Call) -> bool:
    """Whether timestamps shall be microseconds since the epoch. Raises ApiError for a form that is not served."""
    options = call.body.get("formatOptions") or {}
    form = call.query.get("formatOptions.timestampOutputFormat") or options.get("timestampOutputFormat") or ""
    if form.upper() in {"INT64", "FLOAT64"}:
        return form.upper() == "INT64"
    if form and form.upper() != "TIMESTAMP_OUTPUT_FORMAT_UNSPECIFIED":
        raise unsupported(f"timestamps in the form {form}")
    return call.flag("formatOptions.useInt64Timestamp") or bool(options.get("useInt64Timestamp"))


def selected(schema: list[Field], names: list[str]) -> list[Field]:
    """The fields that `selectedFields` names, `a` or `a.b`, in the order of the schema."""
    if unknown := unknown_fields(schema, names):
        raise invalid(f"No such field: {', '.join(unknown)}", "selectedFields")
    return select_fields(schema, names)


def _cut(source: RowSource, start: int, wanted: int) -> pa.Table:
    if wanted == 0:
        return source.page(start, 0) if not source.schema else pa.table({f["name"]: [] for f in source.schema})
    if wanted <= _PROBE_ROWS:
        return source.page(start, wanted)
    probe = source.page(start, _PROBE_ROWS)
    row_bytes = max(probe.nbytes * _JSON_FACTOR // max(probe.num_rows, 1), 1)
    return source.page(start, min(wanted, _MOST_ROWS, max(_PAGE_BYTES // row_bytes, 1)))
