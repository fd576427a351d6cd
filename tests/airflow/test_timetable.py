"""The times at which DAGs run by themselves."""

import datetime as dt
from typing import Any

import pendulum
import pytest
from airflow.serialization.decoders import decode_timetable
from airflow.serialization.encoders import encode_timetable
from airflow.timetables.base import TimeRestriction

from tarn.airflow.timetable import after_each
from tarn.partition import Granularity

DAILY, MONTHLY = (Granularity.DAY, "0 0 * * *"), (Granularity.MONTH, "0 0 1 * *")


def first_run(schedule: tuple[Granularity, str], now: dt.datetime, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the scheduler makes of it for a DAG that is switched on now, and has never run."""
    monkeypatch.setattr("airflow.timetables.trigger.utcnow", lambda: now)
    timetable: Any = decode_timetable(encode_timetable(after_each(*schedule)))
    never = TimeRestriction(earliest=None, latest=None, catchup=False)
    return timetable.next_dagrun_info_v2(last_dagrun_info=None, restriction=never)


@pytest.mark.parametrize(
    ("schedule", "now", "run_after", "key"),
    [
        (DAILY, "2026-11-27T00:00:01", "2026-11-28T00:00:00", "2026-11-27"),
        (DAILY, "2026-11-27T23:59:59", "2026-11-28T00:00:00", "2026-11-27"),
        (MONTHLY, "2026-12-01T06:00:00", "2027-01-01T00:00:00", "2026-12"),
    ],
)
def test_a_dag_that_is_switched_on_waits_for_the_next_time(
    schedule: tuple[Granularity, str], now: str, run_after: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    info = first_run(schedule, pendulum.parse(now), monkeypatch)
    assert (info.run_after, info.partition_key) == (pendulum.parse(run_after), key)
