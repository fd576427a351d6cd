"""Rows into objects of a bucket: extract jobs, and EXPORT DATA.

Source: https://cloud.google.com/bigquery/docs/exporting-data
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.partitions import undecorated
from tarn_bigquery.catalog.resources import require
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.copies import sources, union
from tarn_bigquery.engine.export_formats import ExportFormat
from tarn_bigquery.engine.externals import ExternalTables
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.queries import Outcome, Queries, bind
from tarn_bigquery.engine.writes import Bound
from tarn_bigquery.errors import ApiError, invalid, invalid_query, unsupported
from tarn_bigquery.sql import ddl
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.parse import Statement
from tarn_bigquery.storage.uris import UriPattern, parse_uri

_BATCH_ROWS = 20_000
_SHARD_BYTES = 256 * 1024**2
_FORMATS = {"JSON": "NEWLINE_DELIMITED_JSON"}


@dataclass(frozen=True)
class Goal:
    """Where rows go, and how they are written."""

    uris: list[UriPattern]
    form: ExportFormat


@dataclass(frozen=True)
class Written:
    """What came of it: the files of each URI, and the rows of all."""

    files: list[int]
    rows: int


class Exports:
    """`shard_bytes` is how many bytes of rows, in memory, go into one file where a URI has a wildcard."""

    def __init__(
        self, queries: Queries, externals: ExternalTables, folder: Path, shard_bytes: int = _SHARD_BYTES
    ) -> None:
        self._queries = queries
        self._externals = externals
        self._folder = folder
        self._shard_bytes = shard_bytes

    def run(self, job: Job) -> None:
        """Do what an extract job asks. Raises ApiError with what is wrong."""
        config = job.configuration["extract"]
        if config.get("sourceModel"):
            raise unsupported("the extraction of models")
        source = undecorated(TableRef.from_rest(require(config, "sourceTable"), job.project))
        goal = _extract_goal(config)
        with (
            self._queries.attached(job) as cursor,
            sources(self._queries.database, cursor, [source]) as found,
        ):
            body = found[0].body
            if not definitions.is_stored(body):
                kind = body["type"]
                raise invalid(f"{source.table} is not allowed for this operation because it is currently a {kind}.")
            written = self._write(cursor, union(found), goal)
        counts = [str(count) for count in written.files]
        size = str(self._queries.sizes.of(body).bytes)
        job.statistics = {"totalBytesProcessed": size, "extract": {"destinationUriFileCounts": counts}}
        job.statistics["extract"]["inputBytes"] = size

    def export_query(self, statement: Statement, context: QueryContext, job: Job) -> Outcome:
        """Carry out EXPORT DATA. Raises ApiError with what is wrong."""
        if statement.tree.args.get("connection"):
            raise unsupported("EXPORT DATA WITH CONNECTION")
        options = ddl.export_options(statement.tree)
        goal = _statement_goal(options)
        self._refuse_existing(goal, overwrite=bool(options.get("overwrite")))
        query = Statement(statement.tree.this, statement.script, statement.start, statement.end)
        with self._queries.attached(job) as cursor, self._queries.prepared(query, context, cursor) as prepared:
            written = self._write(cursor, bind(cursor, prepared), goal)
            size = self._queries.bytes_of(prepared, context)
            references = list(prepared.references)
        counts = {"fileCount": str(sum(written.files)), "rowCount": str(written.rows)}
        return Outcome("EXPORT_DATA", bytes_processed=size, references=references,
                       statistics={"exportDataStatistics": counts})  # fmt: skip

    def _refuse_existing(self, goal: Goal, *, overwrite: bool) -> None:
        pattern = goal.uris[0]
        if overwrite:
            return
        for found in self._externals.store().list_objects(pattern.bucket, pattern.prefix).objects:
            if pattern.matches(found.name):
                raise invalid(f"Invalid value: {found.uri} exists already. Set overwrite=true to replace it.")

    def _write(self, cursor: duckdb.DuckDBPyConnection, rows: Bound, goal: Goal) -> Written:
        """Write all rows: one file a URI, or as many as the rows need where the URIs have wildcards."""
        goal.form.check(rows.schema)
        store = self._externals.store()
        batches = _Batches(iter(cursor.sql(rows.sql).to_arrow_reader(_BATCH_ROWS)))
        files = [0] * len(goal.uris)
        with tempfile.TemporaryDirectory(dir=self._folder) as folder:
            path = Path(folder) / "rows"
            number = 0
            while number < len(goal.uris) or not batches.is_over:
                place = number % len(goal.uris)
                uri = goal.uris[place]
                with goal.form.open(path, rows.schema) as writer:
                    for batch in batches.next_shard(self._shard_bytes if uri.has_wildcard else None):
                        writer.write(batch)
                store.upload(path, uri.bucket, _object_name(uri, files[place]))
                files[place] += 1
                number += 1
        return Written(files, batches.rows)


class _Batches:
    """Batches of rows, handed out shard by shard."""

    def __init__(self, batches: Iterator[pa.RecordBatch]) -> None:
        self._batches = batches
        self._next = next(batches, None)
        self.rows = 0

    @property
    def is_over(self) -> bool:
        return self._next is None

    def next_shard(self, limit: int | None) -> Iterator[pa.RecordBatch]:
        """Batches until they have `limit` bytes together; all that are left where there is no limit."""
        size = 0
        while self._next is not None and (limit is None or size < limit):
            batch, self._next = self._next, next(self._batches, None)
            size += batch.nbytes
            self.rows += batch.num_rows
            yield batch


def _object_name(uri: UriPattern, number: int) -> str:
    return f"{uri.prefix}{number:012d}{uri.suffix}" if uri.has_wildcard else uri.prefix


def _extract_goal(config: dict[str, Any]) -> Goal:
    given = config.get("destinationUris") or [config[name] for name in ("destinationUri",) if config.get(name)]
    if not given:
        raise ApiError("required", "Required parameter is missing: destinationUris")
    uris = [parse_uri(uri) for uri in given]
    if len(uris) > 1 and not all(uri.has_wildcard for uri in uris):
        raise invalid("Every URI needs a '*' wildcard where there are several destinationUris.")
    form = ExportFormat(
        (config.get("destinationFormat") or "CSV").upper(),
        (config.get("compression") or "NONE").upper(),
        config.get("printHeader", True),
        _delimiter(config.get("fieldDelimiter")),
    )
    return Goal(uris, form)


def _statement_goal(options: dict[str, Any]) -> Goal:
    for name in ("uri", "format"):
        if not options.get(name):
            raise invalid_query(f"EXPORT DATA needs the option {name}.")
    uri = parse_uri(options["uri"])
    if not uri.has_wildcard:
        raise invalid_query("Option 'uri' value must be a wildcard URI.")
    name = options["format"].upper()
    compression = (options.get("compression") or "NONE").upper()
    form = ExportFormat(
        _FORMATS.get(name, name), compression, bool(options.get("header")), _delimiter(options.get("field_delimiter"))
    )
    return Goal([uri], form)


def _delimiter(given: str | None) -> str:
    return {None: ",", "": ",", "tab": "\t", "\\t": "\t"}.get(given, given or ",")
