"""A month of taxi trips through the stack: triggered in Airflow, followed to its end, and asked of BigQuery.

Where the stack is comes from the settings; the password from standard input, which is the stack's .env file.
"""

import argparse
import re
import sys
import tempfile
import time
from pathlib import Path

from tarn.airflow.client import AirflowClient
from tarn.bigquery import bigquery_client
from tarn.dataset import find_dataset
from tarn.errors import TarnError
from tarn.pipeline import run_partition
from tarn.settings import Settings, current_settings

PIPELINE = "taxi"
DATASET = "taxi_green"
USER = "admin"


class MonthFailed(TarnError):
    """The month did not come through as it should."""


def main() -> int | str:
    """Run; the exit code, or what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("month", help="such as 2020-04")
    parser.add_argument("--airflow", default="http://api-server:8080", help="address of the API server")
    parser.add_argument("--steps", action="store_true", help="also run the steps here, without Airflow")
    options = parser.parse_args()
    settings = current_settings()
    try:
        _through_airflow(AirflowClient(options.airflow, USER, _password(sys.stdin.read())), options.month)
        _ask(settings, options.month)
        if options.steps:
            _step_by_step(settings, options.month)
    except TarnError as error:
        return str(error)
    return 0


def _password(env_file: str) -> str:
    found = re.search(r"^TARN_AIRFLOW_PASSWORD=(.+)$", env_file, re.MULTILINE)
    if not found:
        raise MonthFailed("standard input has no TARN_AIRFLOW_PASSWORD: give the stack's .env.")
    return found[1]


def _through_airflow(airflow: AirflowClient, month: str) -> None:
    begun = time.monotonic()
    airflow.await_dag(PIPELINE)
    run_id = airflow.trigger(PIPELINE, {"start_month": f"{month}-01"})
    *_, run = airflow.follow(PIPELINE, run_id)
    for task in run.tasks:
        _say(f"  {task.state or 'waiting':<9}{task.task:<27}{task.label:<21}{task.seconds or 0:7.1f} s")
    _say(f"{PIPELINE} {month} through {airflow.address}: {run.state} in {time.monotonic() - begun:.1f} s")
    if run.state != "success":
        raise MonthFailed(f"The run failed: {airflow.run_page(PIPELINE, run_id)}")


def _ask(settings: Settings, month: str) -> None:
    where = f"month = DATE '{month}-01'"
    sql = (
        f"SELECT (SELECT COUNT(*) FROM {settings.lake_dataset}.{DATASET} WHERE {where}) AS loaded,"  # noqa: S608
        f" (SELECT COUNT(*) FROM {settings.marts_dataset}.monthly_summary WHERE {where}) AS summaries"
    )
    [row] = bigquery_client(settings).query_and_wait(sql)
    _say(f"{settings.bigquery_url} counts {row.loaded:,} trips in {DATASET} and {row.summaries} rows in the mart")
    if not (row.loaded and row.summaries):
        raise MonthFailed(f"{settings.bigquery_url} has nothing of {month}.")


def _step_by_step(settings: Settings, month: str) -> None:
    dataset = find_dataset(DATASET, settings.datasets_folder)
    with tempfile.TemporaryDirectory() as home:
        here = settings.model_copy(update={"home": Path(home)})
        for receipt in run_partition(dataset, dataset.partition(month), here, force=True):
            _say(f"  {receipt.step:<11}{receipt.rows_written or 0:>10,} rows {receipt.seconds:7.1f} s")


def _say(line: str) -> None:
    print(line, flush=True)  # noqa: T201


if __name__ == "__main__":
    sys.exit(main())
