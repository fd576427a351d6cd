import datetime as dt
from pathlib import Path

import google_crc32c
import pytest

from tarn.checksum import encode_crc32c, file_crc32c
from tarn.receipt import Artifact, Receipt


def receipt(*writes: Artifact) -> Receipt:
    return Receipt(
        step="download",
        dataset="d",
        partition="2024-01",
        writes=writes,
        seconds=1.5,
        finished_at=dt.datetime.now(dt.UTC),
    )


def test_a_receipt_is_read_as_it_was_written(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    made = receipt(Artifact.of(tmp_path / "f"))
    made.model_copy(update={"reused": True}).save(tmp_path / "receipts" / "r.json")
    assert Receipt.load(tmp_path / "receipts" / "r.json") == made


@pytest.mark.parametrize("content", ["", "{", "{}", '{"step": 1}'])
def test_a_receipt_that_cannot_be_read_is_none(content: str, tmp_path: Path) -> None:
    assert Receipt.load(tmp_path / "none.json") is None
    (tmp_path / "r.json").write_text(content)
    assert Receipt.load(tmp_path / "r.json") is None


def test_an_artifact_holds_while_its_bytes_are_the_same(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"content")
    made = receipt(Artifact.of(file))
    assert made.outputs_hold()
    file.write_bytes(b"CONTENT")
    assert not made.outputs_hold()
    file.unlink()
    assert not made.outputs_hold()
    file.mkdir()
    assert not made.outputs_hold()


def test_checksums_are_in_the_form_of_cloud_storage(tmp_path: Path) -> None:
    content = b"123456789"
    (tmp_path / "f").write_bytes(content)
    assert file_crc32c(tmp_path / "f") == encode_crc32c(google_crc32c.value(content)) == "4waSgw=="
