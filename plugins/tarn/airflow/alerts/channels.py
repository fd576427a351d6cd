"""Where a message goes: always to the log, and to Slack and e-mail where Airflow has a connection for them.

| Connection | Type | What it needs |
| --- | --- | --- |
| ``tarn_slack`` | Slack Incoming Webhook | the webhook's token as password, as Slack gives it |
| ``tarn_smtp`` | SMTP | host and port; extra: ``{"from_email": ..., "to": ...}`` |
"""

import html
import logging
from collections.abc import Callable
from dataclasses import dataclass

from airflow.sdk import Connection
from airflow.sdk.exceptions import AirflowException, AirflowNotFoundException

SLACK = "tarn_slack"
SMTP = "tarn_smtp"

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Message:
    """What people are told; ``page`` is where the UI shows it, where that is known."""

    subject: str
    text: str
    page: str | None = None

    def __str__(self) -> str:
        return "\n".join(part for part in (self.subject, self.text, self.page) if part)


def send(message: Message) -> None:
    """Log the message, and send it wherever a connection leads.

    A channel that fails is logged and keeps no other from its message.
    """
    log.warning("%s", message)
    for connection_id, deliver in CHANNELS.items():
        connection = _connection(connection_id)
        if connection is None:
            continue
        try:
            deliver(message, connection)
        except (AirflowException, OSError, ValueError) as error:
            log.error("The alert could not be sent by the connection %s: %s", connection_id, error)


def _connection(connection_id: str) -> Connection | None:
    try:
        return Connection.get(connection_id)
    except AirflowNotFoundException:
        return None


def _to_slack(message: Message, _connection: Connection) -> None:
    from airflow.providers.slack.hooks.slack_webhook import SlackWebhookHook

    SlackWebhookHook(slack_webhook_conn_id=SLACK).send_text(str(message))


def _to_mail(message: Message, connection: Connection) -> None:
    from airflow.providers.smtp.hooks.smtp import SmtpHook

    recipients = connection.extra_dejson.get("to")
    if not recipients:
        raise ValueError('its extra names no recipient: add {"to": "you@example.org"}')
    with SmtpHook(smtp_conn_id=SMTP) as mail:
        mail.send_email_smtp(
            to=recipients, subject=message.subject, html_content=f"<pre>{html.escape(str(message))}</pre>"
        )


CHANNELS: dict[str, Callable[[Message, Connection], None]] = {SLACK: _to_slack, SMTP: _to_mail}
