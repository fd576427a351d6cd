"""``python -m tarn.airflow.pools``: make the pools by which tasks, of whatever run and worker, go one at a time.

A publisher that limits how often it may be asked has a pool of one slot under its own name, and so have the marts that
no two tasks may build at once. A pool that is there already is left alone: its slots are the user's to change.
"""

import sys

from tarn.dataset import dataset_names, find_dataset
from tarn.errors import TarnError
from tarn.settings import Settings, current_settings

COLLISIONS_MARTS = "collisions_marts"


def needed_pools(settings: Settings) -> dict[str, str]:
    """The names of the pools that the DAGs need, and what each is for.

    Raises InvalidDataset where one of the datasets is wrong.
    """
    folder = settings.datasets_folder
    sources = (source for name in dataset_names(folder) for source in find_dataset(name, folder).sources)
    publishers = sorted({source.publisher for source in sources if source.requests_per_minute})
    return {
        **{name: f"one task at a time asks {name}" for name in publishers},
        COLLISIONS_MARTS: "one task at a time builds the marts of collisions: more slots would mix their rows",
    }


def main() -> int:
    """Make the pools that Airflow lacks; the exit code."""
    from airflow.models.pool import Pool

    try:
        pools = needed_pools(current_settings())
    except TarnError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command of its own
        return 1
    for name, purpose in pools.items():
        if Pool.get_pool(name) is None:
            Pool.create_or_update_pool(name, 1, purpose, include_deferred=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
