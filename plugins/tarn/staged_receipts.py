"""The receipts of the staging area for whoever only reads them, wherever the area lies."""

import asyncio
import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from tarn import gcs
from tarn.errors import StagingFailed
from tarn.gcs import Bucket, RemoteObject
from tarn.settings import Settings
from tarn.staging import RECEIPTS


@contextlib.contextmanager
def receipts_at_hand(settings: Settings, dataset: str = "") -> Iterator[Settings]:
    """The settings by which receipts are read from a folder: where they lie in a bucket, from copies, for as long.

    Only those of one dataset are copied where it is named. Raises StagingFailed where the bucket cannot be read; one
    that is not there has no receipts.
    """
    if settings.staging_bucket is None:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="tarn-receipts-") as folder:
        try:
            asyncio.run(_copy(settings, dataset, Path(folder)))
        except gcs.STORAGE_ERRORS as error:
            raise StagingFailed(f"{settings.staging}: {gcs.explain(error, _of_staging(settings))}") from error
        yield settings.model_copy(update={"staging": folder})


def _of_staging(settings: Settings) -> Settings:
    bucket, _ = settings.staging_bucket or ("", "")
    return settings.model_copy(update={"bucket": bucket})


async def _copy(settings: Settings, dataset: str, folder: Path) -> None:
    _, prefix = settings.staging_bucket or ("", "")
    base = f"{prefix}/" if prefix else ""
    below = f"{base}{dataset}/" if dataset else base
    async with gcs.open_bucket(_of_staging(settings)) as bucket:
        with contextlib.suppress(gcs.BucketMissing):
            found = await bucket.find(below)
            receipts = [one for name, one in found.items() if PurePosixPath(name).parent.name == RECEIPTS]
            await gcs.in_turns(_fetch(bucket, one, folder / one.name.removeprefix(base)) for one in receipts)


async def _fetch(bucket: Bucket, found: RemoteObject, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    await bucket.fetch(found, path)
