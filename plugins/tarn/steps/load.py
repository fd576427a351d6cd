"""load: makes a dataset's external table what its file declares, and proves a partition through it."""

import datetime as dt
import hashlib
import logging
import time

from google.cloud import bigquery

from tarn.bigquery import RETRY, bigquery_client, ensure_dataset, explaining
from tarn.dataset import Dataset
from tarn.errors import InputMissing, LoadMismatch
from tarn.external_table import ExternalTable, ensure_table, evolved_columns, external_table
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace

STEP = "load"
UPLOAD = "upload"

log = logging.getLogger(__name__)


def load(
    dataset: Dataset,
    partition: Partition,
    settings: Settings,
    *,
    client: bigquery.Client | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Receipt:
    """Create or update the external table, then ask BigQuery for the number of the partition's rows.

    The proof is not repeated where the receipt says that it was given for the same objects and definition.
    Raises InputMissing where upload has not run; LoadFailed where BigQuery refuses; LoadMismatch where it counts other
    rows than upload's receipt has.
    """
    begun = time.monotonic()
    workspace = Workspace.of(dataset, partition, settings)
    source = _uploaded(workspace, dataset, partition)
    subject = f"{dataset.name} {partition}"
    with explaining(subject, settings):
        client = client or bigquery_client(settings)
        ensure_dataset(client, settings)
        table = external_table(dataset, settings, evolved_columns(client, dataset, settings, source.columns))
        query = proof_query(dataset, partition, table)
        fingerprint = _fingerprint(table, query)
        changed = ensure_table(client, table, settings)
        previous = Receipt.load(workspace.receipt(STEP))
        if not (force or changed) and previous and _still_proves(previous, source, fingerprint):
            return previous.model_copy(update={"reused": True})
        config = bigquery.QueryJobConfig(labels=settings.resource_labels | {"tarn-step": STEP})
        job = client.query(query, config, location=settings.location, retry=RETRY)
        [counts] = job.result(retry=RETRY)
    log.info(
        "%s: job %s counted %s rows in %s bytes", subject, job.job_id, counts["row_count"], job.total_bytes_processed
    )
    _require_count(subject, counts["row_count"], source, table)
    progress(counts["row_count"], counts["row_count"], "rows")
    receipt = Receipt(
        step=STEP,
        dataset=dataset.name,
        partition=str(partition),
        fingerprint=fingerprint,
        reads=source.writes,
        rows_written=counts["row_count"],
        columns=source.columns,
        job=job.job_id,
        bytes_processed=job.total_bytes_processed,
        seconds=time.monotonic() - begun,
        finished_at=dt.datetime.now(dt.UTC),
    )
    receipt.save(workspace.receipt(STEP))
    return receipt


def proof_query(dataset: Dataset, partition: Partition, table: ExternalTable) -> str:
    """GoogleSQL that counts a partition's rows."""
    within = f"{dataset.partition_by} = DATE '{partition.value}'"
    return f"SELECT\n  COUNT(*) AS row_count\nFROM `{table.reference}`\nWHERE {within}"


def _uploaded(workspace: Workspace, dataset: Dataset, partition: Partition) -> Receipt:
    receipt = Receipt.load(workspace.receipt(UPLOAD))
    if receipt is None:
        remedy = f"run scripts/upload.py {dataset.name} {partition} first"
        raise InputMissing(f"{dataset.name} {partition} has not been uploaded: {remedy}.")
    return receipt


def _fingerprint(table: ExternalTable, query: str) -> str:
    return hashlib.sha256(f"{table.definition}\n{query}".encode()).hexdigest()[:16]


def _still_proves(previous: Receipt, source: Receipt, fingerprint: str) -> bool:
    return (previous.fingerprint, previous.reads) == (fingerprint, source.writes)


def _require_count(subject: str, counted: int, source: Receipt, table: ExternalTable) -> None:
    if counted != source.rows_written:
        raise LoadMismatch(
            f"{subject}: BigQuery counts {counted:,} rows in {table.reference}, but {source.rows_written:,} were"
            " uploaded: see that nothing else writes this partition's folder, then run upload and load again."
        )
