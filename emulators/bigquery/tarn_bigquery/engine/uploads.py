"""Files that clients have sent, behind the same face as a bucket, so that loads read both alike."""

import shutil
import uuid
from pathlib import Path

from tarn_bigquery.storage.gcs import Listing, ObjectStore, ObjectVersion

_BUCKET = "upload"


class UploadStore(ObjectStore):
    """The uploads' folder as an object store of one bucket."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder.as_uri())
        self._folder = folder

    def new_file(self) -> Path:
        """Where the next upload may be written."""
        return self._folder / uuid.uuid4().hex

    def uri(self, file: Path) -> str:
        return f"gs://{_BUCKET}/{file.name}"

    def list_objects(self, bucket: str, prefix: str = "", delimiter: str | None = None) -> Listing:
        files = sorted(path for path in self._folder.iterdir() if path.name.startswith(prefix))
        versions = [ObjectVersion(_BUCKET, path.name, "1", "", path.stat().st_size) for path in files]
        return Listing(versions, [])

    def download(self, version: ObjectVersion, target: Path) -> None:
        shutil.copyfile(self._folder / version.name, target)
