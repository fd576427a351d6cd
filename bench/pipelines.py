"""Each pipeline through Airflow for one partition, from an empty lake to tested marts; then every dataset without it.

Airflow is up before the clock starts. The state folder is a temporary one and the ports are free ones.
"""

import time
from collections import Counter

from _lake import Lake, running_lake

from tarn.dataset import dataset_names, find_dataset
from tarn.errors import NotPublished
from tarn.marts import build_marts
from tarn.partition import Partition
from tarn.pipeline import STEPS, run_step
from tarn.settings import Settings

RUNS = {
    "taxi": {"start_month": "2020-04-01"},
    "crypto": {"start_day": "2024-04-14"},
    "customers": {"start_day": "2023-07-14"},
    "collisions": {"start_day": "2022-04-18"},
}
LIMIT_SECONDS = 90
DAY = "2024-04-15"
WHOLE_LIMIT_SECONDS = 60
SHARES = 6
"""How many of a run's tasks are shown: those that took most."""


def main() -> None:
    """Measure and print, in seconds; a task's share is of the seconds of all tasks."""
    with running_lake() as lake:
        for pipeline, conf in RUNS.items():
            report(pipeline, LIMIT_SECONDS, *run_dag(lake, pipeline, conf))
        report("tarn run --all", WHOLE_LIMIT_SECONDS, *run_all(lake.settings))


def run_dag(lake: Lake, pipeline: str, conf: dict[str, str]) -> tuple[float, Counter[str]]:
    """How long a run of a DAG took, and each of its tasks."""
    seconds, state = lake.run(pipeline, conf)
    spent = Counter[str]()
    for task in state.tasks:
        spent[task.task.rpartition(".")[2]] += task.seconds or 0
    return seconds, spent


def run_all(settings: Settings) -> tuple[float, Counter[str]]:
    """How long one partition of every dataset and the marts took without Airflow, and each step."""
    spent = Counter[str]()
    partitions: list[Partition] = []
    for name in dataset_names(settings.datasets_folder):
        dataset = find_dataset(name, settings.datasets_folder)
        partition = dataset.partition(DAY)
        try:
            for step in STEPS:
                begun = time.perf_counter()
                run_step(step, dataset, partition, settings)
                spent[step] += time.perf_counter() - begun
        except NotPublished:
            continue
        partitions.append(partition)
    begun = time.perf_counter()
    build_marts(settings, *partitions, say=lambda _line: None)
    spent["dbt build"] = time.perf_counter() - begun
    return sum(spent.values()), spent


def report(name: str, limit: int, seconds: float, spent: Counter[str]) -> None:
    """One line a run: its seconds beside the limit, and the share of what took most."""
    whole = sum(spent.values()) or 1.0
    shares = ", ".join(f"{task} {part / whole:.0%}" for task, part in spent.most_common(SHARES))
    print(f"{name:<16}{seconds:>7.1f} of {limit:<4}{shares}", flush=True)


if __name__ == "__main__":
    main()
