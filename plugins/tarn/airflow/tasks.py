"""The tasks of a DAG of lanes: the steps as Airflow runs them. Between tasks only names, paths and URIs travel.

What a step needs is imported when its task runs: every task process parses the DAG's file, and only one of the steps
is its own.
"""

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypedDict, cast

from airflow.sdk import Asset, TriggerRule, XComArg, chain, get_current_context, task, task_group
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from tarn.airflow.lanes import Lane, Request, pipeline_datasets
from tarn.airflow.logs import LoggedProgress, describe
from tarn.airflow.outcomes import task_outcomes
from tarn.dataset import find_dataset
from tarn.partition import Granularity, Partition
from tarn.receipt import Receipt
from tarn.settings import Settings, current_settings

if TYPE_CHECKING:
    from google.cloud import bigquery

CONNECTION = "google_cloud_default"
LABEL = "{{ task.op_kwargs['lane']['dataset'] }} {{ task.op_kwargs['lane']['partition'] }}"

log = logging.getLogger(__name__)


class Loaded(TypedDict):
    """A partition that is in the lake: its external table and its name."""

    table: str
    partition: str


@task
def plan_lanes(granularity: str) -> list[Lane]:
    """Find out what the run was asked for: one lane a (dataset, partition)."""
    context = get_current_context()
    run = context["dag_run"]
    # Airflow mixes the whole configuration into the params; the DAG's own are those that it declares.
    params = {name: context["params"][name] for name in context["dag"].params}
    request = Request(params, run.conf or {}, run.partition_key, run.logical_date)
    with task_outcomes():
        lanes = request.lanes(Granularity(granularity))
    log.info("%d lanes: %s", len(lanes), ", ".join(f"{lane['dataset']} {lane['partition']}" for lane in lanes))
    return lanes


@task(map_index_template=LABEL)
def download(lane: Lane) -> list[str]:
    """Fetch the publisher's file to the staging area; gives its path. Skipped where it is not published."""
    return _written(_run("download", lane))


@task(map_index_template=LABEL)
def parquetize(lane: Lane) -> list[str]:
    """Bring the file's rows into the declared schema, as Parquet; gives the path."""
    return _written(_run("parquetize", lane))


@task(map_index_template=LABEL)
def upload_to_gcs(lane: Lane) -> list[str]:
    """Make the bucket hold exactly the partition's Parquet files; gives their gs:// URIs."""
    return _written(_run("upload", lane))


@task(map_index_template=LABEL)
def load_external_table(lane: Lane) -> Loaded:
    """Create or update the external table, prove the partition's row count, and hold it against its checks."""
    settings = current_settings()
    client = _client(settings)
    receipt = _run("load", lane, client=client)
    _run("validate", lane, client=client)
    asset = _lake_asset(lane["dataset"], settings)
    _tell_of(asset, lane, receipt)
    return Loaded(table=f"{settings.project}.{asset.name}", partition=lane["partition"])


def _client(settings: Settings) -> "bigquery.Client":
    from airflow.providers.google.cloud.hooks.bigquery import BigQueryHook

    hook = BigQueryHook(gcp_conn_id=CONNECTION, location=settings.location, use_legacy_sql=False)
    return hook.get_client(project_id=settings.project, location=settings.location)


def lanes(*steps: Any, pipeline: str, granularity: Granularity = Granularity.MONTH) -> XComArg:
    """Let the steps follow one another in each of the run's lanes; gives what the last step gave, lane by lane.

    The last step is the one that writes the pipeline's tables.
    """
    settings = current_settings()
    tables = [_lake_asset(name, settings) for name in pipeline_datasets(pipeline, settings)]
    *others, last = steps

    @task_group
    def lane(lane: Lane) -> Any:
        """One dataset's partition on its way into the lake."""
        stages = [step(lane=lane) for step in (*others, last.override(outlets=tables))]
        chain(*stages)
        return stages[-1]

    return cast(XComArg, lane.expand(lane=plan_lanes(str(granularity))))


def dbt_build(loaded: XComArg, *, pipeline: str, marts: Sequence[str]) -> XComArg:
    """Build a pipeline's marts for the partitions that were loaded; one build at a time, whatever runs besides."""
    settings = current_settings()
    outlets = [Asset(f"{settings.marts_dataset}.{mart}", group="marts") for mart in marts]
    return _dbt_build.override(outlets=outlets)(loaded=loaded, pipeline=pipeline)


@task(task_id="dbt_build", trigger_rule=TriggerRule.NONE_FAILED, max_active_tis_per_dag=1)
def _dbt_build(loaded: Any, pipeline: str) -> None:
    from tarn.marts import build_marts

    # Airflow hands over a list of Loaded; but of one lane the thing itself, and of none None.
    every = [loaded] if isinstance(loaded, dict) else loaded or ()
    partitions = sorted(Partition.parse(one["partition"]) for one in every)
    if not partitions:
        _end_without_data()
    with task_outcomes():
        build_marts(current_settings(), partitions[0], partitions[-1], pipeline=pipeline, say=log.info)


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
