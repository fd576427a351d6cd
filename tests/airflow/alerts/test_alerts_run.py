"""Alerts of a real Airflow, by connections that a person made in it."""

from collections.abc import Iterator

import pytest

from tests.airflow.alerts.receivers import Slack, await_true, running_slack
from tests.airflow.conftest import Lake

pytestmark = pytest.mark.slow

ONE_SMALL = {"datasets": ["taxi_zones"]}


@pytest.fixture
def slack(lake: Lake) -> Iterator[Slack]:
    with running_slack() as slack:
        where = {"conn_type": "slackwebhook", "host": slack.url, "password": "T0/B0/token"}
        lake.rest("POST", "/connections", json={"connection_id": "tarn_slack", **where})
        try:
            yield slack
        finally:
            lake.rest("DELETE", "/connections/tarn_slack")


def test_a_failure_is_told_and_the_first_success_after_it_and_no_other(lake: Lake, slack: Slack) -> None:
    failed = lake.run("taxi", {"datasets": ["taxi_green"]}, partition_key="2009-01")
    assert failed.state == "failed"
    await_true(lambda: slack.texts)
    assert slack.texts[0].startswith(f"taxi failed\nThe run {failed.run_id} failed: ")
    assert slack.texts[0].endswith(f"{lake.address}/dags/taxi/runs/{failed.run_id}")

    healed = lake.run("taxi", ONE_SMALL, partition_key="2020-04")
    assert healed.state == "success"
    await_true(lambda: len(slack.texts) > 1)
    assert slack.texts[1].startswith(f"taxi works again\nThe run {healed.run_id} succeeded; the last failure was ")

    assert lake.run("taxi", ONE_SMALL, partition_key="2020-05").state == "success"
    again = lake.run("taxi", {"datasets": ["taxi_green"]}, partition_key="2009-01")
    await_true(lambda: len(slack.texts) > 2)
    assert [text.splitlines()[0] for text in slack.texts] == ["taxi failed", "taxi works again", "taxi failed"]
    assert again.run_id in slack.texts[2]
