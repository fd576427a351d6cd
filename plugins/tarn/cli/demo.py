"""``tarn demo``: a pipeline end to end through Airflow, told step by step."""

import time
from collections.abc import Iterator
from typing import Annotated

import typer

from tarn.airflow.client import AirflowClient, RunState, TaskState
from tarn.cli import cloud, report
from tarn.cli.console import results, seconds, size
from tarn.cli.demos import DEMOS, EVERY, TAXI, Demo
from tarn.cli.query import print_rows
from tarn.dataset import find_dataset
from tarn.errors import DemoFailed
from tarn.local.airflow import login
from tarn.pipeline import Step
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings
from tarn.staging import Workspace

STEP_OF_TASK = {
    "download": Step.DOWNLOAD,
    "ingest_raw": Step.DOWNLOAD,
    "parquetize": Step.PARQUETIZE,
    "clean": Step.UPLOAD,
    "upload_to_gcs": Step.UPLOAD,
    "load": Step.LOAD,
    "load_external_table": Step.LOAD,
    "transform_clean": Step.LOAD,
    "validate": Step.VALIDATE,
}
"""The last of the steps that a task runs, whose receipt tells what came of it."""


def demo(
    pipeline: Annotated[str, typer.Argument(help=f"{', '.join(DEMOS)} or {EVERY}.")] = TAXI.pipeline,
) -> None:
    """Start everything, run a pipeline end to end through Airflow, and show what came of it."""
    if pipeline not in (*DEMOS, EVERY):
        raise typer.BadParameter(f"there is no demo of {pipeline!r}; there are: {', '.join(DEMOS)} and {EVERY}")
    settings = current_settings()
    begun = time.monotonic()
    _headline("Starting the local cloud and Airflow")
    cloud.start(settings, airflow=True)
    airflow = _airflow(settings)
    pages = [_run(one, airflow, settings) for one in DEMOS.values() if pipeline in (one.pipeline, EVERY)]
    cloud.print_addresses(settings, airflow=True)
    report.report(output=None)
    for page in pages:
        results.print(f"This run   {page}", highlight=False, soft_wrap=True)
    results.print(f"\nDone in {seconds(time.monotonic() - begun)}.", highlight=False)
    results.print("Airflow's UI stays up until [bold]make down[/].", highlight=False)


def _run(one: Demo, airflow: AirflowClient, settings: Settings) -> str:
    """Run one pipeline and show its mart; gives the run's page in the UI."""
    airflow.await_dag(one.pipeline)
    run_id = airflow.trigger(one.pipeline, one.conf)
    _headline(f"Running the DAG {one.pipeline} for {one.asked} through Airflow")
    run = _follow(one.pipeline, airflow, run_id, settings)
    page = airflow.run_page(one.pipeline, run_id)
    if run.state != "success":
        raise DemoFailed(_what_failed(run, page))
    _headline(f"The mart {settings.marts_dataset}.{one.mart}")
    _show_mart(one, settings)
    return page


def _headline(text: str) -> None:
    results.print(f"\n[bold]{text}[/]", highlight=False)


def _airflow(settings: Settings) -> AirflowClient:
    user, password = login(settings)
    return AirflowClient(f"http://{settings.host}:{settings.airflow_port}", user, password)


def _follow(pipeline: str, airflow: AirflowClient, run_id: str, settings: Settings) -> RunState:
    """Print a line for each task as it ends."""
    told: set[tuple[str, str]] = set()
    run = RunState(run_id, "queued", ())
    for run in airflow.follow(pipeline, run_id):
        for task in _ended(run):
            if (task.task, task.label) not in told:
                told.add((task.task, task.label))
                _tell(task, settings)
    return run


def _ended(run: RunState) -> Iterator[TaskState]:
    return (task for task in run.tasks if task.state in {"success", "failed", "skipped", "upstream_failed"})


def _tell(task: TaskState, settings: Settings) -> None:
    colour = {"success": "green", "skipped": "yellow"}.get(task.state or "", "red")
    name = task.task.removeprefix("lane.").replace(".lane.", ".")
    step = STEP_OF_TASK.get(name.rpartition(".")[2])
    took = "" if task.seconds is None else seconds(task.seconds)
    amount = _amount(step, task, settings) if step and task.state == "success" else ""
    results.print(
        f"  [{colour}]{task.state:<9}[/]{name:<32}{task.label:<34}{amount:<32}{took:>8}",
        highlight=False,
        soft_wrap=True,
    )


def _amount(step: Step, task: TaskState, settings: Settings) -> str:
    """What the step's receipt says: rows and bytes."""
    dataset_name, _, partition_text = task.label.partition(" ")
    if not partition_text:
        return ""
    dataset = find_dataset(dataset_name, settings.datasets_folder)
    workspace = Workspace.of(dataset, dataset.partition(partition_text), settings)
    receipt = Receipt.load(workspace.receipt(step))
    if receipt is None:
        return ""
    rows = "" if receipt.rows_written is None else f"{receipt.rows_written:,} rows"
    written = sum(artifact.bytes for artifact in receipt.writes)
    unchanged = task.started is not None and receipt.finished_at < task.started
    return f"{rows:>13}  {size(written) if written else '':>10}{'  same' if unchanged else ''}"


def _what_failed(run: RunState, page: str) -> str:
    failed = [f"{task.task} {task.label}".strip() for task in run.tasks if task.state == "failed"]
    return f"The run ended as {run.state}: {', '.join(failed)} failed. Its logs are at {page}"


def _show_mart(one: Demo, settings: Settings) -> None:
    from tarn.bigquery import ask, bigquery_client

    print_rows(ask(bigquery_client(settings), one.sql.replace("{marts}", settings.marts_dataset)), limit=20)
