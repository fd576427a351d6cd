"""Adding a dataset of the same kind needs a YAML file and nothing else: from a CSV by HTTP to an answer of BigQuery."""

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tarn.bigquery import bigquery_client
from tarn.dataset import find_dataset
from tarn.errors import CheckFailed
from tarn.pipeline import run_partition
from tarn.settings import Settings

BIKES = """
name: bike_rides
description: Rides of hired bicycles, one row a ride.
publisher: A city of the test's own
sources:
  - format: csv
    url: https://bikes.example.org/{month}.csv
    mirror: bikes/{month}.csv
partition_by: month
quarantine_limit: 0.5
columns:
  - {name: ride_id, type: INT64, description: The ride, aliases: [Ride No]}
  - {name: started_at, type: DATETIME, description: When it began}
  - {name: fare, type: FLOAT64, description: In crowns}
checks:
  - {name: rides begin in their month, condition: "DATE_TRUNC(DATE(started_at), MONTH) = month"}
"""
RIDES = """ride no, STARTED_AT ,fare,colour
1,2024-05-01 08:00:00,2.5,red
2,2024-05-02 09:30:00,,blue
three,2024-05-03 10:00:00,4,red
4,2024-05-31 23:59:59,3.5,green
"""


@pytest.fixture
def lake(tmp_path: Path, settings: Settings, cloud: dict[str, str]) -> Iterator[Settings]:
    """A lake whose only dataset is the new one, and its publisher."""
    published = tmp_path / "published" / "bikes"
    published.mkdir(parents=True)
    (published / "2024-05.csv").write_text(RIDES)
    (published / "2024-06.csv").write_text(RIDES)
    settings.datasets_folder.mkdir(parents=True)
    (settings.datasets_folder / "bike_rides.yaml").write_text(BIKES)
    handler = partial(SimpleHTTPRequestHandler, directory=str(published.parent))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, args=(0.02,), daemon=True).start()
        yield settings.model_copy(update=cloud | {"publishers": f"http://127.0.0.1:{httpd.server_port}"})
        httpd.shutdown()


def test_a_yaml_file_is_enough(lake: Settings) -> None:
    bikes = find_dataset("bike_rides", lake.datasets_folder)
    receipts = {receipt.step: receipt for receipt in run_partition(bikes, bikes.partition("2024-05"), lake)}
    assert (receipts["parquetize"].rows_quarantined, receipts["load"].rows_written) == (1, 3)
    rows = bigquery_client(lake).query_and_wait(
        f"SELECT ride_id, fare, month FROM `{lake.project}.{lake.lake_dataset}.bike_rides` ORDER BY ride_id"
    )
    assert [(row.ride_id, row.fare, f"{row.month}") for row in rows] == [
        (1, 2.5, "2024-05-01"),
        (2, None, "2024-05-01"),
        (4, 3.5, "2024-05-01"),
    ]


def test_its_checks_are_held_against_it(lake: Settings) -> None:
    bikes = find_dataset("bike_rides", lake.datasets_folder)
    with pytest.raises(CheckFailed, match=r"bike_rides 2024-06: 3 of 3 rows .*'rides begin in their month'"):
        list(run_partition(bikes, bikes.partition("2024-06"), lake))
