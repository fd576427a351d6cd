"""What a download is about: the partition, the source that is asked for it, and where its files go."""

import datetime as dt
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Generic, TypeVar

import requests

from tarn.dataset import Dataset
from tarn.downloads.secrets import SecretOf, key_from_environment
from tarn.errors import NotPublished
from tarn.fetch import NotThere
from tarn.partition import Partition
from tarn.progress import Progress, silent
from tarn.receipt import Receipt
from tarn.retry import RetryPolicy
from tarn.settings import Settings
from tarn.source import ApiSource, FileSource
from tarn.staging import Workspace

STEP = "download"
USER_AGENT = "tarn (data lake; python-requests)"
OFFLINE = "offline"

AnySource = TypeVar("AnySource", FileSource, ApiSource)


@dataclass(frozen=True)
class Clock:
    """The time, and a way to let it pass; a test has a clock of its own."""

    now: Callable[[], dt.datetime] = lambda: dt.datetime.now(dt.UTC)
    monotonic: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


@dataclass(frozen=True)
class Manner:
    """How a download goes about it, whatever it downloads."""

    policy: RetryPolicy = field(default_factory=RetryPolicy)
    progress: Progress = silent
    clock: Clock = field(default_factory=Clock)
    secret_of: SecretOf = key_from_environment


@dataclass(frozen=True)
class Job(Generic[AnySource]):
    """One source, asked for one partition."""

    dataset: Dataset
    partition: Partition
    source: AnySource
    settings: Settings
    manner: Manner

    def __str__(self) -> str:
        return f"{self.dataset.name} {self.partition}"

    @property
    def workspace(self) -> Workspace:
        """Where the partition's files are."""
        return Workspace.of(self.dataset, self.partition, self.settings)

    def session(self) -> requests.Session:
        """A session with the publisher, which knows us by name and by the secret, if there is one."""
        session = requests.Session()
        session.headers["User-Agent"] = USER_AGENT
        offline = self.settings.publishers == OFFLINE
        session.trust_env = not offline  # a proxy cannot see this machine's own server
        key = self.source.key
        secret = self.manner.secret_of(key.publisher) if key and not offline else None
        if key and secret:
            session.headers[key.header] = secret
        return session

    def not_published(self, reason: NotThere, url: str) -> NotPublished:
        """Why there is nothing to download, in words."""
        why = f"{self.dataset.publisher} answers {reason} for {url}"
        if reason.status == HTTPStatus.FORBIDDEN:
            why += ", which it says of a file that is not there, and also to a client that asks too often"
        return NotPublished(f"{self}: not published: {why}.")


@dataclass(frozen=True)
class Download:
    """What a download came to; ``reused`` where the files are those that were here before."""

    receipt: Receipt
    reused: bool
