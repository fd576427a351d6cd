"""parquetize as a step: its outputs, its receipt, and what it does the second time."""

import gzip
import json
import logging
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tarn.dataset import Dataset
from tarn.errors import FileRefused, InputMissing, TooManyBadRows
from tarn.partition import Partition
from tarn.receipt import Artifact, Receipt
from tarn.settings import Settings
from tarn.staging import Workspace
from tarn.steps.parquetize import parquetize

MONTH = Partition.parse("2024-01")

Downloaded = Callable[[Dataset, bytes], Workspace]


@pytest.fixture
def downloaded(settings: Settings) -> Downloaded:
    """Leaves a raw file and its receipt as download does."""

    def leave(dataset: Dataset, content: bytes) -> Workspace:
        workspace = Workspace.of(dataset, MONTH, settings)
        raw = workspace.raw("trips")
        raw.parent.mkdir(parents=True, exist_ok=True)
        raw.write_bytes(content)
        Receipt(
            step="download",
            source=dataset.sources[0].name,
            dataset=dataset.name,
            partition=str(MONTH),
            writes=(Artifact.of(raw),),
            seconds=0.1,
            finished_at="2024-02-01T00:00:00Z",
        ).save(workspace.receipt("download"))
        return workspace

    return leave


def with_format(dataset: Dataset, format_: str, **more: object) -> Dataset:
    source = {"format": format_, "url": "http://example.org/f", "mirror": "f"}
    return Dataset.model_validate(dataset.model_dump() | {"sources": [source], **more})


def test_rows_are_written_in_the_declared_schema(trips: Dataset, settings: Settings, downloaded: Downloaded) -> None:
    workspace = downloaded(trips, b"Fare,ID,colour\n2.5,1,red\n,2,blue\n")
    receipt = parquetize(trips, MONTH, settings)
    table = pq.read_table(workspace.parquet, partitioning=None)
    assert table.schema.equals(pa.schema([("id", pa.int64()), ("fare", pa.float64())]))
    assert table.to_pylist() == [{"id": 1, "fare": 2.5}, {"id": 2, "fare": None}]
    assert (receipt.rows_read, receipt.rows_written, receipt.rows_quarantined) == (2, 2, 0)
    assert receipt.ignored_columns == ("colour",)
    assert receipt.columns == {"id": "INT64", "fare": "FLOAT64"}
    assert receipt.writes == (Artifact.of(workspace.parquet),)
    assert not workspace.quarantine.exists()


def test_bad_rows_are_set_aside(trips: Dataset, settings: Settings, downloaded: Downloaded) -> None:
    lenient = with_format(trips, "csv", quarantine_limit=0.5)
    workspace = downloaded(lenient, b"id,fare\n1,2.5\n2,Two Hundred\n")
    receipt = parquetize(lenient, MONTH, settings)
    assert (receipt.rows_read, receipt.rows_written, receipt.rows_quarantined) == (2, 1, 1)
    assert receipt.writes == (Artifact.of(workspace.parquet), Artifact.of(workspace.quarantine))
    assert json.loads(workspace.quarantine.read_text()) == {
        "line": 3,
        "column": "fare",
        "value": "Two Hundred",
        "reason": "'Two Hundred' is not FLOAT64",
        "raw": "2,Two Hundred",
        "rule": "fare: not FLOAT64",
    }
    downloaded(lenient, b"id,fare\n1,2.5\n")
    parquetize(lenient, MONTH, settings)
    assert not workspace.quarantine.exists()


def test_too_many_bad_rows_fail_and_stay_for_reading(
    trips: Dataset, settings: Settings, downloaded: Downloaded
) -> None:
    workspace = downloaded(trips, b"id,fare\n1,a\n2,b\nx,1\n4,d\n5,1\n")
    with pytest.raises(TooManyBadRows) as failure:
        parquetize(trips, MONTH, settings)
    message = str(failure.value)
    assert "4 of 5 rows are bad" in message
    assert "line 2: fare 'a' is not FLOAT64; line 3: fare 'b' is not FLOAT64; line 4: id 'x' is not INT64." in message
    assert str(workspace.quarantine) in message
    assert len(workspace.quarantine.read_text().splitlines()) == 4
    assert not workspace.parquet.exists()
    assert list(workspace.parquet.parent.iterdir()) == []


