"""The models of the DAG customers, run by Cosmos in each of its ways: dbt in the task's process or in one of its own,
and one build that the tasks watch, in their slots or deferred.

Two deliveries lie in the lake, and their marts are built, before the clock starts; each way then builds them anew for
one delivery and for the other. The ways take turns. A run's seconds are those from its trigger to its end, those of its
groups from the first task of dbt to the last; the processor's are of the whole lake meanwhile. On a busy machine only
the ways beside one another tell much: the load stands behind each run.
"""

import os
import subprocess
import sys
from pathlib import Path

from _lake import Lake, running_lake

from tarn.airflow.client import RunState
from tarn.dataset import find_dataset
from tarn.marts import build_marts, dbt_command, dbt_environment
from tarn.pipeline import STEPS, run_step
from tarn.settings import Settings

PIPELINE, DATASET = "customers", "customers_transactions"
DAYS = ("2023-07-14", "2023-07-15")
WAYS = ("local_runner", "local_subprocess", "watcher_poking", "watcher_deferrable")
HERE = Path(__file__).parent


def main() -> None:
    """Measure and print."""
    # Cosmos finds the dbt of a process of its own where a shell would.
    os.environ["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    with running_lake(HERE / "cosmos_dags", defers=True) as lake:
        prepare(lake.settings)
        print(f"{'':<20}{'seconds':>9}{'of groups':>11}{'processor':>11}{'load':>7}")
        for day in DAYS:
            for way in WAYS:
                print(f"{way:<20}{measured(lake, way, day)}", flush=True)


def prepare(settings: Settings) -> None:
    """Load the deliveries, build their marts once, and leave the manifest that watching needs."""
    dataset = find_dataset(DATASET, settings.datasets_folder)
    partitions = [dataset.partition(day) for day in DAYS]
    for partition in partitions:
        for step in STEPS:
            run_step(step, dataset, partition, settings)
    build_marts(settings, *partitions, pipeline=PIPELINE, say=lambda _line: None)
    parse = dbt_command(settings, "--quiet", "parse")
    subprocess.run(parse, cwd=settings.dbt_folder, env=dbt_environment(settings, PIPELINE), check=True)


def measured(lake: Lake, way: str, day: str) -> str:
    """One run of one way, as the rest of its line."""
    before = lake.processor_seconds()
    seconds, state = lake.run(way, {"day": day})
    used = lake.processor_seconds() - before
    return f"{seconds:>9.1f}{groups_seconds(state):>11.1f}{used:>11.1f}{os.getloadavg()[0]:>7.1f}"


def groups_seconds(state: RunState) -> float:
    """From the start of the first task of dbt's groups to the end of the last."""
    spans = [
        (task.started.timestamp(), task.started.timestamp() + (task.seconds or 0))
        for task in state.tasks
        if task.task.startswith("dbt.") and task.started
    ]
    return max(end for _, end in spans) - min(start for start, _ in spans)


if __name__ == "__main__":
    main()
