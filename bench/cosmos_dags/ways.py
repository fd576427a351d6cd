"""The models of the customers' pipeline, once for each way in which Cosmos can run them: what bench/cosmos.py times."""

from collections.abc import Callable, Mapping
from typing import Any

from airflow.sdk import DAG, Param, chain, dag, get_current_context, task
from cosmos import DbtTaskGroup, ExecutionConfig, ProjectConfig, RenderConfig
from cosmos.constants import ExecutionMode, InvocationMode, LoadMode, TestIndirectSelection

from tarn.airflow.dbt_graph import PACKAGE
from tarn.airflow.dbt_groups import OPERATOR_ARGS, dbt_groups, profile
from tarn.marts import window_variables
from tarn.partition import Granularity, Partition
from tarn.settings import current_settings

PIPELINE = "customers"
MANIFEST = current_settings().home / "dbt" / PIPELINE / "target" / "manifest.json"


def watched(*, deferrable: bool) -> DbtTaskGroup:
    """One `dbt build`, and tasks that wait for news of it; they need tests by dbt's own names, so dbt's manifest."""
    settings = current_settings()
    return DbtTaskGroup(
        group_id="dbt",
        project_config=ProjectConfig(
            settings.dbt_folder.resolve(), manifest_path=MANIFEST, project_name=PACKAGE, install_dbt_deps=False
        ),
        profile_config=profile(settings),
        execution_config=ExecutionConfig(
            execution_mode=ExecutionMode.WATCHER, test_indirect_selection=TestIndirectSelection.BUILDABLE
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_MANIFEST,
            select=[f"tag:{PIPELINE}"],
            emit_datasets=False,
            enable_mock_profile=False,
        ),
        operator_args={**OPERATOR_ARGS, "deferrable": deferrable, "poke_interval": 1},
    )


WAYS: Mapping[str, Callable[[], DbtTaskGroup]] = {
    "local_runner": lambda: dbt_groups(PIPELINE),
    "local_subprocess": lambda: dbt_groups(PIPELINE, InvocationMode.SUBPROCESS),
}
WATCHING: Mapping[str, Callable[[], DbtTaskGroup]] = {
    "watcher_poking": lambda: watched(deferrable=False),
    "watcher_deferrable": lambda: watched(deferrable=True),
}


@task(task_id="dbt_window")
def window_of_the_day() -> dict[str, str]:
    """The day that the run was asked for."""
    day: Any = get_current_context()["params"]["day"]
    return window_variables([Partition.parse(day, Granularity.DAY)])


def way(name: str, groups: Callable[[], DbtTaskGroup]) -> DAG:
    """The DAG of one way."""

    @dag(dag_id=name, schedule=None, params={"day": Param(type="string", format="date")})
    def models() -> None:
        chain(window_of_the_day(), groups())

    return models()


# The bench makes the manifest once the lake is up.
for name, groups in {**WAYS, **(WATCHING if MANIFEST.exists() else {})}.items():
    globals()[name] = way(name, groups)
