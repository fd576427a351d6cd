"""parquetize: casts the publisher's file to the declared schema, and sets aside the rows that cannot be cast."""

import datetime as dt
import logging
import time
from collections import Counter
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq

from tarn import durable
from tarn.dataset import Dataset
from tarn.errors import FileRefused, InputMissing, TooManyBadRows
from tarn.parquetize.json_pages import Pages
from tarn.parquetize.memory import system_memory
from tarn.parquetize.quarantine import Quarantine
from tarn.parquetize.raw_file import RawFile, open_pages, open_raw
from tarn.parquetize.row_groups import RowGroupWriter
from tarn.parquetize.types import arrow_schema
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Artifact, Receipt
from tarn.settings import Settings
from tarn.source import ApiSource, FileSource
from tarn.staging import Workspace

STEP = "parquetize"
DOWNLOAD = "download"

log = logging.getLogger(__name__)


def parquetize(
    dataset: Dataset, partition: Partition, settings: Settings, *, force: bool = False, progress: Progress = silent
) -> Receipt:
    """Write a partition's rows as one Parquet file, and its bad rows to the quarantine file where there are any.

    Does nothing where the receipt says that the same raw file was cast to the same schema and the outputs still hold.
    Raises InputMissing where there is no downloaded file; FileRefused where it is damaged or has other columns;
    TooManyBadRows where the share of bad rows is above the dataset's limit: then the quarantine file is kept, for
    reading, and no Parquet file is written.
    """
    begun = time.monotonic()
    workspace = Workspace.of(dataset, partition, settings)
    downloaded = _downloaded(workspace, dataset, partition)
    raw = downloaded.writes
    receipt_path = workspace.receipt(STEP)
    previous = Receipt.load(receipt_path)
    if previous and not force and _still_holds(previous, raw, dataset):
        log.info("%s %s: unchanged since %s", dataset.name, partition, previous.finished_at.isoformat("T", "seconds"))
        return previous.model_copy(update={"reused": True})
    try:
        source = dataset.source(downloaded.source)
        outcome = _convert(_Job(dataset, partition, workspace, source, raw), progress)
    except FileRefused as refusal:
        raise FileRefused(f"{dataset.name} {partition}, {raw[0].uri}: {refusal}") from None
    receipt = Receipt(
        step=STEP,
        dataset=dataset.name,
        partition=str(partition),
        fingerprint=dataset.fingerprint,
        reads=raw,
        writes=_written_files(workspace),
        rows_read=outcome.read,
        rows_written=outcome.written,
        rows_quarantined=outcome.quarantined,
        rows_kept=outcome.written - outcome.repaired,
        rows_repaired=outcome.repaired,
        repaired_by=outcome.repaired_by,
        quarantined_by=outcome.quarantined_by,
        columns=outcome.columns,
        ignored_columns=outcome.ignored_columns,
        seconds=time.monotonic() - begun,
        finished_at=dt.datetime.now(dt.UTC),
    )
    receipt.save(receipt_path)
    _report(receipt, raw)
    return receipt


@dataclass(frozen=True)
class _Job:
    dataset: Dataset
    partition: Partition
    workspace: Workspace
    source: FileSource | ApiSource
    raw: tuple[Artifact, ...]


@dataclass(frozen=True)
class _Outcome:
    read: int
    written: int
    quarantined: int
    repaired: int
    repaired_by: dict[str, int]
    quarantined_by: dict[str, int]
    columns: dict[str, str]
    ignored_columns: tuple[str, ...]


def _downloaded(workspace: Workspace, dataset: Dataset, partition: Partition) -> Receipt:
    receipt = Receipt.load(workspace.receipt(DOWNLOAD))
    remedy = f"run scripts/download.py {dataset.name} {partition} first"
    if receipt is None or receipt.source not in (source.name for source in dataset.sources):
        raise InputMissing(f"{dataset.name} {partition} has not been downloaded: {remedy}.")
    for raw in receipt.writes:
        if not raw.holds():
            raise InputMissing(f"{raw.uri} is gone, or no longer what was downloaded: {remedy}.")
    return receipt


