"""# Coins and Bitcoin's network

Every day at one o'clock, for the day before: the market and the followed coins' courses from CoinGecko, Bitcoin's
blocks and transactions from Blockchair, and marts of both.

`start` → the groups `coingecko` and `blockchair`, side by side → `dbt_deps` → `dbt_seed` → `dbt_run` → `dbt_test` →
`end`

| Task | What it does | What it gives to the next |
| --- | --- | --- |
| `plan_lanes` | finds out which datasets and days the run was asked for | one lane each |
| `download` | fetches the publisher's file or answers; skips the lane where the day is not published | their paths |
| `parquetize` | casts the rows to the declared schema, puts bad ones into quarantine | the Parquet file's path |
| `upload_to_gcs` | replaces the day's objects in the bucket, checks what arrived | their `gs://` URIs |
| `load_external_table` | creates or updates the external table, proves the row count, holds its checks | the day |
| `dbt_window` | tells dbt which days were loaded | them |
| `dbt_deps` | installs dbt's packages, which lie in the project | |
| `dbt_seed` | loads the list of coins | |
| `dbt_run` | builds the models of the days that were loaded | |
| `dbt_test` | holds the models to their tests | |

A task that finds its work done does nothing, so a run may be repeated at will: the same bytes, the same counts.

Both publishers limit how often they may be asked. A pool of one slot for each, `coingecko` and `blockchair`, keeps
downloads from asking side by side, and the rate of one is a setting: `TARN_RATE_LIMITS`. A key is taken from the
connection of the publisher's name, or from `TARN_KEY_COINGECKO`.

**Which days?** `start_day` and `end_day`, if given; else the run's partition key, such as `2024-04-14`; else the day of
its logical date.

| Param | Meaning |
| --- | --- |
| `start_day` | the first day |
| `end_day` | the last day, included; empty: only the first |
| `datasets` | which datasets, all by default |
| `force` | work again where nothing has changed |

Any other key in a run's configuration is refused by `plan_lanes`.

From a shell: `airflow dags backfill crypto -s 2024-04-14 -e 2024-04-20`.
"""

import datetime as dt

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import chain, dag, task_group

from tarn.airflow.alerts.notifier import alerts
from tarn.airflow.dbt_commands import dbt_commands
from tarn.airflow.params import lane_params
from tarn.airflow.tasks import dbt_window, download, lanes, load_external_table, parquetize, plan_lanes, upload_to_gcs
from tarn.airflow.timetable import after_each
from tarn.partition import Granularity

DATASETS = {
    "coingecko": ["crypto_markets", "crypto_prices"],
    "blockchair": ["crypto_blocks", "crypto_transactions"],
}

MARTS = [
    "crypto_coins",
    "crypto_daily_prices",
    "crypto_daily_blocks",
    "crypto_daily_fees",
    "crypto_price_and_network",
]


@dag(
    # No start date: the first scheduled run is the next one, and a backfill may go back as far as it likes.
    schedule=after_each(Granularity.DAY, "0 1 * * *"),
    catchup=False,
    # Side by side two runs would only wait for each other, at the publishers' pools and at dbt.
    max_active_runs=1,
    params=lane_params("crypto", Granularity.DAY),
    default_args={
        "owner": "tarn",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=10),
        "retry_exponential_backoff": 2,
        "max_retry_delay": dt.timedelta(minutes=10),
    },
    tags=["lake", "crypto"],
    doc_md=__doc__,
    **alerts(within=dt.timedelta(hours=2)),
)
def crypto() -> None:
    """Coins and Bitcoin's network, day by day, from the publishers to the marts."""
    start, end = EmptyOperator(task_id="start"), EmptyOperator(task_id="end")

    def ingest(publisher: str):  # type: ignore[no-untyped-def]
        """The lanes of a publisher's datasets."""
        steps = (download.override(pool=publisher), parquetize, upload_to_gcs, load_external_table)

        @task_group(group_id=publisher)
        def group():  # type: ignore[no-untyped-def]
            plan = plan_lanes(str(Granularity.DAY), DATASETS[publisher])
            start >> plan
            return lanes(*steps, pipeline="crypto", datasets=DATASETS[publisher], plan=plan)

        return group()

    loaded = [ingest(publisher) for publisher in DATASETS]
    deps, seed, _, test = dbt_commands("crypto", MARTS)
    chain(loaded, deps)
    dbt_window(loaded=loaded) >> seed
    chain(test, end)


crypto()
