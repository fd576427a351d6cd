"""The models of a pipeline as groups of tasks, by Cosmos: one group a model, in which it is run and then tested.

How Cosmos is told to work was chosen by measuring; the figures are in docs/customers.md. dbt runs in the task's own
process, which is a fork of one that has imported dbt already.
"""

from airflow.sdk import Asset
from cosmos import DbtTaskGroup, ExecutionConfig, ProfileConfig, ProjectConfig, RenderConfig
from cosmos.constants import InvocationMode, LoadMode, TestIndirectSelection

from tarn.airflow.dbt_graph import PACKAGE, pipeline_models, write_listing
from tarn.airflow.tasks import WINDOW_OF_RUN
from tarn.settings import Settings, current_settings

OPERATOR_ARGS = {
    "install_deps": False,
    "append_env": True,
    # Unit tests hold the models' code, not the day's data: they belong to the project's tests.
    "env": {"DBT_EXCLUDE_RESOURCE_TYPES": "unit_test", "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"} | WINDOW_OF_RUN,
}
"""What every task of dbt is told: its partitions are those that the DAG's task ``dbt_window`` gives."""


def dbt_groups(pipeline: str, invocation: InvocationMode = InvocationMode.DBT_RUNNER) -> DbtTaskGroup:
    """A group named ``dbt`` with a group for each model, in the order in which models read one another.

    A mart is told of as an asset once it has held its tests. The DAG must have a task ``dbt_window``.
    """
    settings = current_settings()
    project = settings.dbt_folder.resolve()
    listing = write_listing(project, pipeline, settings.home.resolve() / "dbt" / pipeline / "models.jsonl")
    group = DbtTaskGroup(
        group_id="dbt",
        project_config=ProjectConfig(project, project_name=PACKAGE, install_dbt_deps=False),
        profile_config=profile(settings),
        execution_config=ExecutionConfig(
            invocation_mode=invocation,
            # A test that compares two models runs once both are built.
            test_indirect_selection=TestIndirectSelection.BUILDABLE,
        ),
        render_config=RenderConfig(
            load_method=LoadMode.DBT_LS_FILE, dbt_ls_path=listing, emit_datasets=False, enable_mock_profile=False
        ),
        operator_args=OPERATOR_ARGS,
    )
    for mart in (model.name for model in pipeline_models(project, pipeline) if model.is_mart):
        group.dag.task_dict[f"{group.group_id}.{mart}.test"].outlets = [
            Asset(f"{settings.marts_dataset}.{mart}", group="marts")
        ]
    return group


def profile(settings: Settings) -> ProfileConfig:
    """The project's own profile, with the target of the settings."""
    file = settings.dbt_folder.resolve() / "profiles.yml"
    return ProfileConfig(PACKAGE, settings.target.value, profiles_yml_filepath=file)
