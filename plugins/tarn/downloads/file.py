"""Bring a partition's file into the staging area, byte for byte."""

import datetime as dt
import logging
import re
import time
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from tarn.arrival import inspect
from tarn.dataset import Dataset
from tarn.downloads.job import STEP, Download, Job
from tarn.errors import DownloadRefused, InvalidDataset, PublisherUnavailable
from tarn.fetch import Fetcher, NotThere, PartFile, Unchanged, Validators
from tarn.receipt import Artifact, Receipt
from tarn.source import FileSource

FILE_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _File:
    job: Job[FileSource]
    url: str
    path: Path


def download_file(job: Job[FileSource], previous: Receipt | None) -> Download:
    """Fetch the file, or find that the one here, of which ``previous`` is the receipt, is still the publisher's.

    Raises NotPublished; PublisherUnavailable; DownloadRefused where what comes is not the file that it should be.
    """
    begun = time.monotonic()
    url = job.source.address(job.partition, job.settings.publishers_url)
    file = _File(job, url, job.workspace.raw(_file_name(url, job.dataset)))
    if previous and [artifact.uri for artifact in previous.reads] != [url]:
        previous = None
    part = PartFile(file.path, url)
    try:
        with job.session() as session:
            fetcher = Fetcher(session, job.manner.policy, job.manner.progress)
            version = _fetch_whole(fetcher, file, part, _known_version(previous))
    except (Unchanged, NotThere, PublisherUnavailable) as reason:
        if previous is None:
            raise job.not_published(reason, url) if isinstance(reason, NotThere) else reason from reason
        level = logging.INFO if isinstance(reason, Unchanged) else logging.WARNING
        log.log(level, "%s: the file downloaded before is used: %s", job, reason)
        return Download(previous, reused=True)
    arrived = Artifact.of(part.path)
    reused = previous is not None and _same_bytes(previous.writes[0], arrived)
    if reused:
        part.discard()
    else:
        part.publish(file.path)
    return Download(_receipt(file, version, time.monotonic() - begun), reused)


def _file_name(url: str, dataset: Dataset) -> str:
    name = PurePosixPath(urlsplit(url).path).name
    if not re.fullmatch(FILE_NAME, name):
        raise InvalidDataset(
            f"{dataset.name}: sources: {url} must end in a plain file name (letters, digits, '.', '_', '+', '-')."
        )
    return name


def _known_version(receipt: Receipt | None) -> Validators | None:
    return Validators(receipt.reads[0].etag, receipt.reads[0].last_modified) if receipt else None


def _fetch_whole(fetcher: Fetcher, file: _File, part: PartFile, known: Validators | None) -> Validators:
    file.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return fetcher.fetch(file.url, part, known, lambda path: inspect(path, file.job.source.format))
    except DownloadRefused as refusal:
        part.discard()
        raise DownloadRefused(f"{file.job}, {file.url}: {refusal}") from None


def _same_bytes(one: Artifact, other: Artifact) -> bool:
    return (one.bytes, one.crc32c) == (other.bytes, other.crc32c)


def _receipt(file: _File, version: Validators, seconds: float) -> Receipt:
    artifact = Artifact.of(file.path)
    published = {"uri": file.url, "etag": version.etag, "last_modified": version.last_modified}
    return Receipt(
        step=STEP,
        dataset=file.job.dataset.name,
        partition=str(file.job.partition),
        source=file.job.source.name,
        reads=(artifact.model_copy(update=published),),
        writes=(artifact,),
        seconds=seconds,
        finished_at=dt.datetime.now(dt.UTC),
    )
