"""The paths of the shop's deliveries: one CSV file a day."""

import datetime as dt
import re
from collections.abc import Callable
from functools import partial
from typing import BinaryIO

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from tarn_publishers.catalogue import Entry
from tarn_publishers.customers.deliveries import FIRST_DAY, Delivery
from tarn_publishers.http.faults import revision_of
from tarn_publishers.http.files import PublishedFile, answer
from tarn_publishers.sample import Sample
from tarn_publishers.store import FileStore

FOLDER = "/customers"
TAXI_TRIPS_A_TRANSACTION = 20
_NAME = re.compile(r"customer_transactions_(\d{4}-\d\d-\d\d)\.csv", re.ASCII)
_LISTED_FROM, _DAYS_LISTED = dt.date(2023, 7, 10), 14


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class CustomersPublisher:
    """Serves the deliveries of one sample; a day's file is there once the day has ended."""

    def __init__(self, sample: Sample, store: FileStore, now: Callable[[], dt.datetime] = _utc_now) -> None:
        self._sample = sample
        self._store = store
        self._now = now

    def routes(self) -> list[Route]:
        return [Route(f"{FOLDER}/{{name}}", self._file)]

    def catalogue(self) -> list[Entry]:
        """Two weeks of deliveries: there is one of every day since 2020."""
        days = [_LISTED_FROM + dt.timedelta(days=number) for number in range(_DAYS_LISTED)]
        return [
            Entry(
                group="Customers: transactions",
                label=str(day),
                path=f"{FOLDER}/customer_transactions_{day}.csv",
                rows=self._delivery(day, revision=0).rows,
            )
            for day in days
        ]

    def _delivery(self, day: dt.date, revision: int) -> Delivery:
        transactions = max(1, self._sample.rows // TAXI_TRIPS_A_TRANSACTION)
        return Delivery(day, transactions, self._sample.seed_of(revision))

    async def _file(self, request: Request) -> Response:
        match = _NAME.fullmatch(request.path_params["name"])
        day = _read_day(match[1]) if match else None
        if match is None or day is None or not FIRST_DAY <= day < self._now().date():
            return PlainTextResponse("Not Found", 404)
        revision = revision_of(request)
        delivery = self._delivery(day, revision)
        path = await self._store.fetch(f"customers/{revision}/{match[0]}", partial(_write, delivery=delivery))
        return answer(
            request,
            PublishedFile(
                path,
                self._sample.etag(request.url.path, revision),
                self._sample.last_modified(revision),
                "text/csv; charset=utf-8",
                {"X-Tarn-Rows": str(delivery.rows)},
            ),
        )


def _write(out: BinaryIO, delivery: Delivery) -> None:
    for line in delivery.lines():
        out.write(f"{line}\n".encode())


def _read_day(text: str) -> dt.date | None:
    try:
        return dt.date.fromisoformat(text)
    except ValueError:
        return None
