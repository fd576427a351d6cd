"""The marts: one ``dbt build`` over the partitions that were loaded."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from tarn.dbt_parse import parse_handed_on
from tarn.errors import BuildFailed
from tarn.partition import Granularity, Partition
from tarn.settings import Settings

EDGES = ("start", "end")
WINDOW = tuple(f"TARN_{edge}_{granularity}".upper() for granularity in Granularity for edge in EDGES)
"""The names of the variables that tell dbt which partitions to build."""

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
    window = window_variables(partitions)
    environment = dbt_environment(settings, pipeline or "") | window
    # Unit tests hold the models' code, not the day's data: they belong to the project's tests.
    whole = ["--select", f"tag:{pipeline}"] if pipeline and "--select" not in arguments else []
    command = dbt_command(settings, "build", "--exclude-resource-type", "unit_test", *whole, *arguments)
    failures = []
    with (
        parse_handed_on(settings, Path(environment["DBT_TARGET_PATH"])),
        subprocess.Popen(
            command,
            cwd=settings.dbt_folder,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
        ) as dbt,
    ):
        for line in map(str.rstrip, dbt.stdout or ()):
            say(line)
            if any(mark in line for mark in FAILURE_MARKS):
                failures.append(line)
    if dbt.returncode != 0:
        what = "\n".join(failures) or f"dbt ended with {dbt.returncode}; its last lines are above."
        asked = ", ".join(f"{name} {value}" for name, value in window.items() if value) or "all partitions"
        raise BuildFailed(f"dbt build of {pipeline or 'all pipelines'} for {asked} failed:\n{what}")


def window_variables(partitions: Iterable[Partition]) -> dict[str, str]:
    """The variables that tell dbt which partitions there are, by the first days of the first and the last of a length.

    All of WINDOW are given, empty where there is nothing to tell: none that the caller's environment has shall count.
    They are variables of the environment because dbt reads the whole project anew for each change of its ``--vars``.
    """
    window = dict.fromkeys(WINDOW, "")
    for partition in sorted(partitions):
        first, last = (f"TARN_{edge}_{partition.granularity}".upper() for edge in EDGES)
        window[first] = window[first] or partition.value
        window[last] = partition.value
    return window


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
