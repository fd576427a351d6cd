"""dbt's own commands as tasks of a DAG, one a command, for a pipeline whose marts are built in steps.

A command runs in a shell, as a person would type it. Each run has a folder of its own: in it the project, by links to
its parts, with the packages that ``dbt deps`` installs, and what dbt makes of it. A backfill and the schedule have runs
at the same time, and would spoil one for the other. A command that comes to another worker makes that folder there
first. What dbt has read of the project goes from run to run all the same; see ``tarn.dbt_parse``. Between two runs the
commands take turns, because dbt's temporary tables are named by the model alone.
"""

import shlex
from collections.abc import Mapping, Sequence

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, TriggerRule, chain

from tarn.airflow.tasks import WINDOW_OF_RUN
from tarn.dbt_parse import PARSE, kept_parse
from tarn.marts import dbt_command, dbt_variables
from tarn.settings import Settings, current_settings

RUN = "{{ run_id | replace('/', '_') }}"
KEPT_DAYS = 7
PROJECT, PACKAGES = "$DBT_PROJECT_DIR", "dbt_packages"


def dbt_commands(pipeline: str, marts: Sequence[str]) -> list[BashOperator]:
    """``dbt_deps`` → ``dbt_seed`` → ``dbt_run`` → ``dbt_test`` of a pipeline, in this order.

    All but the first are told the partitions that the DAG's task ``dbt_window`` gives, which must come before
    ``dbt_seed``. The marts are told of as assets once they have held their tests.
    """
    chosen = ("--select", f"tag:{pipeline}")
    # Unit tests hold the models' code, not the day's data: they belong to the project's tests.
    data_tests = ("--exclude-resource-type", "unit_test")
    tasks = [
        _deps(pipeline),
        # A seed has no days, but dbt reads what has to do with them anew for each change of them.
        _on_window(pipeline, "seed", *chosen),
        _on_window(pipeline, "run", *chosen),
        _on_window(pipeline, "test", *chosen, *data_tests),
    ]
    settings = current_settings()
    tasks[-1].outlets = [Asset(f"{settings.marts_dataset}.{mart}", group="marts") for mart in marts]
    chain(*tasks)
    return tasks


def _deps(pipeline: str) -> BashOperator:
    settings = current_settings()
    runs = shlex.quote(str(settings.home / "dbt" / pipeline))
    # The folders of runs that ended long ago are of use to nobody.
    tidy = f"find {runs} -mindepth 1 -maxdepth 1 -mtime +{KEPT_DAYS} -exec rm -rf {{}} +"
    task = _task(pipeline, "deps", *_installing(settings), tidy, variables={})
    task.trigger_rule = TriggerRule.NONE_FAILED
    return task


def _on_window(pipeline: str, command: str, *arguments: str) -> BashOperator:
    settings = current_settings()
    own, kept = f'"$DBT_TARGET_PATH/{PARSE}"', shlex.quote(str(kept_parse(settings)))
    return _task(
        pipeline,
        command,
        # On another worker than that of `dbt_deps`, whose folder is not this one's.
        f'if ! test -d "{PROJECT}/{PACKAGES}"; then',
        *_installing(settings),
        "fi",
        'mkdir -p "$DBT_TARGET_PATH"',
        f"if test -e {kept}; then cp {kept} {own}; fi",
        shlex.join(dbt_command(settings, command, *arguments)),
        f"mv {own} {kept}",
        variables=WINDOW_OF_RUN,
    )


def _installing(settings: Settings) -> tuple[str, ...]:
    """The lines that make the run's project, by links, and install its packages."""
    parts = f"{shlex.quote(str(settings.dbt_folder.resolve()))}/*"
    return (
        f'mkdir -p "{PROJECT}"',
        f'for part in {parts}; do test "${{part##*/}}" = {PACKAGES} || ln -sfn "$part" "{PROJECT}"; done',
        shlex.join(dbt_command(settings, "deps")),
    )


def _task(pipeline: str, command: str, *lines: str, variables: Mapping[str, str]) -> BashOperator:
    settings = current_settings()
    project = {"DBT_PROJECT_DIR": str(settings.home / "dbt" / pipeline / RUN / "project")}
    return BashOperator(
        task_id=f"dbt_{command}",
        bash_command="\n".join(("set -e", *lines)),
        cwd=str(settings.dbt_folder),
        env={**dbt_variables(settings, f"{pipeline}/{RUN}"), **project, **variables},
        append_env=True,
        max_active_tis_per_dag=1,
    )
