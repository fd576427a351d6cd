"""The staging area in a bucket: the steps of a partition may run on machines that share no folder.

A step knows only folders. So before it runs, the receipts of its partition and the files that it may read are fetched
into a scratch folder; after it, the files that its receipt lists are put into the bucket, and then the receipt. What
is not whole, such as half a download, stays in the scratch folder for the next try on the same machine.
"""

import asyncio
import contextlib
import fcntl
import logging
import os
import shutil
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from tarn import durable, gcs
from tarn.dataset import Dataset
from tarn.errors import StagingFailed, TarnError
from tarn.gcs import Bucket, RemoteObject
from tarn.partition import Partition
from tarn.receipt import Artifact, Receipt
from tarn.settings import Settings
from tarn.source import ApiSource
from tarn.staging import RECEIPTS, Workspace

DOWNLOAD = "download"
QUARANTINE = "quarantine"

T = TypeVar("T")

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Work:
    """A step of a partition. ``after`` is the step whose files it reads; ``force``: what it wrote before is no use."""

    step: str
    after: str | None
    dataset: Dataset
    partition: Partition
    force: bool


def run_in_store(work: Work, settings: Settings, function: Callable[[Settings], Receipt]) -> Receipt:
    """Run a step on the files of the bucket; its receipt then names them by their gs:// URIs.

    Raises what the step raises, its message told of the bucket's files; StagingFailed where the bucket refuses a file,
    or where what arrived is not what was sent.
    """
    with _scratch(work, settings) as folder:
        here = settings.model_copy(update={"staging": str(folder)})
        store = _Store(work, settings, Workspace.of(work.dataset, work.partition, here), folder)
        _wait(store.fetch(), store)
        try:
            receipt = function(here)
        except TarnError as error:
            _wait(store.keep_quarantine(), store)
            error.args = (store.told_of_bucket(str(error)),)
            raise
        _wait(store.keep(), store)
        return store.in_bucket(receipt)


@contextlib.contextmanager
def _scratch(work: Work, settings: Settings) -> Iterator[Path]:
    """A folder for this step alone; a failed try leaves it to the next one on this machine."""
    folder = settings.home.resolve() / "scratch" / f"{work.dataset.name} {work.partition} {work.step}"
    lock = _locked(folder)
    try:
        yield folder
        shutil.rmtree(folder)
    finally:
        os.close(lock)


def _locked(folder: Path) -> int:
    while True:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            # The one that held it before may have removed the folder meanwhile, or made it anew.
            if folder.stat().st_ino == os.fstat(lock).st_ino:
                return lock
        os.close(lock)


def _wait(call: Coroutine[Any, Any, T], store: "_Store") -> T:
    try:
        return asyncio.run(call)
    except gcs.STORAGE_ERRORS as error:
        raise StagingFailed(f"{store}: {gcs.explain(error, store.settings)}") from error
    except gcs.LostRace as name:
        raise StagingFailed(
            f"{store}: {name} was replaced by someone else meanwhile: see that no other run works on this partition,"
            " then try again."
        ) from None


