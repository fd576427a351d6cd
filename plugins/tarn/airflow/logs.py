"""What a task's log tells of a step: its progress now and then, and at the end rows, bytes, seconds and rates."""

import logging
import time

from tarn.receipt import Artifact, Receipt

INTERVAL_SECONDS = 10.0

log = logging.getLogger(__name__)


class LoggedProgress:
    """Tells a step's progress in the task's log, at most every ten seconds."""

    def __init__(self) -> None:
        self._begun = self._told = time.monotonic()

    def __call__(self, done: int, total: int | None, unit: str, /) -> None:
        """``done`` of ``total`` units are through; ``total`` is None where nobody knows it."""
        now = time.monotonic()
        if now - self._told < INTERVAL_SECONDS:
            return
        self._told = now
        share = f" of {_amount(total, unit)} ({done / total:.0%})" if total else ""
        log.info("%s%s, %s/s", _amount(done, unit), share, _amount(done / (now - self._begun), unit))


def describe(receipt: Receipt) -> str:
    """A receipt in one line, for a log."""
    title = f"{receipt.step} {receipt.dataset} {receipt.partition}"
    if receipt.reused:
        return f"{title}: nothing to do, what was done at {receipt.finished_at:%Y-%m-%d %H:%M:%S} UTC still holds"
    facts = [_rows(receipt), _bytes("read", receipt.reads, receipt), _bytes("written", receipt.writes, receipt)]
    return f"{title}: {'; '.join(fact for fact in facts if fact) or 'done'}; {receipt.seconds:.2f} s"


def _rows(receipt: Receipt) -> str:
    if receipt.rows_written is None:
        return ""
    rate = _amount(receipt.rows_written / max(receipt.seconds, 0.001), "rows")
    if receipt.rows_read is None:
        return f"{receipt.rows_written:,} rows ({rate}/s)"
    quarantined = f"{receipt.rows_quarantined or 0:,} quarantined"
    return f"{receipt.rows_read:,} rows read, {receipt.rows_written:,} written, {quarantined} ({rate}/s)"


def _bytes(verb: str, artifacts: tuple[Artifact, ...], receipt: Receipt) -> str:
    count = sum(artifact.bytes for artifact in artifacts)
    rate = _amount(count / max(receipt.seconds, 0.001), "bytes")
    return f"{_amount(count, 'bytes')} {verb} ({rate}/s)" if count else ""


def _amount(count: float, unit: str) -> str:
    return f"{count / 1e6:,.2f} MB" if unit == "bytes" else f"{count:,.0f} {unit}"
