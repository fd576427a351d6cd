"""What the lake's programs say to Google, recorded at the wire between them and the emulators."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from .discovery import Api, api
from .recorder import Exchange, Recorder, recording


@dataclass(frozen=True)
class Tape:
    """What passed while some program ran."""

    bigquery: list[Exchange] = field(default_factory=list)
    storage: list[Exchange] = field(default_factory=list)

    def methods(self) -> Counter[str]:
        """How often each method of either API was called."""
        return Counter(
            method.id for document, exchange in self._all() if (method := document.method(exchange)) is not None
        )

    def request_violations(self) -> list[str]:
        """Every way in which a request does not keep to the API, once each."""
        return list(dict.fromkeys(v for document, one in self._all() for v in document.request_violations(one)))

    def answer_violations(self) -> list[str]:
        """Every way in which an emulator's answer is not as Google's, once each."""
        return list(dict.fromkeys(v for document, one in self._all() for v in document.answer_violations(one)))

    def _all(self) -> Iterator[tuple[Api, Exchange]]:
        for exchange in self.bigquery:
            yield api("bigquery.v2"), exchange
        for exchange in self.storage:
            yield api("storage.v1"), exchange


@dataclass(frozen=True)
class Wire:
    """The emulators' addresses as the programs under test know them: those of the recorders."""

    bigquery: Recorder
    storage: Recorder

    def tape(self) -> Tape:
        """What has passed since the last tape."""
        return Tape(self.bigquery.take(), self.storage.take())


@pytest.fixture
def our_answers(gcs_endpoint: str | None) -> None:
    """For tests that hold answers to the API: only those of the lake's own servers are its matter."""
    if gcs_endpoint:
        pytest.skip("the object server is another's, and so are its answers")


@pytest.fixture(scope="module")
def wire(any_gcs: str, bigquery_url: str) -> Iterator[Wire]:
    """Recorders of the module's own before the object server and the BigQuery emulator."""
    with recording(bigquery_url) as bigquery, recording(any_gcs) as storage:
        yield Wire(bigquery, storage)
