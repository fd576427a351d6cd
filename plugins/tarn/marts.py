"""The marts: one ``dbt build`` over the partitions that were loaded."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tarn.errors import BuildFailed
from tarn.partition import Partition
from tarn.settings import Settings

FAILURE_MARKS = ("Failure in ", "Error in ", "Compilation Error", "Runtime Error", "Database Error", "Parsing Error")


def build_marts(
    settings: Settings,
    *partitions: Partition,
    pipeline: str | None = None,
    arguments: Sequence[str] = (),
    say: Callable[[str], None],
) -> None:
    """Run ``dbt build``, restricted to the range of the partitions that are given, for a pipeline's models or for all.

    ``arguments`` are more words for dbt: a ``--select`` among them takes the place of the pipeline's whole. ``say``
    gets each line of dbt's output as it comes. Raises BuildFailed naming what dbt says failed.
    """
    edges = partition_vars(partitions)
    # Unit tests hold the models' code, not the day's data: they belong to the project's tests.
    whole = ["--select", f"tag:{pipeline}"] if pipeline and "--select" not in arguments else []
    chosen = ["--exclude-resource-type", "unit_test", *whole, *arguments]
    command = dbt_command(settings, "build", *chosen, "--vars", json.dumps(edges))
    failures = []
    with subprocess.Popen(
        command,
        cwd=settings.dbt_folder,
        env=dbt_environment(settings, pipeline or ""),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
    ) as dbt:
        for line in map(str.rstrip, dbt.stdout or ()):
            say(line)
            if any(mark in line for mark in FAILURE_MARKS):
                failures.append(line)
    if dbt.returncode != 0:
        what = "\n".join(failures) or f"dbt ended with {dbt.returncode}; its last lines are above."
        asked = ", ".join(f"{name} {value}" for name, value in edges.items())
        raise BuildFailed(f"dbt build of {pipeline or 'all pipelines'} for {asked} failed:\n{what}")


def partition_vars(partitions: Iterable[Partition]) -> dict[str, str]:
    """The vars that tell dbt which partitions there are: the first days of the first and the last of a granularity."""
    edges: dict[str, str] = {}
    for partition in sorted(partitions):
        edges.setdefault(f"start_{partition.granularity}", partition.value)
        edges[f"end_{partition.granularity}"] = partition.value
    return edges


def dbt_command(settings: Settings, *arguments: str) -> list[str]:
    """The words of a dbt call on this lake's project and target."""
    dbt = Path(sys.executable).with_name("dbt")
    return [str(dbt), "--no-use-colors", *arguments, "--target", settings.target.value]


def dbt_environment(settings: Settings, pipeline: str = "") -> dict[str, str]:
    """The whole environment of a dbt call; see ``dbt_variables``."""
    return os.environ | dbt_variables(settings, pipeline)


def dbt_variables(settings: Settings, pipeline: str = "") -> dict[str, str]:
    """The variables of a dbt call: where the lake is, and state kept out of the project's folder.

    Each pipeline, or run of one, has state of its own: two calls of dbt at a time would spoil it for each other.
    """
    state = settings.home / "dbt" / pipeline
    folders = {
        "DBT_PROJECT_DIR": str(settings.dbt_folder),
        "DBT_PROFILES_DIR": str(settings.dbt_folder),
        "DBT_TARGET_PATH": str(state / "target"),
        "DBT_LOG_PATH": str(state / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        # dbt imports thousands of modules: where bytecode is not kept, it starts seconds later.
        "PYTHONDONTWRITEBYTECODE": "",
    }
    return settings.environment() | folders
