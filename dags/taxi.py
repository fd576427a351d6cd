"""# Taxi trips of New York

Every month, from the publisher's files to the marts. Each dataset's month goes its own way, a *lane*:

`download` → `parquetize` → `upload_to_gcs` → `load_external_table`, and after the last lane one `dbt_build`.

| Task | What it does | What it gives to the next |
| --- | --- | --- |
| `plan_lanes` | finds out which datasets and months the run was asked for | one lane each |
| `download` | fetches the publisher's file; skips the lane where the month is not published | its path |
| `parquetize` | casts the rows to the declared schema, puts bad ones into quarantine | the Parquet file's path |
| `upload_to_gcs` | replaces the month's objects in the bucket, checks what arrived | their `gs://` URIs |
| `load_external_table` | creates or updates the external table, proves the row count | the table and the month |
| `dbt_build` | builds and tests the marts for the months that were loaded | |

A task that finds its work done does nothing, so a run may be repeated at will: the same bytes, the same counts.

**Which months?** `start_month` and `end_month`, if given; else the run's partition key, such as `2020-04`; else the
month of its logical date. The schedule runs on the first of each month, for the month before.

| Param | Meaning |
| --- | --- |
| `start_month` | any day of the first month |
| `end_month` | any day of the last month, included; empty: only the first |
| `datasets` | which datasets, all by default |
| `force` | work again where nothing has changed |

Any other key in a run's configuration is refused by `plan_lanes`.

From a shell: `airflow dags backfill taxi -s 2020-04-01 -e 2020-06-30`.
"""

import datetime as dt

from airflow.sdk import dag

from tarn.airflow.alerts.notifier import alerts
from tarn.airflow.params import lane_params
from tarn.airflow.tasks import dbt_build, download, lanes, load_external_table, parquetize, upload_to_gcs
from tarn.airflow.timetable import after_each
from tarn.partition import Granularity


@dag(
    # No start date: the first scheduled run is the next one, and a backfill may go back as far as it likes.
    schedule=after_each(Granularity.MONTH, "0 0 1 * *"),
    catchup=False,
    max_active_runs=4,
    params=lane_params("taxi"),
    default_args={
        "owner": "tarn",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=10),
        "retry_exponential_backoff": 2,
        "max_retry_delay": dt.timedelta(minutes=10),
    },
    tags=["lake", "taxi"],
    doc_md=__doc__,
    **alerts(within=dt.timedelta(hours=2)),
)
def taxi() -> None:
    """Taxi trips of New York, month by month, from the publisher's files to the marts."""
    loaded = lanes(download, parquetize, upload_to_gcs, load_external_table, pipeline="taxi")
    dbt_build(loaded, pipeline="taxi", marts=["trips", "daily_revenue_by_zone", "monthly_summary"])


taxi()
