"""A small publisher with an API of its own, over real HTTP, and a dataset that asks it."""

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tarn.dataset import Dataset
from tarn.downloads.job import Clock
from tarn.receipt import Receipt
from tarn.retry import RetryPolicy
from tarn.settings import Settings
from tarn.steps.download import download

TODAY = dt.datetime(2024, 5, 20, 12, tzinfo=dt.UTC)
EAGER = RetryPolicy(tries=4, few_tries=2, first_wait=0.001, longest_wait=0.01, total_wait=100)


@dataclass(frozen=True)
class Asked:
    """A request that came."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True)
class Reply:
    """An answer: whatever is no bytes is sent as JSON."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Api:
    """A publisher that answers as the test has it, and remembers what it was asked."""

    def __init__(self) -> None:
        self.url = ""
        self.asked: list[Asked] = []
        self.first: list[Reply] = []  # sent before any answer
        self.answer: Callable[[Asked], Reply] = lambda _: Reply([])

    def reply(self, asked: Asked) -> Reply:
        self.asked.append(asked)
        return self.first.pop(0) if self.first else self.answer(asked)


class _Handler(BaseHTTPRequestHandler):
    api: Api

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        reply = self.api.reply(Asked(parts.path, dict(parse_qsl(parts.query)), headers))
        body = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status)
        for name, value in ({"Content-Length": str(len(body))} | reply.headers).items():
            self.send_header(name, value)
        self.end_headers()
        if reply.status != 304:
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def api() -> Iterator[Api]:
    api = Api()
    handler = type("Handler", (_Handler,), {"api": api})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        api.url = f"http://127.0.0.1:{server.server_port}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield api
        server.shutdown()


class StoppedClock:
    """Time that passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    @property
    def seconds(self) -> float:
        return sum(self.slept)

    def clock(self) -> Clock:
        return Clock(
            now=lambda: TODAY + dt.timedelta(seconds=self.seconds),
            monotonic=lambda: self.seconds,
            sleep=self.slept.append,
        )


@pytest.fixture
def time_() -> StoppedClock:
    return StoppedClock()


@pytest.fixture
def settings(tmp_path: Path, api: Api) -> Settings:
    return Settings(home=tmp_path / "home", publishers=api.url)


@pytest.fixture
def fetch(settings: Settings, time_: StoppedClock) -> Callable[..., Receipt]:
    """download at the test's own time, without waiting."""

    def run(dataset: Dataset, day: str, changes: dict[str, Any] | None = None, **options: Any) -> Receipt:
        own = settings.model_copy(update=changes or {})
        options = {"policy": EAGER, "clock": time_.clock()} | options
        return partial(download, dataset, dataset.partition(day), own)(**options)

    return run


def blocks(**source: Any) -> Dataset:
    """A dataset of blocks by day, whose one source is an API."""
    asked = {"q": "time({day}..{next})"}
    return Dataset.model_validate(
        {
            "name": "blocks",
            "description": "Blocks.",
            "publisher": "A chain",
            "sources": [
                {"format": "json", "url": "https://example.org/blocks", "mirror": "chain/blocks", "params": asked}
                | source
            ],
            "partition_by": "day",
            "columns": [{"name": "id", "type": "INT64", "description": "the block"}],
        }
    )


def paged(rows: int, **more: Any) -> Callable[[Asked], Reply]:
    """Answers of so many records by limit and offset."""

    def answer(asked: Asked) -> Reply:
        offset, limit = int(asked.query["offset"]), int(asked.query["limit"])
        ids = range(rows)[offset : offset + limit]
        return Reply({"data": [{"id": number} for number in ids], "context": {"code": 200, "total_rows": rows}} | more)

    return answer