class _Store:
    """One partition's part of the bucket, and the folder on this machine that mirrors it."""

    def __init__(self, work: Work, settings: Settings, workspace: Workspace, root: Path) -> None:
        bucket, prefix = settings.staging_bucket or ("", "")
        # The whole staging area, here and there: receipts of other partitions may be read too.
        self._root = root
        self._base = f"{prefix}/" if prefix else ""
        self._uri = f"gs://{bucket}/{self._base}"
        self._work = work
        self._workspace = workspace
        self._folder = self._name(workspace.folder) + "/"
        self._present: dict[str, RemoteObject] = {}
        self._was: Receipt | None = None
        self.settings = settings.model_copy(update={"bucket": bucket})

    def __str__(self) -> str:
        return f"{self._work.dataset.name} {self._work.partition} {self._work.step}, {self._uri}"

    def told_of_bucket(self, text: str) -> str:
        """A message with the bucket's addresses in the place of this machine's."""
        return text.replace(f"{self._root}/", self._uri)

    def in_bucket(self, receipt: Receipt) -> Receipt:
        """A receipt as other machines can use it."""
        return _moved(receipt, f"{self._root}/", self._uri)

    async def fetch(self) -> None:
        """Fetch the receipts, and the files that the step may read or find unchanged."""
        shutil.rmtree(self._workspace.folder / RECEIPTS, ignore_errors=True)
        async with gcs.open_bucket(self.settings) as bucket:
            try:
                self._present = await bucket.find(self._folder)
            except gcs.BucketMissing:
                return
            receipts = [name for name in self._present if PurePosixPath(name).parent.name == RECEIPTS]
            await gcs.in_turns(self._fetch_receipt(bucket, self._present[name]) for name in receipts)
            self._was = Receipt.load(self._workspace.receipt(self._work.step))
            await gcs.in_turns(self._fetch_file(bucket, file) for file in self._needed())
            if self._work.step == DOWNLOAD:
                await self._fetch_marks(bucket)

    async def keep(self) -> None:
        """Put what the step's receipt lists, then the receipt; remove what it no longer writes."""
        path = self._workspace.receipt(self._work.step)
        receipt = Receipt.load(path)
        if receipt is None or receipt == self._was:
            return
        files = [file for file in receipt.writes if self._is_here(file)]
        with durable.replacing(path) as shared:
            shared.write_text(self.in_bucket(receipt).model_dump_json(indent=2, exclude_none=True), encoding="utf-8")
        async with gcs.open_bucket(self.settings) as bucket:
            await self._put_all(bucket, files)
            await self._put(bucket, Artifact.of(path))
            kept = {self._name(Path(file.uri)) for file in files}
            await gcs.in_turns(bucket.remove(self._present[name]) for name in self._written_before() - kept)

    async def keep_quarantine(self) -> None:
        """Put what a step that failed has set aside, for people to read."""
        path = self._workspace.quarantine
        if path.exists():
            async with gcs.open_bucket(self.settings) as bucket:
                await self._put_all(bucket, [Artifact.of(path)])

    def _needed(self) -> list[Artifact]:
        before = Receipt.load(self._workspace.receipt(self._work.after)) if self._work.after else None
        mine = None if self._work.force else self._was
        files = [file for receipt in (before, mine) if receipt for file in receipt.writes]
        return [file for file in files if self._is_here(file)]

    def _written_before(self) -> set[str]:
        """The objects that a run of this step may have left."""
        listed = {self._name(Path(file.uri)) for file in (self._was.writes if self._was else ()) if self._is_here(file)}
        set_aside = self._name(self._workspace.quarantine)
        return (listed | ({set_aside} if self._work.after == DOWNLOAD else set())) & self._present.keys()

    def _is_here(self, file: Artifact) -> bool:
        return file.uri.startswith(f"{self._root}/")

    def _name(self, path: Path) -> str:
        return self._base + path.relative_to(self._root).as_posix()

    async def _fetch_receipt(self, bucket: Bucket, found: RemoteObject) -> None:
        path = self._root / found.name.removeprefix(self._base)
        path.parent.mkdir(parents=True, exist_ok=True)
        await bucket.fetch(found, path)
        receipt = Receipt.load(path)
        if receipt:
            _moved(receipt, self._uri, f"{self._root}/").save(path)

    async def _fetch_file(self, bucket: Bucket, file: Artifact) -> None:
        path = Path(file.uri)
        found, temporary = self._present.get(self._name(path)), durable.temporary_name(path)
        if found is None or file.holds():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        if await bucket.fetch(found, temporary) == file.crc32c:
            durable.commit(temporary, path)
        else:
            # Left out: the step tells what is missing, and what to do.
            temporary.unlink()
            log.warning("%s is not what its receipt says", self.told_of_bucket(file.uri))

    async def _fetch_marks(self, bucket: Bucket) -> None:
        """The latest receipt with a mark of each source: there a download's window begins."""
        waiting = _sources_with_mark(self._work.dataset)
        found = await bucket.find(self._name(self._workspace.folder.parent) + "/") if waiting else {}
        ending = f"/{RECEIPTS}/{DOWNLOAD}.json"
        earlier = [name for name in found if name.endswith(ending) and name < self._folder]
        for name in sorted(earlier, reverse=True):
            await self._fetch_receipt(bucket, found[name])
            receipt = Receipt.load(self._root / name.removeprefix(self._base))
            if receipt and receipt.mark:
                waiting.discard(receipt.source)
            if not waiting:
                return

    async def _put_all(self, bucket: Bucket, files: list[Artifact]) -> None:
        if not self._present:
            await self._ensure(bucket)
        await gcs.in_turns(self._put(bucket, file) for file in files)

    async def _put(self, bucket: Bucket, file: Artifact) -> None:
        name = self._name(Path(file.uri))
        replaced = self._present.get(name)
        if replaced and (replaced.bytes, replaced.crc32c) == (file.bytes, file.crc32c):
            return
        arrived = await self._send(bucket, name, file, replaced.generation if replaced else gcs.NO_OBJECT)
        crc32c = arrived.crc32c or await bucket.read_crc32c(arrived)
        if crc32c != file.crc32c:
            await bucket.remove(arrived)
            raise StagingFailed(f"{self}: {name} arrived with crc32c {crc32c}, but {file.crc32c} was sent: try again.")

    async def _send(self, bucket: Bucket, name: str, file: Artifact, generation: int) -> RemoteObject:
        try:
            return await bucket.put(name, file, generation, lambda _sent: None)
        except gcs.LostRace:
            # The answer to an earlier attempt of ours may have been lost: then the object is the very file.
            winner = await bucket.describe(name)
            if (winner.bytes, winner.crc32c) == (file.bytes, file.crc32c):
                return winner
            raise

    async def _ensure(self, bucket: Bucket) -> None:
        try:
            await bucket.find(self._folder)
        except gcs.BucketMissing:
            await bucket.create(self.settings.project, self.settings.location)


def _moved(receipt: Receipt, start: str, other: str) -> Receipt:
    def moved(files: tuple[Artifact, ...]) -> tuple[Artifact, ...]:
        return tuple(
            file.model_copy(update={"uri": other + file.uri.removeprefix(start)})
            if file.uri.startswith(start)
            else file
            for file in files
        )

    return receipt.model_copy(update={"reads": moved(receipt.reads), "writes": moved(receipt.writes)})


def _sources_with_mark(dataset: Dataset) -> set[str]:
    return {source.name for source in dataset.sources if isinstance(source, ApiSource) and source.mark}