def test_nothing_is_done_while_input_schema_and_output_hold(
    trips: Dataset, settings: Settings, downloaded: Downloaded
) -> None:
    workspace = downloaded(trips, b"id,fare\n1,2.5\n")
    first = parquetize(trips, MONTH, settings)
    again = parquetize(trips, MONTH, settings)
    assert (again.reused, again.finished_at) == (True, first.finished_at)
    assert not parquetize(trips, MONTH, settings, force=True).reused
    workspace.parquet.unlink()
    assert not parquetize(trips, MONTH, settings).reused
    renamed = with_format(trips, "csv", columns=[trips.columns[0].model_dump()])
    assert not parquetize(renamed, MONTH, settings).reused
    downloaded(trips, b"id,fare\n1,3.5\n")
    assert not parquetize(renamed, MONTH, settings).reused


def test_running_again_gives_the_same_bytes(trips: Dataset, settings: Settings, downloaded: Downloaded) -> None:
    packed = with_format(trips, "csv.gz")
    body = b"id,fare\n" + b"".join(b"%d,%d.25\n" % (number, number % 7) for number in range(200_000))
    workspace = downloaded(packed, gzip.compress(body[:1000]) + gzip.compress(body[1000:]))
    first = parquetize(packed, MONTH, settings)
    content = workspace.parquet.read_bytes()
    parquetize(packed, MONTH, settings, force=True)
    assert workspace.parquet.read_bytes() == content
    assert first.rows_written == 200_000


def test_parquet_is_read_as_csv_is(trips: Dataset, settings: Settings, downloaded: Downloaded, tmp_path: Path) -> None:
    source = with_format(trips, "parquet", quarantine_limit=0.5)
    pq.write_table(pa.table({"ID": [1.0, 2.5, None], "Fare": ["1.5", "2", ""]}), tmp_path / "f")
    heard: list[tuple[int, int | None, str]] = []
    workspace = downloaded(source, (tmp_path / "f").read_bytes())
    parquetize(source, MONTH, settings, progress=lambda *call: heard.append(call))
    table = pq.read_table(workspace.parquet, partitioning=None)
    assert table.to_pylist() == [{"id": 1, "fare": 1.5}, {"id": None, "fare": None}]
    bad = json.loads(workspace.quarantine.read_text())
    assert (bad["line"], bad["column"], json.loads(bad["raw"])) == (2, "id", {"ID": 2.5, "Fare": "2"})
    assert heard == [(3, 3, "rows")]


@pytest.mark.parametrize(
    ("format_", "content"),
    [
        ("csv.gz", gzip.compress(b"id,fare\n" + b"1,2\n" * 9999, mtime=0)[:-5]),
        ("csv.gz", b"id,fare\n1,2\n"),
        ("parquet", b"PAR1 and no more"),
    ],
)
def test_a_damaged_file_is_refused(
    format_: str, content: bytes, trips: Dataset, settings: Settings, downloaded: Downloaded
) -> None:
    source = with_format(trips, format_)
    workspace = downloaded(source, content)
    with pytest.raises(FileRefused, match=r"trips 2024-01, .*The file is damaged"):
        parquetize(source, MONTH, settings)
    assert not workspace.parquet.exists()
    assert not workspace.receipt("parquetize").exists()


def test_the_step_before_must_have_run(trips: Dataset, settings: Settings, downloaded: Downloaded) -> None:
    with pytest.raises(InputMissing, match="has not been downloaded"):
        parquetize(trips, MONTH, settings)
    downloaded(trips, b"id\n1\n").raw("trips").write_bytes(b"id\n2\n")
    with pytest.raises(InputMissing, match="no longer what was downloaded"):
        parquetize(trips, MONTH, settings)


def test_the_log_tells_rows_bytes_and_rates(
    trips: Dataset, settings: Settings, downloaded: Downloaded, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    downloaded(trips, b"id,fare,colour\n1,2.5,red\n")
    parquetize(trips, MONTH, settings)
    assert "ignores: colour" in caplog.text
    assert "parquetized 1 rows (0 repaired, 0 quarantined), 25 bytes to" in caplog.text
    assert "rows/s" in caplog.text
