"""The four steps on machines that share no folder: each has a home of its own, and between them there is a bucket."""

import csv
import gzip
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from google.auth.credentials import AnonymousCredentials
from google.cloud import storage

from tarn.dataset import Dataset
from tarn.errors import InputMissing, StagingFailed, TooManyBadRows
from tarn.inventory import inventory_of
from tarn.partition import Partition
from tarn.pipeline import STEPS, run_step
from tarn.receipt import Receipt
from tarn.settings import Settings

PARTITION = Partition.parse("2024-01")
PLACE = "staged/trips/month=2024-01-01"
ROWS = [["1", "10.5"], ["2", "7"], ["3", "0"]]
BAD = ["no number", "1"]

Machine = Callable[[str], Settings]


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@pytest.fixture
def published(tmp_path: Path) -> Callable[[list[list[str]]], None]:
    """Publishes rows as the month's file."""
    folder = tmp_path / "publisher"
    folder.mkdir()

    def publish(rows: list[list[str]]) -> None:
        with gzip.open(folder / "2024-01.csv.gz", "wt", newline="") as file:
            csv.writer(file).writerows([["id", "fare"], *rows])

    publish(ROWS)
    return publish


@pytest.fixture
def publisher(published: Callable[[list[list[str]]], None], tmp_path: Path) -> Iterator[str]:
    handler = partial(QuietHandler, directory=str(tmp_path / "publisher"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture
def trips() -> Dataset:
    return Dataset.model_validate(
        {
            "name": "trips",
            "description": "Trips, one row a trip.",
            "publisher": "a test",
            "sources": [{"format": "csv.gz", "url": "http://example.org/{month}.csv.gz", "mirror": "{month}.csv.gz"}],
            "quarantine_limit": 0.3,
            "columns": [
                {"name": "id", "type": "INT64", "description": "the trip", "required": True},
                {"name": "fare", "type": "FLOAT64", "description": "in dollars"},
            ],
        }
    )


@pytest.fixture
def machine(settings: Settings, cloud: dict[str, str], publisher: str, tmp_path: Path) -> Machine:
    """The settings of a machine of the given name, which has a folder of its own."""
    staging = f"gs://staging-{settings.bucket}/staged"
    common = settings.model_copy(update=cloud | {"publishers": publisher, "staging": staging})
    return lambda name: common.model_copy(update={"home": tmp_path / name})


@pytest.fixture
def staged(machine: Machine) -> Callable[[], dict[str, bytes]]:
    """What lies in the staging area's bucket."""
    settings = machine("anyone")
    client = storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": settings.gcs_url})
    bucket = client.bucket(f"staging-{settings.bucket}")
    return lambda: {blob.name: blob.download_as_bytes() for blob in bucket.list_blobs()}


def run_all(trips: Dataset, machine: Machine, suffix: str = "") -> dict[str, Receipt]:
    """Every step, each on a machine of its own."""
    return {step: run_step(step, trips, PARTITION, machine(f"{step}{suffix}")) for step in STEPS}


def files_below(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_each_step_runs_on_another_machine_and_finds_what_the_one_before_it_left(
    trips: Dataset, machine: Machine, staged: Callable[[], dict[str, bytes]]
) -> None:
    receipts = run_all(trips, machine)
    assert receipts["load"].rows_written == len(ROWS)
    bucket = f"gs://staging-{machine('x').bucket}/"
    assert [file.uri for file in receipts["download"].writes] == [f"{bucket}{PLACE}/raw/2024-01.csv.gz"]
    assert [file.uri for file in receipts["upload"].reads] == [f"{bucket}{PLACE}/parquet/trips_2024-01.parquet"]
    assert set(staged()) == {
        f"{PLACE}/raw/2024-01.csv.gz",
        f"{PLACE}/parquet/trips_2024-01.parquet",
        *(f"{PLACE}/receipts/{step}.json" for step in STEPS),
    }
    for name, content in staged().items():
        assert b"scratch" not in content or not name.endswith(".json")
    assert [files_below(machine(step).home) for step in STEPS] == [[]] * len(STEPS)


def test_what_is_done_is_not_done_again_on_any_other_machine(
    trips: Dataset, machine: Machine, staged: Callable[[], dict[str, bytes]]
) -> None:
    run_all(trips, machine)
    before = staged()
    assert {step: receipt.reused for step, receipt in run_all(trips, machine, "-again").items()} == dict.fromkeys(
        STEPS, True
    )
    assert staged() == before


def test_a_new_file_of_the_publisher_goes_through_every_machine(
    trips: Dataset,
    machine: Machine,
    published: Callable[[list[list[str]]], None],
    staged: Callable[[], dict[str, bytes]],
) -> None:
    published([*ROWS, BAD])
    first = run_all(trips, machine)
    assert (first["load"].rows_written, first["parquetize"].rows_quarantined) == (3, 1)
    assert f"{PLACE}/quarantine/trips_2024-01.jsonl" in staged()
    published([*ROWS, ["4", "1"]])
    run_step("download", trips, PARTITION, machine("download"), force=True)
    second = run_all(trips, machine)
    assert (second["load"].rows_written, second["parquetize"].rows_quarantined) == (4, 0)
    assert f"{PLACE}/quarantine/trips_2024-01.jsonl" not in staged()


def test_a_step_that_fails_leaves_its_quarantine_where_its_message_says(
    trips: Dataset,
    machine: Machine,
    published: Callable[[list[list[str]]], None],
    staged: Callable[[], dict[str, bytes]],
) -> None:
    published([*ROWS, BAD, BAD])
    run_step("download", trips, PARTITION, machine("one"))
    with pytest.raises(TooManyBadRows) as error:
        run_step("parquetize", trips, PARTITION, machine("two"))
    name = f"{PLACE}/quarantine/trips_2024-01.jsonl"
    assert f"gs://staging-{machine('two').bucket}/{name}" in str(error.value)
    assert str(machine("two").home) not in str(error.value)
    assert staged()[name].count(b"\n") == 2
    assert f"{PLACE}/receipts/parquetize.json" not in staged()


def test_a_step_before_its_time_says_what_is_missing(trips: Dataset, machine: Machine) -> None:
    with pytest.raises(InputMissing, match=r"run scripts/parquetize.py trips 2024-01 first"):
        run_step("upload", trips, PARTITION, machine("one"))


def test_a_file_that_is_no_longer_what_its_receipt_says_is_not_used(trips: Dataset, machine: Machine) -> None:
    run_step("download", trips, PARTITION, machine("one"))
    settings = machine("two")
    client = storage.Client("p", AnonymousCredentials(), client_options={"api_endpoint": settings.gcs_url})
    client.bucket(f"staging-{settings.bucket}").blob(f"{PLACE}/raw/2024-01.csv.gz").upload_from_string(b"another")
    with pytest.raises(InputMissing, match=f"gs://staging-{settings.bucket}/{PLACE}/raw/2024-01.csv.gz is gone"):
        run_step("parquetize", trips, PARTITION, settings)


def test_a_bucket_that_cannot_be_reached_is_told(
    trips: Dataset, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tarn.gcs.LONGEST_WAIT_SECONDS", 0.01)
    with pytest.raises(
        StagingFailed, match=r"trips 2024-01 download, gs://staging-.*: http://127.0.0.1:1 does not answer"
    ):
        run_step("download", trips, PARTITION, machine("one").model_copy(update={"gcs_endpoint": "http://127.0.0.1:1"}))


def test_any_machine_reads_there_what_is_loaded(trips: Dataset, machine: Machine) -> None:
    reader = machine("reader")
    assert inventory_of(trips, reader).partitions == ()
    receipts = run_all(trips, machine)
    [loaded] = inventory_of(trips, reader).partitions
    assert (loaded.partition, loaded.rows, loaded.quarantined) == (PARTITION, len(ROWS), 0)
    assert loaded.bytes == sum(file.bytes for file in receipts["upload"].writes)
    assert loaded.loaded_at == receipts["load"].finished_at
    others = trips.model_copy(update={"name": "trip"})
    assert inventory_of(others, reader).partitions == ()
    assert files_below(reader.home) == []


def test_a_bucket_that_does_not_answer_is_told(trips: Dataset, settings: Settings) -> None:
    away = settings.model_copy(update={"staging": "gs://elsewhere/staged"})
    with pytest.raises(StagingFailed, match=r"gs://elsewhere/staged: .*does not answer"):
        inventory_of(trips, away)
