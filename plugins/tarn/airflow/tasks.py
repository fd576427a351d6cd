"""The tasks of a DAG of lanes: the steps as Airflow runs them. Between tasks only names, paths and URIs travel.

What a step needs is imported when its task runs: every task process parses the DAG's file, and only one of the steps
is its own.
"""

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow.sdk import Asset, TriggerRule, XComArg, chain, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tarn.airflow.lanes import Lane, Request, pipeline_datasets
from tarn.airflow.logs import LoggedProgress, describe
from tarn.airflow.outcomes import task_outcomes
from tarn.dataset import find_dataset
from tarn.marts import WINDOW, build_marts, window_variables
from tarn.partition import Granularity, Partition
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings

if TYPE_CHECKING:
    from google.cloud import bigquery

LABEL = "{{ task.op_kwargs['lane']['dataset'] }} {{ task.op_kwargs['lane']['partition'] }}"

log = logging.getLogger(__name__)


class Loaded(TypedDict):
    """A partition that is in the lake: its external table, its name and how long it is."""

    table: str
    partition: str
    granularity: str


@task
def plan_lanes(granularity: str, datasets: list[str]) -> list[Lane]:
    """Find out what the run was asked for: one lane a (dataset, partition)."""
    context = get_current_context()
    run = context["dag_run"]
    # Airflow mixes the whole configuration into the params; the DAG's own are those that it declares.
    params = {name: context["params"][name] for name in context["dag"].params}
    request = Request(params, run.conf or {}, run.partition_key, run.logical_date)
    with task_outcomes():
        folder = current_settings().datasets_folder
        own = {name: find_dataset(name, folder).partition_by for name in datasets}
        lanes = request.lanes(own, Granularity(granularity))
    log.info("%d lanes: %s", len(lanes), ", ".join(f"{lane['dataset']} {lane['partition']}" for lane in lanes))
    return lanes


@task(map_index_template=LABEL)
def download(lane: Lane) -> list[str]:
    """Fetch the publisher's file to the staging area; gives its path. Skipped where it is not published."""
    from tarn.airflow.secrets import key_from_connection

    return _written(_run("download", lane, secret_of=key_from_connection))


@task(map_index_template=LABEL)
def parquetize(lane: Lane) -> list[str]:
    """Bring the file's rows into the declared schema, as Parquet; gives the path."""
    return _written(_run("parquetize", lane))


@task(map_index_template=LABEL)
def upload_to_gcs(lane: Lane) -> list[str]:
    """Make the bucket hold exactly the partition's Parquet files; gives their gs:// URIs."""
    return _written(_run("upload", lane))


@task(map_index_template=LABEL)
def clean(lane: Lane) -> Lane:
    """Fetch the publisher's file, clean and cast its rows, and make the bucket hold them; gives the lane."""
    for step in ("download", "parquetize", "upload"):
        _run(step, lane)
    return lane


@task(map_index_template=LABEL)
def load_external_table(lane: Lane) -> Loaded:
    """Create or update the external table, prove the partition's row count, and hold it against its checks."""
    client = _client(current_settings())
    receipt = _run("load", lane, client=client)
    _run("validate", lane, client=client)
    return _loaded(lane, receipt)


@task(map_index_template=LABEL)
def load(lane: Lane) -> Loaded:
    """Create or update the external table, and prove the partition's row count."""
    return _loaded(lane, _run("load", lane, client=_client(current_settings())))


@task(map_index_template=LABEL)
def validate(lane: Lane) -> Loaded:
    """Hold the partition, once it is loaded, against the dataset's checks."""
    return _loaded(lane, _run("validate", lane, client=_client(current_settings())))


def _client(settings: Settings) -> "bigquery.Client":
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

    hook = BigQueryHook(gcp_conn_id=settings.airflow_connection, location=settings.location, use_legacy_sql=False)
    return hook.get_client(project_id=settings.project, location=settings.location)


def lanes(
    *steps: Any,
    pipeline: str,
    granularity: Granularity = Granularity.MONTH,
    datasets: Collection[str] | None = None,
    group: str = "lane",
    plan: XComArg | None = None,
) -> XComArg:
    """Let the steps follow one another in each of the run's lanes; gives what the last step gave, lane by lane.

    The run is asked for by partitions of ``granularity``; each dataset's lanes are partitions of its own. ``datasets``
    are those that these lanes are for, all of the pipeline by default. ``group`` names the task group, and a step is
    named by ``step.override(task_id=...)``. ``plan`` are the lanes of an earlier call's ``plan_lanes``, where the same
    lanes go through several groups one after the other.
    """
    settings = current_settings()
    names = [name for name in pipeline_datasets(pipeline, settings) if datasets is None or name in datasets]
    tables = [_lake_asset(name, settings) for name in names]
    *others, last = steps
    if last.function in (load_external_table.function, load.function, validate.function):
        last = last.override(outlets=tables)

    @task_group(group_id=group)
    def lane(lane: Lane) -> Any:
        """One dataset's partition on its way into the lake."""
        stages = [step(lane=lane) for step in (*others, last)]
        chain(*stages)
        return stages[-1]

    return cast(XComArg, lane.expand(lane=plan_lanes(str(granularity), names) if plan is None else plan))


