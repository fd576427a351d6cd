"""Paging as a property: whatever is published, and wherever a download is killed, each record comes once, in order."""

import json
import tempfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tarn.errors import DownloadRefused
from tarn.settings import Settings
from tarn.steps.download import download

from .conftest import EAGER, Api, Asked, Reply, StoppedClock, blocks


class _Killed(BaseException):
    """What no step catches, as a kill."""


@settings(deadline=None, max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(1, 30), st.integers(1, 7), st.booleans(), st.lists(st.integers(1, 6), max_size=3))
def test_each_record_comes_once(api: Api, rows: int, per_page: int, by_number: bool, kills: list[int]) -> None:
    way = {"number": "page"} if by_number else {"offset": "offset"}
    dataset = blocks(pages={"size": "limit", "per_page": per_page, "id": "id"} | way, records="data")

    def answer(asked: Asked) -> Reply:
        skipped = (int(asked.query["page"]) - 1) * per_page if by_number else int(asked.query["offset"])
        return Reply({"data": [{"id": number} for number in range(rows)[skipped : skipped + per_page]]})

    api.answer = answer
    api.asked.clear()
    with tempfile.TemporaryDirectory() as home:
        own = Settings(home=Path(home), publishers=api.url)
        day = dataset.partition("2024-05-19")
        for pages in kills:
            with suppress(_Killed):
                download(dataset, day, own, policy=EAGER, clock=StoppedClock().clock(), progress=_killer(pages))
        receipt = download(dataset, day, own, policy=EAGER, clock=StoppedClock().clock(), force=not kills)
        found = [row["id"] for file in receipt.writes for row in json.loads(Path(file.uri).read_bytes())["data"]]
    assert found == list(range(rows))


def _killer(pages: int) -> Callable[..., None]:
    left = iter(range(pages - 1, -1, -1))

    def progress(*_: object) -> None:
        if next(left, 0) == 0:
            raise _Killed

    return progress


def test_a_page_without_end_is_refused_where_the_api_ends(api: Api, tmp_path: Path) -> None:
    api.answer = lambda asked: Reply([{"id": int(asked.query["offset"])}])
    dataset = blocks(pages={"size": "limit", "per_page": 1, "offset": "offset", "last_offset": 5})
    with pytest.raises(DownloadRefused, match="no more than 6 records"):
        download(dataset, dataset.partition("2024-05-19"), Settings(home=tmp_path, publishers=api.url), policy=EAGER,
                 clock=StoppedClock().clock())  # fmt: skip
