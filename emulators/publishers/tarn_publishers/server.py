"""Puts the publishers, the front page and the faults together into one web application."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Protocol

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from tarn_publishers.blockchair.publisher import BlockchairPublisher
from tarn_publishers.catalogue import Entry, page
from tarn_publishers.coingecko.publisher import CoinGeckoPublisher
from tarn_publishers.customers.publisher import CustomersPublisher
from tarn_publishers.http.control import fault_routes
from tarn_publishers.http.faults import Fault, FaultBoard, FaultGate
from tarn_publishers.sample import Sample
from tarn_publishers.socrata.publisher import SocrataPublisher
from tarn_publishers.store import FileStore
from tarn_publishers.taxi.publisher import TaxiPublisher


class Publisher(Protocol):
    """What a publisher's package gives to the rest."""

    def routes(self) -> list[Route]: ...

    def catalogue(self) -> list[Entry]: ...


def create_app(sample: Sample, data_dir: Path, fault_shares: Mapping[Fault, float] | None = None) -> ASGIApp:
    """All publishers of one sample, whose files are kept under `data_dir`."""
    store = FileStore(data_dir / sample.name)
    publishers: list[Publisher] = [
        TaxiPublisher(sample, store),
        CoinGeckoPublisher(sample),
        BlockchairPublisher(sample, store),
        SocrataPublisher(sample, store),
        CustomersPublisher(sample, store),
    ]
    front = page(sample, [entry for publisher in publishers for entry in publisher.catalogue()])
    board = FaultBoard(sample.seed, fault_shares or {})

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        yield
        await store.close()

    async def index(_: Request) -> Response:
        return HTMLResponse(front)

    async def healthz(_: Request) -> Response:
        return PlainTextResponse("ok")

    routes = [
        Route("/", index),
        Route("/healthz", healthz),
        *fault_routes(board),
        *(route for publisher in publishers for route in publisher.routes()),
    ]
    return FaultGate(Starlette(routes=routes, lifespan=lifespan), board, exempt={"/", "/healthz", "/_faults"})
