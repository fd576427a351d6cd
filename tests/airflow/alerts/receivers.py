"""A Slack and a mail server of the tests' own, which keep what they are sent."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

PATIENCE_SECONDS = 120
POLL_SECONDS = 0.2


@dataclass
class Slack:
    """An incoming webhook at ``url``; ``status`` is what it answers."""

    url: str = ""
    status: int = 200
    texts: list[str] = field(default_factory=list)


@dataclass
class Mailbox:
    """An SMTP server's inbox."""

    port: int = 0
    mails: list[Message] = field(default_factory=list)

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        """Called by aiosmtpd for each mail."""
        self.mails.append(message_from_bytes(envelope.content or b""))
        return "250 OK"


@contextmanager
def running_slack() -> Iterator[Slack]:
    """Listen until the block ends."""
    slack = Slack()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            slack.texts.append(json.loads(body)["text"])
            self.send_response(slack.status)
            self.end_headers()
            self.wfile.write(b"ok" if slack.status == 200 else b"no_service")

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    slack.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield slack
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running_mailbox() -> Iterator[Mailbox]:
    """Listen until the block ends."""
    mailbox = Mailbox()
    with socket.create_server(("127.0.0.1", 0)) as probe:
        mailbox.port = probe.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=mailbox.port)
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def await_true(condition: Callable[[], object]) -> None:
    """Return once it holds; an assertion fails where it never does."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "what was waited for never came"
        time.sleep(POLL_SECONDS)
