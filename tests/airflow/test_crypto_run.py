"""The DAG crypto in a real Airflow, from publishers that have a bad day to the marts: once, again, and by backfill."""

import json
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
import requests

from tarn.airflow.client import RunState

pytestmark = pytest.mark.slow

DAYS = ("2024-04-14", "2024-04-15")
REQUEST = {"start_day": DAYS[0], "end_day": DAYS[1]}
DATASETS = {
    "coingecko": ("crypto_markets", "crypto_prices"),
    "blockchair": ("crypto_blocks", "crypto_transactions"),
}
LANE = ("download", "parquetize", "upload_to_gcs", "load_external_table")
DBT = ("dbt_window", "dbt_deps", "dbt_seed", "dbt_run", "dbt_test")
MARTS = ("crypto_coins", "crypto_daily_prices", "crypto_daily_blocks", "crypto_daily_fees", "crypto_price_and_network")
FAULTS: tuple[dict[str, Any], ...] = (
    {"path": "/blockchair/dumps/*_20240415.tsv.gz", "kind": "404", "times": 1_000},
    {"path": "/blockchair/dumps/*_transactions_20240414.tsv.gz", "kind": "cut", "after": 2_000},
    {"path": "/blockchair/api/bitcoin/blocks", "kind": "430", "retry_after": 1},
    {"path": "/coingecko/api/v3/coins/markets", "kind": "html", "status": 429, "retry_after": 1},
    {"path": "/coingecko/api/v3/coins/ethereum/*", "kind": "json-error", "shape": 3, "retry_after": 1},
)


@pytest.fixture(scope="module", autouse=True)
def faults(lake) -> Iterator[None]:
    """A day whose dumps are not out, a line that breaks, and limits told in three ways."""
    url = f"http://{lake.settings.host}:{lake.settings.publishers_port}/_faults"
    for fault in FAULTS:
        requests.post(url, json=fault, timeout=30).raise_for_status()
    yield
    requests.delete(url, timeout=30).raise_for_status()


@pytest.fixture(scope="module")
def first_run(lake) -> RunState:
    """Two days of every dataset, triggered by REST."""
    return lake.run("crypto", REQUEST)


@pytest.fixture(scope="module")
def first_contents(lake, first_run: RunState) -> dict[str, Any]:
    """What the first run has left."""
    assert first_run.state == "success", [task for task in first_run.tasks if task.state != "success"]
    return contents_of(lake)


def contents_of(lake) -> dict[str, Any]:
    """The objects of the two days, and every row of them in the marts that tell days."""
    objects = {name: sum_ for name, sum_ in lake.objects("crypto_").items() if any(day in name for day in DAYS)}
    days = ", ".join(f"'{day}'" for day in DAYS)
    marts = {
        mart: sorted(
            lake.query(
                f"SELECT TO_JSON_STRING(t) FROM marts.{mart} AS t" + f" WHERE day IN ({days})" * (mart != MARTS[0])
            )
        )
        for mart in MARTS
    }
    return {"objects": objects} | marts


def test_both_publishers_lanes_run_between_start_and_dbt(first_run: RunState) -> None:
    lanes = {
        (f"{publisher}.lane.{step}", f"{dataset} {day}")
        for publisher, datasets in DATASETS.items()
        for step in LANE
        for dataset in datasets
        for day in DAYS
    }
    plans = {(f"{publisher}.plan_lanes", "") for publisher in DATASETS}
    alone = {(task, "") for task in ("start", "end", *DBT)}
    assert {(task.task, task.label) for task in first_run.tasks if task.state == "success"} == lanes | plans | alone
    assert first_run.state == "success"


def test_a_publisher_is_never_asked_by_two_tasks_at_once(first_run: RunState) -> None:
    for publisher in DATASETS:
        downloads = [task for task in first_run.tasks if task.task == f"{publisher}.lane.download"]
        spans = sorted((task.started.timestamp(), task.seconds) for task in downloads if task.started and task.seconds)
        assert len(spans) == 4
        for (start, seconds), (following, _) in pairwise(spans):
            assert start + seconds <= following + 0.01


def test_the_marts_have_both_days_and_every_coin(lake, first_contents: dict[str, Any]) -> None:
    assert {name: len(first_contents[name]) for name in ("objects", *MARTS)} == {
        "objects": 8,
        "crypto_coins": 10,
        "crypto_daily_prices": 20,
        "crypto_daily_blocks": 2,
        "crypto_daily_fees": 2,
        "crypto_price_and_network": 2,
    }
    sources = lake.query("SELECT day, COUNT(id) > 0 FROM lake.crypto_transactions GROUP BY day ORDER BY day")
    # Only the API numbers transactions: the second day's dump was not out.
    assert [(str(day), by_api) for day, by_api in sources] == [(DAYS[0], False), (DAYS[1], True)]


def test_each_table_that_is_written_tells_so_as_an_asset(lake, first_run: RunState) -> None:
    tables = {f"lake.{name}" for names in DATASETS.values() for name in names}
    assert lake.written(first_run.run_id) == tables | {f"marts.{mart}" for mart in MARTS}


def test_dbt_deps_has_installed_the_package_for_this_run_alone(lake, first_run: RunState) -> None:
    project = lake.settings.home / "dbt" / "crypto" / first_run.run_id / "project"
    assert (project / "dbt_packages" / "daily" / "dbt_project.yml").is_file()


def test_a_forced_second_run_leaves_the_same_lake(lake, first_contents: dict[str, Any]) -> None:
    assert lake.run("crypto", {**REQUEST, "force": True}).state == "success"
    assert contents_of(lake) == first_contents


def test_dags_backfill_brings_past_days_and_leaves_the_others(lake, first_contents: dict[str, Any]) -> None:
    conf = json.dumps({"datasets": ["crypto_prices", "crypto_blocks"]})
    done = lake.airflow("dags", "backfill", "crypto", "-s", "2024-04-11", "-e", "2024-04-12", "-c", conf)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 of 2 succeeded" in done.stdout
    # The first backfill also wakes the schedule, which brings yesterday, and with it newer figures of the coins.
    past = "SELECT DISTINCT CAST(day AS STRING) FROM marts.crypto_daily_prices WHERE day < '2025-01-01' ORDER BY 1"
    assert [day for (day,) in lake.query(past)] == ["2024-04-11", "2024-04-12", *DAYS]
    assert contents_of(lake) | {"crypto_coins": first_contents["crypto_coins"]} == first_contents
