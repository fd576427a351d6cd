"""Load jobs and LOAD DATA: files of a bucket or of an upload into a table, read as an external table would be."""

from pathlib import Path
from typing import Any

from tarn_bigquery.catalog.catalog import Resource, table_key
from tarn_bigquery.catalog.names import TableRef
from tarn_bigquery.catalog.partitions import undecorated
from tarn_bigquery.catalog.resources import require
from tarn_bigquery.engine import definitions
from tarn_bigquery.engine.externals import ExternalTables
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.queries import Outcome, Queries
from tarn_bigquery.engine.uploads import UploadStore
from tarn_bigquery.engine.writes import Bound, destination, write_rows
from tarn_bigquery.errors import ApiError
from tarn_bigquery.sql import load_data
from tarn_bigquery.sql.context import QueryContext
from tarn_bigquery.sql.parse import Statement
from tarn_bigquery.sql.types import Field, normalized
from tarn_bigquery.storage import ExternalSource, ObjectCache, ScanPlan

_CSV_OPTIONS = {"fieldDelimiter", "skipLeadingRows", "quote", "allowQuotedNewlines", "allowJaggedRows", "encoding",
                "preserveAsciiControlCharacters", "nullMarker", "nullMarkers",
                "sourceColumnMatch"}  # fmt: skip
_SHARED_OPTIONS = {"sourceUris", "autodetect", "maxBadRecords", "ignoreUnknownValues", "parquetOptions", "timeZone",
                   "hivePartitioningOptions", "referenceFileSchemaUri", "decimalTargetTypes", "dateFormat",
                   "datetimeFormat", "timeFormat", "timestampFormat", "jsonExtension",
                   "fileSetSpecType"}  # fmt: skip


class Loads:
    def __init__(self, queries: Queries, externals: ExternalTables, uploads: UploadStore, cache_dir: Path) -> None:
        self._queries = queries
        self._externals = externals
        self._uploads = uploads
        # A file that was sent is read once: nothing of it is kept.
        self._uploaded = ExternalSource(uploads, ObjectCache(cache_dir, 0))

    def run(self, job: Job) -> None:
        """Do what a load job asks. Raises ApiError with what is wrong with the request or the files."""
        job.statistics = {"load": self._load(job, job.configuration["load"])}

    def load_data(self, statement: Statement, context: QueryContext, job: Job) -> Outcome:
        """Carry out LOAD DATA. Raises ApiError as `run` does."""
        wanted = load_data.read(statement.text)
        ref = context.table_ref(wanted.table)
        config = {**wanted.config, "destinationTable": ref.rest()}
        is_new = wanted.overwrites or context.catalog.find(table_key(ref)) is None
        config["autodetect"] = is_new and "schema" not in config
        counts = self._load(job, config)
        read = int(counts["inputFileBytes"])
        return Outcome("LOAD_DATA", bytes_processed=read, destination=ref, statistics={"loadQueryStatistics": counts})

    def _load(self, job: Job, config: dict[str, Any]) -> dict[str, str]:
        """Load as a load job's configuration says. Returns the counts that its statistics have."""
        target = undecorated(TableRef.from_rest(require(config, "destinationTable"), job.project))
        catalog = self._queries.database.catalog
        catalog.dataset(target.table.parent)
        goal = destination(target, config, default_write="WRITE_APPEND")
        declared = normalized(config.get("schema", {}).get("fields", []))
        if declared:
            goal.body["schema"] = {"fields": declared}
        with (
            self._queries.attached(job) as cursor,
            self._queries.writing(job, cursor, target.table) as transaction,
        ):
            current = catalog.find(table_key(target.table))
            with self._scan(job, config, declared or _known_fields(config, current, goal.write)) as plan:
                rows = Bound(f"SELECT * FROM {plan.sql}", plan.schema)  # noqa: S608
                written = write_rows(transaction, current, goal, rows)
                sizes = [file.source.version.size for file in plan.files]
                bad = sum(file.footer.bad_records for file in plan.files)
        job.destination = target.table
        return {
            "inputFiles": str(len(sizes)),
            "inputFileBytes": str(sum(sizes)),
            "outputRows": str(written.rows),
            "outputBytes": str(self._queries.sizes.of(catalog.table(target.table)).bytes),
            "badRecords": str(bad),
        }

    def close(self) -> None:
        self._uploaded.close()

    def _scan(self, job: Job, config: dict[str, Any], schema: list[Field] | None) -> ScanPlan:
        name = f"{job.project}.{job.job_id}"
        external = _external_config(config)
        if job.upload is None:
            if not config.get("sourceUris"):
                raise ApiError("required", "Required parameter is missing: sourceUris")
            return self._externals.source().scan(name, external, schema)
        try:
            external["sourceUris"] = [self._uploads.uri(job.upload)]
            return self._uploaded.scan(name, external, schema)
        finally:
            job.upload.unlink(missing_ok=True)


def _external_config(config: dict[str, Any]) -> Resource:
    """The load's options as those of an external table."""
    external = {name: config[name] for name in _SHARED_OPTIONS if name in config}
    external["sourceFormat"] = config.get("sourceFormat") or "CSV"
    external["csvOptions"] = {name: config[name] for name in _CSV_OPTIONS if name in config}
    if "useAvroLogicalTypes" in config:
        external["avroOptions"] = {"useAvroLogicalTypes": config["useAvroLogicalTypes"]}
    return external


def _known_fields(config: dict[str, Any], current: Resource | None, write: str) -> list[Field] | None:
    """The fields of a table that text is added to; files that bring their schema are read with their own."""
    if current is None or config.get("autodetect") or write.startswith("WRITE_TRUNCATE"):
        return None
    if (config.get("sourceFormat") or "CSV") not in {"CSV", "NEWLINE_DELIMITED_JSON"}:
        return None
    return definitions.fields_of(current) or None
