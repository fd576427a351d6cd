"""``tarn demo``: the taxi lake end to end through Airflow, told step by step."""

import time
from collections.abc import Iterator

from tarn.airflow.client import AirflowClient, RunState, TaskState
from tarn.cli import cloud
from tarn.cli.console import results, seconds, size
from tarn.cli.query import print_rows
from tarn.dataset import find_dataset
from tarn.errors import DemoFailed
from tarn.local.airflow import login
from tarn.pipeline import Step
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings
from tarn.staging import Workspace

PIPELINE = "taxi"
MONTHS = ("2020-04-01", "2020-05-01")
STEP_OF_TASK = {
    "download": Step.DOWNLOAD,
    "parquetize": Step.PARQUETIZE,
    "upload_to_gcs": Step.UPLOAD,
    "load_external_table": Step.LOAD,
}
SUMMARY = """
SELECT month, service, trips, trips_outside_month AS outside_month, card_trips, cash_trips,
       ROUND(distance_miles / trips, 2) AS miles, mean_total_amount AS mean_total, total_amount
FROM `{dataset}.monthly_summary`
WHERE month BETWEEN '{first}' AND '{last}'
ORDER BY month, service
"""


def demo() -> None:
    """Start everything, run two months of taxi trips through Airflow, and show what came of it."""
    settings = current_settings()
    begun = time.monotonic()
    _headline("Starting the local cloud and Airflow")
    cloud.start(settings, airflow=True)
    airflow = _airflow(settings)
    airflow.await_dag(PIPELINE)
    run_id = airflow.trigger(PIPELINE, {"start_month": MONTHS[0], "end_month": MONTHS[-1]})
    _headline(f"Running the DAG {PIPELINE} for {MONTHS[0][:7]} to {MONTHS[-1][:7]} through Airflow")
    run = _follow(airflow, run_id, settings)
    if run.state != "success":
        raise DemoFailed(_what_failed(run, airflow.run_page(PIPELINE, run_id)))
    _headline(f"The mart {settings.marts_dataset}.monthly_summary")
    _show_mart(settings)
    cloud.print_addresses(settings, airflow=True)
    page = airflow.run_page(PIPELINE, run_id)
    results.print(f"This run   {page}", highlight=False, soft_wrap=True)
    results.print(f"\nDone in {seconds(time.monotonic() - begun)}.", highlight=False)
    results.print("Airflow's UI stays up until [bold]make down[/].", highlight=False)


def _headline(text: str) -> None:
    results.print(f"\n[bold]{text}[/]", highlight=False)


def _airflow(settings: Settings) -> AirflowClient:
    user, password = login(settings)
    return AirflowClient(f"http://{settings.host}:{settings.airflow_port}", user, password)


def _follow(airflow: AirflowClient, run_id: str, settings: Settings) -> RunState:
    """Print a line for each task as it ends."""
    told: set[tuple[str, str]] = set()
    run = RunState(run_id, "queued", ())
    for run in airflow.follow(PIPELINE, run_id):
        for task in _ended(run):
            if (task.task, task.label) not in told:
                told.add((task.task, task.label))
                _tell(task, settings)
    return run


def _ended(run: RunState) -> Iterator[TaskState]:
    return (task for task in run.tasks if task.state in {"success", "failed", "skipped", "upstream_failed"})


def _tell(task: TaskState, settings: Settings) -> None:
    colour = {"success": "green", "skipped": "yellow"}.get(task.state or "", "red")
    name = task.task.removeprefix("lane.")
    took = "" if task.seconds is None else seconds(task.seconds)
    amount = _amount(name, task, settings) if task.state == "success" else ""
    results.print(
        f"  [{colour}]{task.state:<9}[/]{name:<21}{task.label:<21}{amount:<32}{took:>8}",
        highlight=False,
        soft_wrap=True,
    )


def _amount(name: str, task: TaskState, settings: Settings) -> str:
    """What the step's receipt says: rows and bytes."""
    if name not in STEP_OF_TASK:
        return ""
    dataset_name, partition_text = task.label.split()
    dataset = find_dataset(dataset_name, settings.datasets_folder)
    workspace = Workspace.of(dataset, dataset.partition(partition_text), settings)
    receipt = Receipt.load(workspace.receipt(STEP_OF_TASK[name]))
    if receipt is None:
        return ""
    rows = "" if receipt.rows_written is None else f"{receipt.rows_written:,} rows"
    written = sum(artifact.bytes for artifact in receipt.writes)
    unchanged = task.started is not None and receipt.finished_at < task.started
    return f"{rows:>13}  {size(written) if written else '':>10}{'  same' if unchanged else ''}"


def _what_failed(run: RunState, page: str) -> str:
    failed = [f"{task.task} {task.label}".strip() for task in run.tasks if task.state == "failed"]
    return f"The run ended as {run.state}: {', '.join(failed)} failed. Its logs are at {page}"


def _show_mart(settings: Settings) -> None:
    from tarn.bigquery import bigquery_client

    sql = SUMMARY.format(dataset=settings.marts_dataset, first=MONTHS[0], last=MONTHS[-1])
    print_rows(bigquery_client(settings).query(sql).result(), limit=20)
