"""The taxi files under the paths of their publishers: the Commission's own, and the CSV mirror."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO

import pyarrow as pa
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tarn_publishers.catalogue import Entry
from tarn_publishers.http.faults import revision_of
from tarn_publishers.http.files import PublishedFile, answer
from tarn_publishers.sample import Sample
from tarn_publishers.store import FileStore
from tarn_publishers.taxi import zones
from tarn_publishers.taxi.csv_files import bad_rows, write_csv_gz
from tarn_publishers.taxi.demand import month_rows
from tarn_publishers.taxi.hired import app_batches, hired_batches
from tarn_publishers.taxi.layouts import CSV_LAYOUTS, PARQUET_LAYOUTS
from tarn_publishers.taxi.metered import MeteredMonth
from tarn_publishers.taxi.months import FIRST_MONTH, LAST_CSV_MONTH, LAST_PARQUET_MONTH, in_force, months_between
from tarn_publishers.taxi.parquet_files import write_parquet

_ACCESS_DENIED = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'
)


@dataclass(frozen=True)
class TripFile:
    """One service's trips of one month, in one of the two formats."""

    service: str
    month: str
    parquet: bool

    @property
    def name(self) -> str:
        return f"{self.service}_tripdata_{self.month}{'.parquet' if self.parquet else '.csv.gz'}"

    @property
    def path(self) -> str:
        return f"/trip-data/{self.name}" if self.parquet else f"/taxi/{self.service}/{self.name}"

    def write(self, out: BinaryIO, rows: int, seed: str, bad_per_million: int) -> None:
        """Parquet files have no bad rows: their types forbid them."""
        batches = _batches(self.service, self.month, rows, seed)
        if self.parquet:
            write_parquet(out, batches, in_force(PARQUET_LAYOUTS[self.service], self.month))
        else:
            write_csv_gz(out, batches, in_force(CSV_LAYOUTS[self.service], self.month), bad_per_million)


def _batches(service: str, month: str, rows: int, seed: str) -> Iterable[pa.RecordBatch]:
    if service == "fhv":
        return hired_batches(month, rows, seed)
    if service == "fhvhv":
        return app_batches(month, rows, seed)
    return MeteredMonth(service, month, rows, seed).batches()


def trip_files() -> Iterable[TripFile]:
    """Every file that the publishers have, in the order of services and months."""
    for service, first in FIRST_MONTH.items():
        for month in months_between(first, LAST_CSV_MONTH):
            yield TripFile(service, month, parquet=False)
        for month in months_between(first, LAST_PARQUET_MONTH):
            yield TripFile(service, month, parquet=True)


class TaxiPublisher:
    """Serves the trips and zones of one sample."""

    def __init__(self, sample: Sample, store: FileStore) -> None:
        self._sample = sample
        self._store = store
        self._files = {file.path: file for file in trip_files()}

    def routes(self) -> list[Route]:
        return [
            Route("/taxi/{service}/{name}", self._csv),
            Route("/trip-data/{name}", self._parquet),
            Route("/misc/{name}", self._zones),
        ]

    def catalogue(self) -> list[Entry]:
        """All that is published, with its rows."""
        trips = [
            Entry(
                group=f"Taxi: {file.service}, {'Parquet' if file.parquet else 'CSV.gz'}",
                label=file.month,
                path=file.path,
                rows=self._rows(file),
            )
            for file in self._files.values()
        ]
        lookups = [Entry("Taxi: zones", name, f"/misc/{name}", zones.COUNT) for name in zones.EDITIONS]
        return trips + lookups

    def _rows(self, file: TripFile) -> int:
        return month_rows(file.service, file.month, self._sample.rows)

    async def _csv(self, request: Request) -> Response:
        file = self._files.get(request.url.path)
        return await self._trips(request, file) if file else Response("Not Found", 404, media_type="text/plain")

    async def _parquet(self, request: Request) -> Response:
        # The Commission's host says 403 both for a month it lacks and to a client that asks too often.
        file = self._files.get(request.url.path)
        return await self._trips(request, file) if file else Response(_ACCESS_DENIED, 403, media_type="text/xml")

    async def _trips(self, request: Request, file: TripFile) -> Response:
        rows, revision = self._rows(file), revision_of(request)
        bad = 0 if file.parquet else self._sample.bad_per_million
        write = partial(file.write, rows=rows, seed=self._sample.seed_of(revision), bad_per_million=bad)
        path = await self._store.fetch(f"taxi/{revision}/{file.name}", write)
        return answer(
            request,
            PublishedFile(
                path,
                self._sample.etag(file.path, revision),
                self._sample.last_modified(revision),
                "application/vnd.apache.parquet" if file.parquet else "application/gzip",
                {"X-Tarn-Rows": str(rows), "X-Tarn-Bad-Rows": str(bad_rows(rows, bad))},
            ),
        )

    async def _zones(self, request: Request) -> Response:
        name = request.path_params["name"]
        if name not in zones.EDITIONS:
            return Response(_ACCESS_DENIED, 403, media_type="text/xml")
        path = await self._store.fetch(f"taxi/{name}", lambda out: zones.write_lookup(out, name))
        return answer(
            request,
            PublishedFile(
                path,
                self._sample.etag(f"/misc/{name}", revision=0),
                self._sample.last_modified(revision=0),
                "text/csv",
                {"X-Tarn-Rows": str(zones.COUNT)},
            ),
        )
