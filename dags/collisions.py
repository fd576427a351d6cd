"""# Crashes of New York

Every day, what the city's police have put in or mended, from the open-data portal to the marts; years of history when
asked for.

`ingest_raw` → `transform_clean` → `transform_curated` → `model_analytics`

| Task | What it does | What it gives to the next |
| --- | --- | --- |
| `ingest_raw` | finds out what the run was asked for, and fetches it page by page | the partitions that are published |
| `transform_clean` | for each: rows in types, bad ones in quarantine, uploaded, loaded, checked | what was loaded |
| `transform_curated` | dbt: one row a crash, its latest state; vehicles and factors; boroughs and dates | |
| `model_analytics` | dbt: crashes by borough, hour, factor and severity | |

Each task finds its own work done where it is, so a run may be repeated at will: the same bytes, the same counts.

**Which partitions?** Of the updates the days from `start_day` to `end_day`, if given; else the run's partition key,
such as `2022-04-18`; else the day of its logical date. A day asks for what has changed since the newest change of the
days before it. Of the history the years from `start_year` to `end_year`; with years and without days, no updates. The
schedule runs every midnight for the day before, and never asks for history.

| Param | Meaning |
| --- | --- |
| `start_day` | first day of the updates |
| `end_day` | last day of the updates, included; empty: only the first |
| `start_year` | any day of the first year of history |
| `end_year` | any day of the last year of history, included; empty: only the first |
| `datasets` | which datasets, all by default |
| `force` | work again where nothing has changed |

Any other key in a run's configuration is refused by `ingest_raw`.

From a shell: `airflow dags backfill collisions -s 2022-04-18 -e 2022-04-20`.
"""

import datetime as dt

from airflow.sdk import dag

from tarn.airflow.alerts.notifier import alerts
from tarn.airflow.collisions import ingest_raw, model_analytics, transform_clean, transform_curated
from tarn.airflow.params import lane_params
from tarn.airflow.timetable import after_each
from tarn.partition import Granularity

PIPELINE = "collisions"


@dag(
    # No start date: the first scheduled run is the next one, and a backfill may go back as far as it likes.
    schedule=after_each(Granularity.DAY, "0 0 * * *"),
    catchup=False,
    # A day's window begins where the days before it ended: they are asked for one after the other.
    max_active_runs=1,
    params=lane_params(PIPELINE, Granularity.DAY)
    | {name: param for name, param in lane_params(PIPELINE, Granularity.YEAR).items() if name.endswith("_year")},
    default_args={
        "owner": "tarn",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=10),
        "retry_exponential_backoff": 2,
        "max_retry_delay": dt.timedelta(minutes=10),
    },
    tags=["lake", "collisions"],
    doc_md=__doc__,
    **alerts(within=dt.timedelta(hours=2)),
)
def collisions() -> None:
    """Crashes of New York, day by day and year by year, from the portal to the marts."""
    loaded = transform_clean(ingest_raw())
    transform_curated(loaded) >> model_analytics(loaded)


collisions()
