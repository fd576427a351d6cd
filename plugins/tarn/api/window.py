"""The window of changes that a partition asks for, where a source goes by a high-water mark."""

from collections.abc import Iterable

from tarn.api.answers import as_text, at_path
from tarn.api.records import Record
from tarn.downloads.job import STEP, Job
from tarn.receipt import Receipt
from tarn.source import ApiSource
from tarn.staging import Workspace


def window_start(job: Job[ApiSource]) -> str | None:
    """Where the partition's window begins: as its receipt says, else at the newest mark before it, else at the first.

    Read are download's receipts of the dataset's other partitions. None where the source has no mark.
    """
    if job.source.mark is None:
        return None
    own = Receipt.load(job.workspace.receipt(STEP))
    if own and own.since and own.source == job.source.name:
        return own.since
    for earlier in Workspace.before(job.dataset, job.partition, job.settings):
        receipt = Receipt.load(earlier.receipt(STEP))
        if receipt and receipt.mark and receipt.source == job.source.name:
            return receipt.mark
    return (job.source.mark.first or job.partition.start).isoformat()


def newest(mark: str | None, field: str, records: Iterable[Record]) -> str | None:
    """The larger of a mark and the records' own."""
    texts = (as_text(at_path(record, field)) for record in records)
    return max(filter(None, (mark, *texts)), default=None)
