"""# Customers of a shop

Every day, for the delivery of the day before: a CSV file that people have typed, cleaned by declared rules, and marts
in which each transaction is one row, however often the shop has sent it.

`plan_lanes` → `clean` → `load` → `validate` → `dbt_window` → a group of tasks for each model

| Task | What it does | What it gives to the next |
| --- | --- | --- |
| `plan_lanes` | finds out which deliveries the run was asked for | one lane each |
| `clean` | fetches the delivery, cleans its rows, puts them into the bucket; skipped where there is none | the lane |
| `load` | creates or updates the external table, proves the row count | the table and the day |
| `validate` | holds the day's rows against the checks of the dataset | the table and the day |
| `dbt_window` | tells dbt which days were loaded | them |
| `dbt.stg_customer_transactions` | `run`, then `test` | |
| `dbt.dim_customers`, `dbt.dim_products` | `run`, then `test`, side by side | |
| `dbt.fact_transactions` | `run`, then `test` | |
| `dbt.agg_monthly_sales` | `run`, then `test` | |

A task that finds its work done does nothing, so a run may be repeated at will: the same bytes, the same counts.

**What is cleaned?** What `datasets/customers_transactions.yaml` declares, rule by rule. Each row is kept as it is,
repaired or put into quarantine, and the receipt counts them by rule.

**Which days?** `start_day` and `end_day`, if given; else the run's partition key, such as `2023-07-14`; else the day of
its logical date.

| Param | Meaning |
| --- | --- |
| `start_day` | the first delivery |
| `end_day` | the last delivery, included; empty: only the first |
| `datasets` | which datasets; there is one |
| `force` | work again where nothing has changed |

Any other key in a run's configuration is refused by `plan_lanes`.

From a shell: `airflow dags backfill customers -s 2023-07-10 -e 2023-07-16`.
"""

import datetime as dt

from airflow.sdk import TriggerRule, chain, dag

from tarn.airflow.alerts.notifier import alerts
from tarn.airflow.dbt_groups import dbt_groups
from tarn.airflow.params import lane_params
from tarn.airflow.tasks import clean, dbt_window, lake_tables, load, plan_lanes, validate
from tarn.airflow.timetable import after_each
from tarn.partition import Granularity

DATASETS = ["customers_transactions"]


@dag(
    # No start date: the first scheduled run is the next one, and a backfill may go back as far as it likes.
    schedule=after_each(Granularity.DAY, "0 0 * * *"),
    catchup=False,
    # Two runs would write the same marts, each in steps.
    max_active_runs=1,
    params=lane_params("customers", Granularity.DAY),
    default_args={
        "owner": "tarn",
        "retries": 3,
        "retry_delay": dt.timedelta(seconds=10),
        "retry_exponential_backoff": 2,
        "max_retry_delay": dt.timedelta(minutes=10),
    },
    tags=["lake", "customers"],
    doc_md=__doc__,
    **alerts(within=dt.timedelta(hours=2)),
)
def customers() -> None:
    """What a shop's customers bought, delivery by delivery, from the shop's files to the marts."""
    # A delivery that is not there skips its lane, and no other.
    others_go_on = {"trigger_rule": TriggerRule.NONE_FAILED}
    cleaned = clean.expand(lane=plan_lanes(str(Granularity.DAY), DATASETS))
    loaded = load.override(**others_go_on).expand(lane=cleaned)
    validated = validate.override(outlets=lake_tables(*DATASETS), **others_go_on).expand(lane=cleaned)
    chain(loaded, validated, dbt_window(loaded=validated), dbt_groups("customers"))


customers()