def _still_holds(previous: Receipt, raw: tuple[Artifact, ...], dataset: Dataset) -> bool:
    same_input = _content(previous.reads) == _content(raw)
    return same_input and previous.fingerprint == dataset.fingerprint and previous.outputs_hold()


def _content(files: tuple[Artifact, ...]) -> list[tuple[int, str, dict[str, str]]]:
    return [(file.bytes, file.crc32c, file.values) for file in files]


def _convert(job: _Job, progress: Progress) -> _Outcome:
    with system_memory(), durable.replacing(job.workspace.parquet) as parquet:
        with durable.replacing(job.workspace.quarantine) as bad_rows:
            outcome, reasons = _write(job, parquet, bad_rows, progress)
        if not outcome.quarantined:
            job.workspace.quarantine.unlink()
        _check_quarantine(job, outcome, reasons)
    return outcome


def _write(job: _Job, parquet: Path, bad_rows: Path, progress: Progress) -> tuple[_Outcome, list[str]]:
    read = repaired = 0
    repairs = Counter[str]()
    with (
        _open(job, progress) as raw,
        RowGroupWriter(parquet, arrow_schema(raw.columns.columns)) as writer,
        bad_rows.open("w", encoding="utf-8") as quarantine_file,
    ):
        quarantine = Quarantine(quarantine_file)
        for rows in raw.rows:
            read += rows.read
            repaired += rows.repaired
            repairs.update(rows.repairs)
            writer.add(rows.good)
            quarantine.add(rows.bad)
    written = pq.read_metadata(parquet).num_rows
    if read != written + quarantine.rows:
        raise AssertionError(f"{read} rows read, but {written} written and {quarantine.rows} quarantined")
    outcome = _Outcome(
        read=read,
        written=written,
        quarantined=quarantine.rows,
        repaired=repaired,
        repaired_by=dict(repairs),
        quarantined_by=dict(quarantine.rules),
        columns={column.name: column.type.value for column in raw.columns.columns},
        ignored_columns=raw.columns.ignored,
    )
    return outcome, quarantine.first_reasons


def _open(job: _Job, progress: Progress) -> AbstractContextManager[RawFile]:
    if isinstance(job.source, ApiSource):
        return nullcontext(open_pages(Pages(job.raw, job.source, job.partition), job.dataset, progress))
    (file,) = job.raw
    return open_raw(Path(file.uri), job.source.format, job.dataset, progress)


def _check_quarantine(job: _Job, outcome: _Outcome, reasons: list[str]) -> None:
    limit = job.dataset.quarantine_limit
    if outcome.quarantined > limit * outcome.read:
        raise TooManyBadRows(
            f"{job.dataset.name} {job.partition}: {outcome.quarantined:,} of {outcome.read:,} rows are bad, and the"
            f" dataset allows {limit:.2%}. The first: {'; '.join(reasons)}. All of them, with reasons, are in"
            f" {job.workspace.quarantine}. Mend the dataset's declaration, or raise its quarantine_limit."
        )


def _written_files(workspace: Workspace) -> tuple[Artifact, ...]:
    return tuple(Artifact.of(path) for path in (workspace.parquet, workspace.quarantine) if path.exists())


def _report(receipt: Receipt, raw: tuple[Artifact, ...]) -> None:
    if receipt.ignored_columns:
        log.warning(
            "%s %s: the dataset does not declare, and so ignores: %s",
            receipt.dataset,
            receipt.partition,
            ", ".join(receipt.ignored_columns),
        )
    arrived = sum(file.bytes for file in raw)
    log.info(
        "%s %s: parquetized %s rows (%s repaired, %s quarantined), %s bytes to %s, in %.2f s: %s rows/s, %.1f MB/s",
        receipt.dataset,
        receipt.partition,
        f"{receipt.rows_read:,}",
        f"{receipt.rows_repaired:,}",
        f"{receipt.rows_quarantined:,}",
        f"{arrived:,}",
        f"{receipt.writes[0].bytes:,}",
        receipt.seconds,
        f"{(receipt.rows_read or 0) / receipt.seconds:,.0f}",
        arrived / 1e6 / receipt.seconds,
    )
