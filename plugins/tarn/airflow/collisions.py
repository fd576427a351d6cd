"""The four tasks of the DAG ``collisions``: only the first knows what a run asks for, and the rest follow it."""

import logging
from typing import Any

from airflow.sdk import Asset, TriggerRule, XComArg, get_current_context, task
from airflow.sdk.exceptions import AirflowSkipException

from tarn.airflow.lanes import Lane
from tarn.airflow.outcomes import task_outcomes
from tarn.airflow.pools import COLLISIONS_MARTS
from tarn.airflow.tasks import (
    LABEL,
    Loaded,
    download,
    lake_tables,
    load_external_table,
    loaded_partitions,
    parquetize,
    plan_lanes,
    upload_to_gcs,
)
from tarn.marts import build_marts
from tarn.partition import Granularity
from tarn.settings import current_settings

PIPELINE = "collisions"
UPDATES, HISTORY = "collisions_updates", "collisions_history"
CURATED = ("crashes", "crash_vehicles", "dim_boroughs", "dim_dates")
ANALYTICS = ("crashes_by_borough", "crashes_by_hour", "crashes_by_factor", "crashes_by_severity")

log = logging.getLogger(__name__)


@task(pool="socrata")
def ingest_raw() -> list[Lane]:
    """Fetch what the run was asked for, the earliest first; gives the partitions that are published.

    One after the other, because a day asks for what has changed since the days before it.
    """
    published = []
    for lane in _asked_for():
        try:
            download.function(lane)
        except AirflowSkipException as reason:
            log.warning("%s", reason)
        else:
            published.append(lane)
    return published


def _asked_for() -> list[Lane]:
    params = get_current_context()["params"]
    by_year = params["start_year"] or params["end_year"]
    by_day = params["start_day"] or params["end_day"] or not by_year
    lanes = plan_lanes.function(str(Granularity.YEAR), [HISTORY]) if by_year else []
    return lanes + (plan_lanes.function(str(Granularity.DAY), [UPDATES]) if by_day else [])


@task(map_index_template=LABEL)
def _transform_clean(lane: Lane) -> Loaded:
    """Bring a partition's rows into the declared schema, into the bucket and into its external table; check them."""
    parquetize.function(lane)
    upload_to_gcs.function(lane)
    loaded: Loaded = load_external_table.function(lane)
    return loaded


def transform_clean(published: XComArg) -> XComArg:
    """A task for each partition that is published."""
    clean = _transform_clean.override(task_id="transform_clean", outlets=lake_tables(UPDATES, HISTORY))
    cleaned: XComArg = clean.expand(lane=published)
    return cleaned


# A backfill has more runs at a time than the DAG, and one's analyses must not meet another's half-built crashes,
# whichever worker builds them.
@task(trigger_rule=TriggerRule.NONE_FAILED, pool=COLLISIONS_MARTS)
def _build(loaded: Any, arguments: list[str]) -> None:
    partitions = loaded_partitions(loaded)
    with task_outcomes():
        build_marts(current_settings(), *partitions, pipeline=PIPELINE, arguments=arguments, say=log.info)


def transform_curated(loaded: XComArg) -> XComArg:
    """dbt: one row a crash, its vehicles and factors, boroughs and dates, with their tests."""
    return _layer("transform_curated", loaded, CURATED, ["--exclude", "tag:analytics"])


def model_analytics(loaded: XComArg) -> XComArg:
    """dbt: the analyses of the crashes, with their tests."""
    return _layer("model_analytics", loaded, ANALYTICS, ["--select", f"tag:{PIPELINE},tag:analytics"])


def _layer(name: str, loaded: XComArg, marts: tuple[str, ...], arguments: list[str]) -> XComArg:
    dataset = current_settings().marts_dataset
    outlets = [Asset(f"{dataset}.{mart}", group="marts") for mart in marts]
    built: XComArg = _build.override(task_id=name, outlets=outlets)(loaded=loaded, arguments=arguments)
    return built
