"""Bring a partition's answers from an API into the staging area, as they come: a JSON-lines file a page."""

import datetime as dt
import hashlib
import json
import logging
import shutil
import time
from collections.abc import Mapping
from pathlib import Path

from tarn import durable
from tarn.api.client import ApiClient
from tarn.api.pace import Pace
from tarn.api.paging import Pager
from tarn.api.progress_note import Page, ProgressNote
from tarn.api.window import newest, window_start
from tarn.downloads.job import STEP, Download, Job
from tarn.errors import NotPublished, PublisherUnavailable
from tarn.placeholders import Value, dates_of
from tarn.receipt import Artifact, Receipt
from tarn.source import ApiSource

log = logging.getLogger(__name__)


def download_api(job: Job[ApiSource], previous: Receipt | None) -> Download:
    """Fetch every page, or find that those here, of which ``previous`` is the receipt, are still the publisher's.

    Raises NotPublished where the partition has not begun, is a snapshot of a time gone by, or has no record;
    PublisherUnavailable; DownloadRefused where the answers are not what they should be.
    """
    begun = time.monotonic()
    today = job.manner.clock.now().date()
    if job.source.snapshot and previous:
        log.info("%s: the snapshot taken before is kept", job)
        return Download(previous, reused=True)
    _require_time(job, today)
    since = window_start(job)
    placeholders = _placeholders(job, today, since)
    folder = job.workspace.arriving
    note = ProgressNote.load(folder, _fingerprint(job, placeholders))
    if not note.pages:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    try:
        with job.session() as session:
            client = ApiClient(session, Pace(_requests_per_minute(job), job.manner.clock), job.manner)
            note = Pager(job, client, folder, _known(previous)).fetch(placeholders, note)
    except PublisherUnavailable as reason:
        if previous is None:
            raise
        log.warning("%s: the answers downloaded before are used: %s", job, reason)
        return Download(previous, reused=True)
    if not sum(page.records for page in note.pages):
        shutil.rmtree(folder)
        if previous:
            log.warning("%s: the answers downloaded before are used: the publisher has no record any more", job)
            return Download(previous, reused=True)
        raise NotPublished(f"{job}: not published: {job.dataset.publisher} has no record of it.")
    receipt = _publish(job, note.pages, since)
    reused = previous is not None and _content(previous) == _content(receipt)
    return Download(receipt.model_copy(update={"seconds": time.monotonic() - begun}), reused)


def _require_time(job: Job[ApiSource], today: dt.date) -> None:
    if job.partition.start > today:
        raise NotPublished(f"{job}: not published: it lies in the future.")
    live = job.settings.publishers_url is None
    if job.source.snapshot and live and job.partition.start < today - dt.timedelta(days=1):
        raise NotPublished(f"{job}: not published: {job.dataset.publisher} tells of the present only.")


def _placeholders(job: Job[ApiSource], today: dt.date, since: str | None) -> dict[str, Value]:
    days_ago = (today - job.partition.start).days + 1
    marked: dict[str, Value] = {} if since is None else {"mark": since}
    return dates_of(job.partition) | {"days_ago": days_ago} | marked


def _requests_per_minute(job: Job[ApiSource]) -> float | None:
    given = job.settings.rate_limits.get(job.source.publisher)
    if given is not None:
        return given
    return job.source.requests_per_minute if job.settings.publishers_url is None else None


def _fingerprint(job: Job[ApiSource], placeholders: Mapping[str, Value]) -> str:
    asked = [job.source.model_dump_json(), job.settings.publishers_url, {n: str(v) for n, v in placeholders.items()}]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:16]


def _known(previous: Receipt | None) -> dict[str, Artifact]:
    """The requests whose answers are here, by URL, each with its file in place of the publisher's."""
    if previous is None:
        return {}
    pairs = zip(previous.reads, previous.writes, strict=True)
    return {asked.uri: asked.model_copy(update={"uri": file.uri}) for asked, file in pairs}


def _publish(job: Job[ApiSource], pages: tuple[Page, ...], since: str | None) -> Receipt:
    files = []
    for page in pages:
        path = job.workspace.raw(Path(page.file.uri).name)
        durable.commit(Path(page.file.uri), path)
        files.append(page.file.model_copy(update={"uri": str(path)}))
    field = job.source.mark.field if job.source.mark else ""
    marks = [{field: page.mark} for page in pages]
    return Receipt(
        step=STEP,
        dataset=job.dataset.name,
        partition=str(job.partition),
        source=job.source.name,
        since=since,
        mark=newest(None, field, marks) if field else None,
        reads=tuple(page.request for page in pages),
        writes=tuple(files),
        seconds=0.0,
        finished_at=job.manner.clock.now(),
    )


def _content(receipt: Receipt) -> list[tuple[str, int, str]]:
    return [(file.uri, file.bytes, file.crc32c) for file in receipt.writes]
