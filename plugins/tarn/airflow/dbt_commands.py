"""dbt's own commands as tasks of a DAG, one a command, for a pipeline whose marts are built in steps.

A command runs in a shell, as a person would type it. Each run has a folder of its own for what ``dbt deps`` installs
and for what dbt makes of the project: a backfill and the schedule have runs at the same time, and would spoil one for
the other. A command that comes to another worker installs there first. Between two runs the commands take turns,
because dbt's temporary tables are named by the model alone.
"""

import shlex
from collections.abc import Sequence

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, TriggerRule, chain

from tarn.marts import dbt_command, dbt_variables
from tarn.settings import current_settings

PACKAGES = "TARN_DBT_PACKAGES"
RUN = "{{ run_id | replace('/', '_') }}"
KEPT_DAYS = 7
VARS = "{{ ti.xcom_pull(task_ids='dbt_vars') }}"


def dbt_commands(pipeline: str, marts: Sequence[str]) -> list[BashOperator]:
    """``dbt_deps`` → ``dbt_seed`` → ``dbt_run`` → ``dbt_test`` of a pipeline, in this order.

    All but the first are told the partitions that the DAG's task ``dbt_vars`` gives, which must come before
    ``dbt_seed``. The marts are told of as assets once they have held their tests.
    """
    chosen = ("--select", f"tag:{pipeline}")
    # Unit tests hold the models' code, not the day's data: they belong to the project's tests.
    data_tests = ("--exclude-resource-type", "unit_test")
    tasks = [
        _dbt(pipeline, "deps", trigger_rule=TriggerRule.NONE_FAILED),
        # A seed has no days, but dbt reads the whole project anew for each change of the vars.
        _dbt(pipeline, "seed", *chosen, vars_of_run=True),
        _dbt(pipeline, "run", *chosen, vars_of_run=True),
        _dbt(pipeline, "test", *chosen, *data_tests, vars_of_run=True),
    ]
    settings = current_settings()
    tasks[-1].outlets = [Asset(f"{settings.marts_dataset}.{mart}", group="marts") for mart in marts]
    chain(*tasks)
    return tasks


def _dbt(
    pipeline: str, command: str, *arguments: str, vars_of_run: bool = False, trigger_rule: str = TriggerRule.ALL_SUCCESS
) -> BashOperator:
    settings = current_settings()
    runs = settings.home / "dbt" / pipeline
    words = shlex.join(dbt_command(settings, command, *arguments))
    if command == "deps":
        # The folders of runs that ended long ago are of use to nobody.
        first = f"find {shlex.quote(str(runs))} -mindepth 1 -maxdepth 1 -mtime +{KEPT_DAYS} -exec rm -rf {{}} + ; "
    else:
        # On another worker than that of `dbt_deps`, whose folder is not this one's.
        first = f'test -d "${PACKAGES}" || {shlex.join(dbt_command(settings, "deps"))} && '
    return BashOperator(
        task_id=f"dbt_{command}",
        bash_command=first + words + (f" --vars '{VARS}'" if vars_of_run else ""),
        cwd=str(settings.dbt_folder),
        env=dbt_variables(settings, f"{pipeline}/{RUN}") | {PACKAGES: str(runs / RUN / "packages")},
        append_env=True,
        trigger_rule=trigger_rule,
        max_active_tis_per_dag=1,
    )
