"""The trigger form of a DAG of lanes: date pickers, a multi-select of its datasets, and force."""

from airflow.sdk import Param

from tarn.airflow.lanes import pipeline_datasets
from tarn.partition import Granularity
from tarn.settings import current_settings


def lane_params(pipeline: str, granularity: Granularity = Granularity.MONTH) -> dict[str, Param]:
    """The params of a pipeline's DAG. All its datasets are chosen unless a run says otherwise."""
    names = pipeline_datasets(pipeline, current_settings())
    return {
        f"start_{granularity}": Param(
            None,
            type=["null", "string"],
            format="date",
            title=f"First {granularity}",
            description=f"Any day of the first {granularity}. Empty: the run's partition key or logical date decides.",
        ),
        f"end_{granularity}": Param(
            None,
            type=["null", "string"],
            format="date",
            title=f"Last {granularity}",
            description=f"Any day of the last {granularity}, which is included. Empty: only the first {granularity}.",
        ),
        "datasets": Param(
            names,
            type="array",
            title="Datasets",
            description="Which datasets to bring up to date.",
            items={"type": "string", "enum": names},
            examples=names,
            minItems=1,
            uniqueItems=True,
        ),
        "force": Param(
            False,
            type="boolean",
            title="Force",
            description="Work again where nothing has changed since the last time.",
        ),
    }
