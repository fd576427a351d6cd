"""Crashes from their publisher to Parquet: genuine files, both sources alike, and the high-water mark."""

import csv
import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import requests

from tarn.dataset import Dataset, find_dataset
from tarn.errors import DownloadRefused
from tarn.pipeline import run_step
from tarn.receipt import Receipt
from tarn.settings import CHECKOUT, Settings
from tarn.staging import Workspace

GENUINE = CHECKOUT.parent / "shared" / "data" / "real" / "collisions"
genuine_files = pytest.mark.skipif(not GENUINE.is_dir(), reason="there are no genuine files beside the checkout")


def dataset(name: str) -> Dataset:
    return find_dataset(name, CHECKOUT / "datasets")


def parquetized(name: str, partition: str, settings: Settings) -> tuple[Receipt, list[dict[str, Any]]]:
    """What download and parquetize make of a partition: the receipt and the rows, in the order of the crashes."""
    of = dataset(name)
    key = of.partition(partition)
    run_step("download", of, key, settings)
    receipt = run_step("parquetize", of, key, settings)
    rows = pq.read_table(Workspace.of(of, key, settings).parquet, partitioning=None).to_pylist()
    return receipt, sorted(rows, key=lambda row: row["collision_id"])


@pytest.fixture
def shelf(tmp_path: Path, settings: Settings) -> Iterator[tuple[Path, Settings]]:
    """Where to put the export that a server then has, and the settings that lead to it."""
    export = tmp_path / "published" / "socrata" / "api" / "views" / "h9gi-nx95" / "rows.csv"
    export.parent.mkdir(parents=True)
    handler = partial(SimpleHTTPRequestHandler, directory=str(tmp_path / "published"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        address = f"http://127.0.0.1:{httpd.server_port}"
        yield export, settings.model_copy(update={"publishers": address, "sources": {"collisions_history": "export"}})
        httpd.shutdown()


@genuine_files
@pytest.mark.parametrize(
    ("name", "rows", "nowhere"),
    [("nyc_crashes_2022-04-18_one_day.csv", 239, 6), ("nyc_crashes_wkt_point_50rows.csv", 49, 0)],
)
def test_each_row_of_a_genuine_export_is_accounted_for(
    shelf: tuple[Path, Settings], name: str, rows: int, nowhere: int
) -> None:
    export, settings = shelf
    shutil.copy(GENUINE / name, export)
    genuine = list(csv.DictReader((GENUINE / name).open(newline="")))
    receipt, found = parquetized("collisions_history", "2022", settings)
    assert (receipt.rows_read, receipt.rows_written, receipt.rows_quarantined) == (rows, rows, 0)
    assert (receipt.rows_kept or 0) + (receipt.rows_repaired or 0) == rows
    assert receipt.repaired_by.get("latitude: null_when", 0) == sum(row["LATITUDE"] == "0" for row in genuine)
    by_id = {int(row["COLLISION_ID"]): row for row in genuine}
    for row in found:
        told = by_id[row["collision_id"]]
        assert f"{row['crash_date']:%m/%d/%Y}" == told["CRASH DATE"]
        assert (row["crossing_street"] or "", row["address"] or "") == (
            told["CROSS STREET NAME"],
            told["OFF STREET NAME"],
        )
        assert row["latitude"] == (float(told["LATITUDE"] or 0) or None)
        assert row["persons_injured"] == int(told["NUMBER OF PERSONS INJURED"])


@genuine_files
def test_each_row_of_genuine_records_is_accounted_for(shelf: tuple[Path, Settings]) -> None:
    export, settings = shelf
    records = json.loads((GENUINE / "nyc_crashes_2022-12_2023-12.export.json").read_text())
    with export.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(records[0]))
        writer.writeheader()
        writer.writerows(records)
    receipt, found = parquetized("collisions_history", "2022", settings)
    assert (receipt.rows_read, receipt.rows_written, receipt.rows_quarantined) == (2_000, 2_000, 0)
    assert [row["collision_id"] for row in found] == sorted(int(record["COLLISION_ID"]) for record in records)
    assert {str(row["crash_date"]) for row in found} == {record["CRASH DATE"] for record in records}


@pytest.fixture(scope="module")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the offline publishers."""
    data = tmp_path_factory.mktemp("publishers")
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--rows", "2000", "--data-dir", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process.stdout.readline().split()[-1]
        finally:
            process.terminate()


@pytest.fixture
def lake(settings: Settings, publishers: str) -> Iterator[Settings]:
    yield settings.model_copy(update={"publishers": publishers})
    requests.delete(f"{publishers}/_faults", timeout=30).raise_for_status()


def test_the_api_and_the_export_give_the_same_rows(lake: Settings, tmp_path: Path) -> None:
    found = []
    for source in ("api", "export"):
        settings = lake.model_copy(update={"home": tmp_path / source, "sources": {"collisions_history": source}})
        receipt, rows = parquetized("collisions_history", "2022", settings)
        assert receipt.rows_quarantined == 0
        found.append(rows)
    api, export = found
    assert len(api) > 1_000
    # Only the API has the system's own fields. The position as text is the export's; the API has the same figures.
    only = {"row_id", "updated_at", "location"}
    assert [{name: row[name] for name in row.keys() - only} for row in api] == [
        {name: row[name] for name in row.keys() - only} for row in export
    ]
    assert all(row["row_id"] and row["updated_at"] for row in api)


def download(settings: Settings, day: str, **options: Any) -> Receipt:
    updates = dataset("collisions_updates")
    return run_step("download", updates, updates.partition(day), settings, **options)


def records(receipt: Receipt) -> list[dict[str, Any]]:
    """The records of a download, page after page."""
    lines = [line for file in receipt.writes for line in Path(file.uri).read_text().splitlines()]
    return [record for line in lines for record in json.loads(line)]


def test_a_window_begins_where_the_one_before_ended_whatever_lies_between(lake: Settings) -> None:
    first = download(lake, "2022-04-18")
    assert (first.since, first.mark) == ("2022-04-18", max(row[":updated_at"] for row in records(first)))
    after_a_gap = download(lake, "2022-04-21")
    assert after_a_gap.since == first.mark
    days = {row[":updated_at"][:10] for row in records(after_a_gap)}
    assert days == {"2022-04-19", "2022-04-20", "2022-04-21"}
    again = download(lake, "2022-04-21")
    assert again.reused
    assert (again.since, again.mark) == (after_a_gap.since, after_a_gap.mark)
    late = download(lake, "2022-04-19")
    assert late.since == first.mark
    forced = download(lake, "2022-04-21", force=True)
    assert (forced.since, records(forced)) == (after_a_gap.since, records(after_a_gap))


def test_a_row_that_is_mended_later_comes_again_in_the_later_window(lake: Settings) -> None:
    seen: dict[str, str] = {}
    again = 0
    for day in range(1, 21):
        for row in records(download(lake, f"2022-04-{day:02}")):
            assert row[":updated_at"] > seen.get(row[":id"], "")
            again += row[":id"] in seen
            seen[row[":id"]] = row[":updated_at"]
    assert again > 0


def test_a_kill_between_two_pages_loses_and_repeats_nothing(lake: Settings, publishers: str, tmp_path: Path) -> None:
    folder = tmp_path / "datasets"
    folder.mkdir()
    text = (CHECKOUT / "datasets" / "collisions_history.yaml").read_text().replace("per_page: 10000", "per_page: 300")
    (folder / "collisions_history.yaml").write_text(text)
    history = find_dataset("collisions_history", folder)
    partition = history.partition("2022")
    fault = {"path": "/socrata/resource/*", "kind": "404", "skip": 2, "times": 1}
    requests.post(f"{publishers}/_faults", json=fault, timeout=30).raise_for_status()
    with pytest.raises(DownloadRefused):
        run_step("download", history, partition, lake.model_copy(update={"sources": {history.name: "api"}}))
    receipt = run_step("download", history, partition, lake)
    ids = [row[":id"] for row in records(receipt)]
    assert len(receipt.writes) > 3
    assert ids == sorted(ids)
    assert len(set(ids)) == len(ids) > 1_000
