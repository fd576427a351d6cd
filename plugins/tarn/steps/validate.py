"""validate: holds a loaded partition against the checks that its dataset declares."""

import datetime as dt
import hashlib
import logging
import time
from collections.abc import Mapping

from google.cloud import bigquery

from tarn.bigquery import RETRY, bigquery_client, explaining
from tarn.dataset import Check, Dataset
from tarn.errors import CheckFailed, InputMissing
from tarn.external_table import ExternalTable, external_table
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace

STEP = "validate"
LOAD = "load"

log = logging.getLogger(__name__)


def validate(
    dataset: Dataset,
    partition: Partition,
    settings: Settings,
    *,
    client: bigquery.Client | None = None,
    force: bool = False,
    progress: Progress = silent,
) -> Receipt:
    """Ask BigQuery how many of the partition's rows break each check, all of them in one query.

    Nothing is asked where the receipt says that the same load passed the same checks. Raises InputMissing where load
    has not run; LoadFailed where BigQuery refuses; CheckFailed where too many rows break a check.
    """
    begun = time.monotonic()
    workspace = Workspace.of(dataset, partition, settings)
    loaded = _loaded(workspace, dataset, partition)
    subject = f"{dataset.name} {partition}"
    query = checks_query(dataset, partition, external_table(dataset, settings))
    fingerprint = _fingerprint(loaded, query)
    previous = Receipt.load(workspace.receipt(STEP))
    if not force and previous and (previous.fingerprint, previous.reads) == (fingerprint, loaded.reads):
        return previous.model_copy(update={"reused": True})
    with explaining(subject, settings):
        config = bigquery.QueryJobConfig(labels=settings.resource_labels | {"tarn-step": STEP})
        client = client or bigquery_client(settings)
        job = client.query(query, config, location=settings.location, retry=RETRY)
        [counts] = job.result(retry=RETRY)
    broken = {check.name: counts[_alias(number)] for number, check in enumerate(dataset.checks)}
    log.info("%s: job %s held %s rows against %d checks", subject, job.job_id, counts["row_count"], len(broken))
    _require_checks(subject, dataset.checks, broken, counts["row_count"])
    progress(counts["row_count"], counts["row_count"], "rows")
    receipt = Receipt(
        step=STEP,
        dataset=dataset.name,
        partition=str(partition),
        fingerprint=fingerprint,
        reads=loaded.reads,
        rows_read=counts["row_count"],
        job=job.job_id,
        bytes_processed=job.total_bytes_processed,
        checks=broken,
        seconds=time.monotonic() - begun,
        finished_at=dt.datetime.now(dt.UTC),
    )
    receipt.save(workspace.receipt(STEP))
    return receipt


def checks_query(dataset: Dataset, partition: Partition, table: ExternalTable) -> str:
    """GoogleSQL that counts a partition's rows, and for each check those that break it; NULL breaks a check too."""
    counts = ["COUNT(*) AS row_count"]
    for number, check in enumerate(dataset.checks):
        counts.append(f"COUNT(IF({check.condition}, NULL, 1)) AS {_alias(number)}")
    columns = ",\n  ".join(counts)
    return f"SELECT\n  {columns}\nFROM `{table.reference}`\nWHERE {dataset.partition_by} = DATE '{partition.value}'"


def _alias(number: int) -> str:
    return f"check_{number}"


def _loaded(workspace: Workspace, dataset: Dataset, partition: Partition) -> Receipt:
    receipt = Receipt.load(workspace.receipt(LOAD))
    if receipt is None:
        remedy = f"run scripts/load.py {dataset.name} {partition} first"
        raise InputMissing(f"{dataset.name} {partition} has not been loaded: {remedy}.")
    return receipt


def _fingerprint(loaded: Receipt, query: str) -> str:
    return hashlib.sha256(f"{loaded.fingerprint}\n{query}".encode()).hexdigest()[:16]


def _require_checks(subject: str, checks: tuple[Check, ...], broken: Mapping[str, int], rows: int) -> None:
    for check in checks:
        share = broken[check.name] / rows if rows else 0.0
        if share > check.limit:
            raise CheckFailed(
                f"{subject}: {broken[check.name]:,} of {rows:,} rows ({share:.2%}) break the check"
                f" {check.name!r}, more than its limit of {check.limit:.2%}: {check.condition}."
            )
