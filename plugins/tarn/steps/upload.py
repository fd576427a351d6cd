"""upload: puts a partition's Parquet files into the lake's bucket, in the place of what lies there."""

import asyncio
import datetime as dt
import time
from pathlib import Path

from tarn import gcs
from tarn.dataset import Dataset
from tarn.errors import InputMissing, UploadFailed
from tarn.gcs import Bucket, RemoteObject
from tarn.layout import partition_folder
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Artifact, Receipt
from tarn.settings import Settings
from tarn.staging import Workspace

STEP = "upload"
PARQUETIZE = "parquetize"


def upload(
    dataset: Dataset, partition: Partition, settings: Settings, *, force: bool = False, progress: Progress = silent
) -> Receipt:
    """Make the bucket hold exactly the partition's files, by their names and crc32c; what is there already stays.

    New objects are all there before stale ones go. Raises InputMissing where parquetize has not run or its files have
    changed since; UploadFailed where the bucket refuses, where someone else replaces the same objects meanwhile, or
    where what arrived is not what was sent.
    """
    begun = time.monotonic()
    workspace = Workspace.of(dataset, partition, settings)
    source = _parquetized(workspace, dataset, partition)
    files = {partition_folder(dataset, partition) + Path(file.uri).name: file for file in _parquet_files(source)}
    try:
        changed = asyncio.run(_Replacement(settings, files, force, progress).run(partition_folder(dataset, partition)))
    except gcs.STORAGE_ERRORS as error:
        raise UploadFailed(f"{dataset.name} {partition}: {gcs.explain(error, settings)}") from error
    receipt = Receipt(
        step=STEP,
        dataset=dataset.name,
        partition=str(partition),
        reads=tuple(files.values()),
        writes=tuple(
            Artifact(uri=f"gs://{settings.bucket}/{name}", bytes=file.bytes, crc32c=file.crc32c)
            for name, file in files.items()
        ),
        rows_written=source.rows_written,
        columns=source.columns,
        seconds=time.monotonic() - begun,
        finished_at=dt.datetime.now(dt.UTC),
    )
    return _keep(receipt, workspace.receipt(STEP), changed)


def _parquetized(workspace: Workspace, dataset: Dataset, partition: Partition) -> Receipt:
    receipt = Receipt.load(workspace.receipt(PARQUETIZE))
    remedy = f"run scripts/parquetize.py {dataset.name} {partition} first"
    if receipt is None:
        raise InputMissing(f"{dataset.name} {partition} has not been parquetized: {remedy}.")
    for file in _parquet_files(receipt):
        if not file.holds():
            raise InputMissing(f"{file.uri} is gone, or no longer what parquetize wrote: {remedy}.")
    return receipt


def _parquet_files(receipt: Receipt) -> list[Artifact]:
    return [file for file in receipt.writes if file.uri.endswith(".parquet")]


def _keep(receipt: Receipt, path: Path, changed: bool) -> Receipt:
    previous = Receipt.load(path)
    if not changed and previous and (previous.reads, previous.writes) == (receipt.reads, receipt.writes):
        return previous.model_copy(update={"reused": True})
    receipt.save(path)
    return receipt.model_copy(update={"reused": not changed})


class _Replacement:
    """Brings one folder of the bucket to hold exactly the given files, by object name."""

    def __init__(self, settings: Settings, files: dict[str, Artifact], force: bool, progress: Progress) -> None:
        self._settings = settings
        self._files = files
        self._force = force
        self._progress = progress
        self._total = sum(file.bytes for file in files.values())

    async def run(self, folder: str) -> bool:
        """Tells whether anything had to change."""
        async with gcs.open_bucket(self._settings) as bucket:
            try:
                return await self._replace(bucket, await self._present(bucket, folder))
            except gcs.LostRace as name:
                raise UploadFailed(
                    f"gs://{self._settings.bucket}/{name} was replaced by someone else during this upload, which has"
                    " left it alone: see that no other run writes this partition, then run the upload again."
                ) from None

    async def _present(self, bucket: Bucket, folder: str) -> dict[str, RemoteObject]:
        try:
            return await bucket.find(folder)
        except gcs.BucketMissing:
            await bucket.create(self._settings.project, self._settings.location, self._settings.resource_labels)
            return {}

    async def _replace(self, bucket: Bucket, present: dict[str, RemoteObject]) -> bool:
        done, changed = 0, False
        for name, file in self._files.items():
            if self._force or not _is_same(present.get(name), file):
                arrived = await self._send(bucket, name, present.get(name), done)
                await self._verify(bucket, arrived, file)
                changed = True
            done += file.bytes
            self._progress(done, self._total, "bytes")
        stale = [present[name] for name in sorted(present.keys() - self._files.keys())]
        for found in stale:
            await bucket.remove(found)
        return changed or bool(stale)

    async def _send(self, bucket: Bucket, name: str, replaced: RemoteObject | None, done: int) -> RemoteObject:
        def report(sent: int) -> None:
            self._progress(done + sent, self._total, "bytes")

        file = self._files[name]
        generation = replaced.generation if replaced else gcs.NO_OBJECT
        try:
            return await bucket.put(name, file, generation, report)
        except gcs.LostRace:
            # The answer to an earlier attempt of ours may have been lost: then the object is the very file.
            winner = await bucket.describe(name)
            if _is_same(winner, file):
                return winner
            raise

    async def _verify(self, bucket: Bucket, arrived: RemoteObject, file: Artifact) -> None:
        crc32c = arrived.crc32c or await bucket.read_crc32c(arrived)
        if crc32c != file.crc32c:
            await bucket.remove(arrived)
            raise UploadFailed(
                f"gs://{self._settings.bucket}/{arrived.name} arrived with crc32c {crc32c}, but {file.uri} has"
                f" {file.crc32c}: the object has been removed; run the upload again."
            )


def _is_same(found: RemoteObject | None, file: Artifact) -> bool:
    return found is not None and (found.bytes, found.crc32c) == (file.bytes, file.crc32c)
