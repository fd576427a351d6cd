"""dbt's own commands as tasks of a DAG, one a command, for a pipeline whose marts are built in steps.

A command runs in a shell, as a person would type it. ``dbt deps`` fills a folder of the pipeline's own: the one in the
project stays as it is for whoever builds at the same time.
"""

import shlex
from collections.abc import Sequence

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import Asset, TriggerRule, chain

from tarn.marts import dbt_command, dbt_variables
from tarn.settings import current_settings

PACKAGES = "TARN_DBT_PACKAGES"
VARS = "{{ ti.xcom_pull(task_ids='dbt_vars') }}"


def dbt_commands(pipeline: str, marts: Sequence[str]) -> list[BashOperator]:
    """``dbt_deps`` → ``dbt_seed`` → ``dbt_run`` → ``dbt_test`` of a pipeline, in this order.

    All but the first are told the partitions that the DAG's task ``dbt_vars`` gives, which must come before
    ``dbt_seed``; no other run of the DAG may be at work meanwhile. The marts are told of as assets once they have held
    their tests.
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
    packages = settings.home / "dbt" / pipeline / "packages"
    words = dbt_command(settings, command, *arguments)
    given = f" --vars '{VARS}'" if vars_of_run else ""
    return BashOperator(
        task_id=f"dbt_{command}",
        bash_command=shlex.join(words) + given,
        cwd=str(settings.dbt_folder),
        env=dbt_variables(settings, pipeline) | {PACKAGES: str(packages)},
        append_env=True,
        trigger_rule=trigger_rule,
    )
