"""How far a download from an API has come, kept on disk: a killed one goes on after its last whole page."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from tarn import durable
from tarn.receipt import Artifact

NOTE = "progress.json"


class Page(BaseModel):
    """One answer that lies on disk: the request, the file and what was found in it."""

    model_config = ConfigDict(frozen=True)

    request: Artifact
    file: Artifact
    records: int
    mark: str | None = None


class ProgressNote(BaseModel):
    """The pages so far, and what they are of: pages of another request are of no use."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    pages: tuple[Page, ...] = ()

    @classmethod
    def load(cls, folder: Path, fingerprint: str) -> "ProgressNote":
        """The note in a folder, as far as its pages still hold; an empty one where there is none of this request."""
        fresh = cls(fingerprint=fingerprint)
        try:
            note = cls.model_validate_json((folder / NOTE).read_text(encoding="utf-8"))
        except (FileNotFoundError, ValidationError):
            return fresh
        held = all(page.file.holds() for page in note.pages)
        return note if held and note.fingerprint == fingerprint else fresh

    def save(self, folder: Path) -> None:
        """Write it durably."""
        durable.write_text(folder / NOTE, self.model_dump_json() + "\n")
