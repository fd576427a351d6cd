"""Where a message goes: the log, Slack and e-mail, each a real receiver on this machine."""

import importlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.airflow.alerts.receivers import Mailbox, Slack, running_mailbox, running_slack


@pytest.fixture
def slack() -> Iterator[Slack]:
    with running_slack() as slack:
        yield slack


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with running_mailbox() as mailbox:
        yield mailbox


@pytest.fixture(autouse=True)
def _airflow(airflow_home: Path) -> None:
    """Airflow with a home of the tests' own, loaded before a test looks at the log: it sets up logging anew."""
    importlib.import_module("tarn.airflow.alerts.channels")


def slack_connection(slack: Slack) -> str:
    return json.dumps({"conn_type": "slackwebhook", "host": slack.url, "password": "T0/B0/token"})


def mail_connection(mailbox: Mailbox, **extra: str) -> str:
    quiet = {"from_email": "lake@example.org", "disable_ssl": True, "disable_tls": True, "retry_limit": 1}
    return json.dumps({"conn_type": "smtp", "host": "127.0.0.1", "port": mailbox.port, "extra": quiet | extra})


def test_without_connections_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    from tarn.airflow.alerts.channels import Message, send

    with caplog.at_level(logging.WARNING):
        send(Message("taxi failed", "The run r1 failed: a task", "http://ui/dags/taxi"))
    assert caplog.messages == ["taxi failed\nThe run r1 failed: a task\nhttp://ui/dags/taxi"]


def test_both_channels_get_it(monkeypatch: pytest.MonkeyPatch, slack: Slack, mailbox: Mailbox) -> None:
    from tarn.airflow.alerts.channels import Message, send

    monkeypatch.setenv("AIRFLOW_CONN_TARN_SLACK", slack_connection(slack))
    monkeypatch.setenv("AIRFLOW_CONN_TARN_SMTP", mail_connection(mailbox, to="me@example.org"))
    send(Message("taxi failed", "because of <this>"))
    assert slack.texts == ["taxi failed\nbecause of <this>"]
    [mail] = mailbox.mails
    assert (mail["Subject"], mail["To"], mail["From"]) == ("taxi failed", "me@example.org", "lake@example.org")
    [part] = [part for part in mail.walk() if part.get_content_type() == "text/html"]
    assert b"because of &lt;this&gt;" in part.get_payload(decode=True)


def test_a_channel_that_fails_keeps_no_other_from_its_message(
    monkeypatch: pytest.MonkeyPatch, slack: Slack, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    from tarn.airflow.alerts.channels import Message, send

    slack.status = 500
    monkeypatch.setenv("AIRFLOW_CONN_TARN_SLACK", slack_connection(slack))
    monkeypatch.setenv("AIRFLOW_CONN_TARN_SMTP", mail_connection(mailbox, to="me@example.org"))
    send(Message("taxi failed", "why"))
    assert len(mailbox.mails) == 1
    assert "could not be sent by the connection tarn_slack" in caplog.text
    assert "token" not in caplog.text


def test_a_mail_connection_without_recipient_is_told(
    monkeypatch: pytest.MonkeyPatch, mailbox: Mailbox, caplog: pytest.LogCaptureFixture
) -> None:
    from tarn.airflow.alerts.channels import Message, send

    monkeypatch.setenv("AIRFLOW_CONN_TARN_SMTP", mail_connection(mailbox))
    send(Message("taxi failed", "why"))
    assert mailbox.mails == []
    assert 'its extra names no recipient: add {"to": "you@example.org"}' in caplog.text


def test_a_missed_deadline_is_told(monkeypatch: pytest.MonkeyPatch, slack: Slack) -> None:
    from tarn.airflow.alerts.notifier import tell_of_deadline

    monkeypatch.setenv("AIRFLOW_CONN_TARN_SLACK", slack_connection(slack))
    run = {"dag_id": "taxi", "dag_run_id": "r1", "state": "running"}
    tell_of_deadline({"dag_run": run, "deadline": {"deadline_time": "2026-01-01 02:00:00+00:00"}})
    [text] = slack.texts
    assert text.startswith("taxi is late\nThe run r1 should have ended by 2026-01-01 02:00:00+00:00 and is running.\n")
    assert text.endswith("/dags/taxi/runs/r1")
