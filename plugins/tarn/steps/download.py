"""download: brings the publisher's file of a partition into the staging area, byte for byte."""

import datetime as dt
import logging
import re
import time
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import requests

from tarn.arrival import inspect
from tarn.dataset import Dataset, SourceFormat
from tarn.errors import DownloadRefused, InvalidDataset, NotPublished, PublisherUnavailable
from tarn.fetch import Fetcher, NotThere, PartFile, Unchanged, Validators
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Artifact, Receipt
from tarn.retry import RetryPolicy
from tarn.settings import Settings
from tarn.staging import Workspace

STEP = "download"
USER_AGENT = "tarn (data lake; python-requests)"
FILE_NAME = r"[A-Za-z0-9_][A-Za-z0-9_.+-]*"
DEFAULT_POLICY = RetryPolicy()

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Job:
    dataset: Dataset
    partition: Partition
    url: str
    path: Path
    format: SourceFormat

    def __str__(self) -> str:
        return f"{self.dataset.name} {self.partition}"


def download(
    dataset: Dataset,
    partition: Partition,
    settings: Settings,
    *,
    policy: RetryPolicy = DEFAULT_POLICY,
    force: bool = False,
    progress: Progress = silent,
) -> Receipt:
    """Fetch a partition's file, or find that the one here is still the publisher's.

    An interrupted download goes on where it ended. Where the publisher cannot be reached, or has withdrawn the file, a
    file that was downloaded before and still holds is used, with a warning. Raises NotPublished; PublisherUnavailable;
    DownloadRefused where what comes is not the file that it should be.
    """
    begun = time.monotonic()
    workspace = Workspace.of(dataset, partition, settings)
    source = dataset.source(partition)
    url = source.address(partition, settings.publishers_url)
    job = _Job(dataset, partition, url, workspace.raw(_file_name(url, dataset)), source.format)
    previous = None if force else _valid_receipt(workspace, job)
    part = PartFile(job.path, url)
    try:
        with _session(settings) as session:
            version = _fetch_whole(Fetcher(session, policy, progress), job, part, _known_version(previous))
    except (Unchanged, NotThere, PublisherUnavailable) as reason:
        if previous is None:
            raise _explanation(reason, job) from reason
        level = logging.INFO if isinstance(reason, Unchanged) else logging.WARNING
        log.log(level, "%s: the file downloaded before is used: %s", job, reason)
        return previous.model_copy(update={"reused": True})
    arrived = Artifact.of(part.path)
    reused = previous is not None and _same_bytes(previous.writes[0], arrived)
    if reused:
        part.discard()
    else:
        part.publish(job.path)
    receipt = _receipt(job, version, time.monotonic() - begun)
    receipt.save(workspace.receipt(STEP))
    _report(receipt)
    return receipt.model_copy(update={"reused": reused})


def _file_name(url: str, dataset: Dataset) -> str:
    name = PurePosixPath(urlsplit(url).path).name
    if not re.fullmatch(FILE_NAME, name):
        raise InvalidDataset(
            f"{dataset.name}: sources: {url} must end in a plain file name (letters, digits, '.', '_', '+', '-')."
        )
    return name


def _session(settings: Settings) -> requests.Session:
    session = requests.Session()
    session.headers["User-Agent"] = USER_AGENT
    session.trust_env = settings.publishers != "offline"  # a proxy cannot see this machine's own server
    return session


def _valid_receipt(workspace: Workspace, job: _Job) -> Receipt | None:
    receipt = Receipt.load(workspace.receipt(STEP))
    if receipt is None or [file.uri for file in receipt.reads] != [job.url]:
        return None
    return receipt if receipt.outputs_hold() else None


def _known_version(receipt: Receipt | None) -> Validators | None:
    return Validators(receipt.reads[0].etag, receipt.reads[0].last_modified) if receipt else None


def _fetch_whole(fetcher: Fetcher, job: _Job, part: PartFile, known: Validators | None) -> Validators:
    job.path.parent.mkdir(parents=True, exist_ok=True)
    try:
        return fetcher.fetch(job.url, part, known, lambda path: inspect(path, job.format))
    except DownloadRefused as refusal:
        part.discard()
        raise DownloadRefused(f"{job}, {job.url}: {refusal}") from None


def _explanation(reason: Exception, job: _Job) -> Exception:
    if not isinstance(reason, NotThere):
        return reason
    why = f"{job.dataset.publisher} answers {reason} for {job.url}"
    if reason.status == HTTPStatus.FORBIDDEN:
        why += ", which it says of a file that is not there, and also to a client that asks too often"
    return NotPublished(f"{job}: not published: {why}.")


def _same_bytes(one: Artifact, other: Artifact) -> bool:
    return (one.bytes, one.crc32c) == (other.bytes, other.crc32c)


def _receipt(job: _Job, version: Validators, seconds: float) -> Receipt:
    file = Artifact.of(job.path)
    published = {"uri": job.url, "etag": version.etag, "last_modified": version.last_modified}
    return Receipt(
        step=STEP,
        dataset=job.dataset.name,
        partition=str(job.partition),
        reads=(file.model_copy(update=published),),
        writes=(file,),
        seconds=seconds,
        finished_at=dt.datetime.now(dt.UTC),
    )


def _report(receipt: Receipt) -> None:
    size = receipt.writes[0].bytes
    log.info(
        "%s %s: downloaded %s bytes in %.2f s, %.1f MB/s, from %s",
        receipt.dataset,
        receipt.partition,
        f"{size:,}",
        receipt.seconds,
        size / 1e6 / receipt.seconds,
        receipt.reads[0].uri,
    )
