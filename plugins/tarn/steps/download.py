"""download: brings what the publisher has of a partition into the staging area, as it comes."""

import logging
from typing import Any

from tarn.api.download import download_api
from tarn.dataset import Dataset
from tarn.downloads.file import download_file
from tarn.downloads.job import STEP, Clock, Download, Job, Manner
from tarn.downloads.secrets import SecretOf, key_from_environment
from tarn.errors import NotPublished
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Receipt
from tarn.retry import RetryPolicy
from tarn.settings import Settings
from tarn.source import ApiSource
from tarn.staging import Workspace

DEFAULT_POLICY = RetryPolicy()
SYSTEM_CLOCK = Clock()

log = logging.getLogger(__name__)


def download(
    dataset: Dataset,
    partition: Partition,
    settings: Settings,
    *,
    policy: RetryPolicy = DEFAULT_POLICY,
    clock: Clock = SYSTEM_CLOCK,
    secret_of: SecretOf = key_from_environment,
    force: bool = False,
    progress: Progress = silent,
) -> Receipt:
    """Fetch a partition from the first source that has it, or find that what is here is still the publisher's.

    An interrupted download goes on where it ended. Where the publisher cannot be reached, or has withdrawn the data,
    what was downloaded before and still holds is used, with a warning. ``secret_of`` gives a publisher's key, where a
    source asks for one. Raises NotPublished where no source has the partition; PublisherUnavailable; DownloadRefused
    where what comes is not what it should be.
    """
    manner = Manner(policy, progress, clock, secret_of)
    workspace = Workspace.of(dataset, partition, settings)
    previous = None if force else _valid_receipt(workspace)
    nothing: list[str] = []
    for source in dataset.candidates(partition, settings.sources):
        known = previous if previous and previous.source == source.name else None
        try:
            found = _download(Job(dataset, partition, source, settings, manner), known)
        except NotPublished as reason:
            nothing.append(str(reason))
            continue
        found.receipt.save(workspace.receipt(STEP))
        workspace.keep_raw(file.uri for file in found.receipt.writes)
        _report(found)
        return found.receipt.model_copy(update={"reused": found.reused})
    raise NotPublished("\n".join(nothing))


def _download(job: Job[Any], previous: Receipt | None) -> Download:
    if isinstance(job.source, ApiSource):
        return download_api(job, previous)
    return download_file(job, previous)


def _valid_receipt(workspace: Workspace) -> Receipt | None:
    receipt = Receipt.load(workspace.receipt(STEP))
    return receipt if receipt and receipt.outputs_hold() else None


def _report(found: Download) -> None:
    receipt = found.receipt
    size = sum(file.bytes for file in receipt.writes)
    log.info(
        "%s %s: downloaded %s bytes in %.2f s, %.1f MB/s, from %s",
        receipt.dataset,
        receipt.partition,
        f"{size:,}",
        receipt.seconds,
        size / 1e6 / receipt.seconds,
        receipt.reads[0].uri,
    )
