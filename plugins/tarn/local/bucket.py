"""``python -m tarn.local.bucket``: make the lake's bucket, for what writes to it before the first upload."""

import asyncio
import sys

from tarn import gcs
from tarn.errors import TarnError, UploadFailed
from tarn.settings import Settings, current_settings


def ensure_bucket(settings: Settings) -> None:
    """Make the bucket; one that is there will do. Raises UploadFailed where the server refuses or does not answer."""
    try:
        asyncio.run(_ensure(settings))
    except gcs.STORAGE_ERRORS as error:
        raise UploadFailed(f"The bucket {settings.bucket} cannot be made: {gcs.explain(error, settings)}") from error


async def _ensure(settings: Settings) -> None:
    async with gcs.open_bucket(settings) as bucket:
        await bucket.create(settings.project, settings.location, settings.resource_labels)


def main() -> int:
    """Make the bucket of this process's settings; the exit code."""
    try:
        ensure_bucket(current_settings())
    except TarnError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command of its own
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
