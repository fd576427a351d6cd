"""When a DAG runs by itself: at a time of the schedule, for the partition that has just ended."""

import datetime as dt

from airflow.sdk import CronPartitionTimetable

from tarn.partition import Granularity

_KEYS = {Granularity.YEAR: "%Y", Granularity.MONTH: "%Y-%m", Granularity.DAY: "%Y-%m-%d"}


def after_each(granularity: Granularity, cron: str) -> CronPartitionTimetable:
    """A run at each of the cron's times in UTC, whose partition key names the partition before that time.

    A DAG that is switched on waits for the next one.
    """
    return CronPartitionTimetable(
        cron,
        timezone="UTC",
        run_offset=-1,
        key_format=_KEYS[granularity],
        # Airflow 3.3 takes False for "if a tenth of the interval has not gone by", and no time at all for never.
        run_immediately=dt.timedelta(),
    )