def lake_tables(*datasets: str) -> list[Asset]:
    """The external tables of datasets, for the task that writes them to name as its outlets."""
    settings = current_settings()
    return [_lake_asset(name, settings) for name in datasets]


def dbt_build(loaded: XComArg, *, pipeline: str, marts: Sequence[str]) -> XComArg:
    """Build a pipeline's marts for the partitions that were loaded; one build at a time, whatever runs besides."""
    settings = current_settings()
    outlets = [Asset(f"{settings.marts_dataset}.{mart}", group="marts") for mart in marts]
    return _dbt_build.override(outlets=outlets)(loaded=loaded, pipeline=pipeline)


@task(task_id="dbt_build", trigger_rule=TriggerRule.NONE_FAILED, max_active_tis_per_dag=1)
def _dbt_build(loaded: Any, pipeline: str) -> None:
    partitions = loaded_partitions(loaded)
    with task_outcomes():
        build_marts(current_settings(), *partitions, pipeline=pipeline, say=log.info)


@task(trigger_rule=TriggerRule.NONE_FAILED)
def dbt_window(loaded: Any) -> dict[str, str]:
    """The loaded partitions as variables of the environment in which dbt is called.

    For DAGs that call dbt by other means than ``dbt_build``: their tasks are given WINDOW_OF_RUN. ``loaded`` may be a
    list of what several ``lanes`` gave.
    """
    return window_variables(loaded_partitions(loaded))


WINDOW_OF_RUN = {name: f"{{{{ ti.xcom_pull(task_ids='dbt_window')['{name}'] }}}}" for name in WINDOW}
"""What a DAG's task ``dbt_window`` gives, as templates for the environment of an operator."""


def loaded_partitions(loaded: Any) -> list[Partition]:
    """The partitions that lanes gave, the earliest first; where there are none, the task ends here."""
    partitions = [Partition.parse(one["partition"], Granularity(one["granularity"])) for one in _every_loaded(loaded)]
    if not partitions:
        _end_without_data()
    return sorted(partitions)


def _every_loaded(loaded: Any) -> Iterator[Loaded]:
    # Airflow hands over a list of Loaded; but of one lane the thing itself, and of none None.
    if isinstance(loaded, Mapping):
        yield cast(Loaded, loaded)
    else:
        for one in loaded or ():
            yield from _every_loaded(one)


def _end_without_data() -> None:
    message = (
        "Nothing that this run was asked for is published: its lanes were skipped, and the marts stay as they are."
    )
    # A backfill covers a range, in which a month may be missing; a run of its own was asked for this and nothing else.
    if get_current_context()["dag_run"].run_type == "backfill":
        raise AirflowSkipException(message)
    raise AirflowFailException(message)


def _run(step: str, lane: Lane, **extra: Any) -> Receipt:
    from tarn.pipeline import run_step

    with task_outcomes():
        settings = current_settings()
        dataset = find_dataset(lane["dataset"], settings.datasets_folder)
        partition = dataset.partition(lane["partition"])
        force = bool(get_current_context()["params"]["force"])
        receipt = run_step(step, dataset, partition, settings, force=force, progress=LoggedProgress(), **extra)
    log.info("%s", describe(receipt))
    return receipt


def _loaded(lane: Lane, receipt: Receipt) -> Loaded:
    settings = current_settings()
    asset = _lake_asset(lane["dataset"], settings)
    if get_current_context()["task"].outlets:
        _tell_of(asset, lane, receipt)
    own = find_dataset(lane["dataset"], settings.datasets_folder).partition_by
    return Loaded(table=f"{settings.project}.{asset.name}", partition=lane["partition"], granularity=own.value)


def _tell_of(asset: Asset, lane: Lane, receipt: Receipt) -> None:
    context = get_current_context()
    # Every lane's task is declared to write every table of the pipeline, and Airflow would tell of all of them. An
    # AssetAlias, made for this, fails where two lanes tell of the same asset at once.
    context["task"].outlets = [asset]
    event = context["outlet_events"][asset]
    event.add_partitions(lane["partition"])
    event.extra = {"rows": receipt.rows_written}


def _lake_asset(dataset: str, settings: Settings) -> Asset:
    table = find_dataset(dataset, settings.datasets_folder).table
    return Asset(f"{settings.lake_dataset}.{table}", group="lake")


def _written(receipt: Receipt) -> list[str]:
    return [artifact.uri for artifact in receipt.writes]
