"""CoinGecko's paths, parameters and refusals."""

import datetime as dt
import time
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tarn_publishers.catalogue import Entry
from tarn_publishers.coingecko.coins import Coin, coins
from tarn_publishers.coingecko.courses import Course
from tarn_publishers.coingecko.markets import Market
from tarn_publishers.coingecko.noise import DAY
from tarn_publishers.coingecko.series import FIRST_SECOND, Span, chart
from tarn_publishers.http.answers import json_answer
from tarn_publishers.http.faults import revision_of
from tarn_publishers.sample import Sample

BASE = "/coingecko/api/v3"
MOST_PER_PAGE = 250
_Handler = Callable[[Request], tuple[Any, dict[str, str]]]
_CURRENCIES = frozenset({"usd"})
_KEYS = ("x-cg-demo-api-key", "x-cg-pro-api-key")


class _RefusedError(Exception):
    """A request that the API answers with a word instead of data."""

    def __init__(self, status: int, body: Any) -> None:
        super().__init__(status)
        self.status = status
        self.body = body


class CoinGeckoPublisher:
    """Serves the market of one sample. `now` gives the seconds since 1970, which series without an end end at."""

    def __init__(self, sample: Sample, now: Callable[[], float] = time.time) -> None:
        self._sample = sample
        self._now = now
        self._coins = {coin.id: coin for coin in coins(sample)}
        # Every page of a moment asks for the same ranking, of all coins.
        self._ranked = lru_cache(maxsize=4)(self._rank)

    def routes(self) -> list[Route]:
        return [
            Route(f"{BASE}/ping", self._ping),
            Route(f"{BASE}/coins/markets", self._guarded(self._markets)),
            Route(f"{BASE}/coins/{{id}}/market_chart", self._guarded(self._chart)),
            Route(f"{BASE}/coins/{{id}}/market_chart/range", self._guarded(self._chart_of_range)),
        ]

    def catalogue(self) -> list[Entry]:
        """The market's list and one coin's series: there is one of every coin and day."""
        markets = f"{BASE}/coins/markets?vs_currency=usd&order=market_cap_desc&per_page={MOST_PER_PAGE}&page=1"
        bitcoin = f"{BASE}/coins/bitcoin/market_chart?vs_currency=usd&days=90"
        return [
            Entry("Crypto: CoinGecko", "coins/markets", markets, len(self._coins)),
            Entry("Crypto: CoinGecko", "bitcoin/market_chart", bitcoin, 90 * 24 + 1),
        ]

    def _guarded(self, handle: _Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                _check_key(request)
                body, headers = await anyio.to_thread.run_sync(handle, request)
            except _RefusedError as refusal:
                return json_answer(request, refusal.body, status=refusal.status)
            return json_answer(request, body, headers)

        return endpoint

    async def _ping(self, request: Request) -> Response:
        return json_answer(request, {"gecko_says": "(V3) To the Moon!"})

    def _markets(self, request: Request) -> tuple[Any, dict[str, str]]:
        query = request.query_params
        _check_currency(request)
        size = min(_whole(request, "per_page", 100), MOST_PER_PAGE)
        page = _whole(request, "page", 1)
        second = self._moment(request)
        ranked = self._ranked(second, revision_of(request))
        if "ids" in query:
            # An id with a blank before it is none: it is left out without a word.
            asked = set(query["ids"].split(","))
            ranked = [(rank, coin) for rank, coin in ranked if coin.id in asked]
        market = self._market(second)
        records = [market.record(coin, rank) for rank, coin in ranked[(page - 1) * size : page * size]]
        return records, {"total": str(len(ranked)), "per-page": str(size)}

    def _rank(self, second: int, revision: int) -> list[tuple[int, Coin]]:
        return list(enumerate(self._market(second).ranked(self._coins.values(), revision), 1))

    def _market(self, second: int) -> Market:
        return Market(str(self._sample.seed), second)

    def _chart(self, request: Request) -> tuple[Any, dict[str, str]]:
        coin = self._coin(request)
        _check_currency(request)
        now = self._moment(request)
        days = request.query_params.get("days", "")
        if days != "max" and not days.isdecimal():
            raise _RefusedError(422, {"error": "Missing parameter days"})
        start = FIRST_SECOND if days == "max" else now - int(days) * DAY
        return self._series(request, coin, Span(start, now), now), {}

    def _chart_of_range(self, request: Request) -> tuple[Any, dict[str, str]]:
        coin = self._coin(request)
        _check_currency(request)
        start, end, now = _edge(request, "from"), _edge(request, "to"), int(self._now())
        return self._series(request, coin, Span(start, min(end, now)), now), {}

    def _series(self, request: Request, coin: Coin, span: Span, now: int) -> dict[str, Any]:
        seed = self._sample.seed_of(revision_of(request))
        step = DAY if request.query_params.get("interval") == "daily" else span.step(now)
        return chart(Course(coin, seed), f"{seed}/{coin.id}", span, step)

    def _coin(self, request: Request) -> Coin:
        coin = self._coins.get(request.path_params["id"])
        if coin is None:
            raise _RefusedError(404, {"error": "coin not found"})
        return coin

    def _moment(self, request: Request) -> int:
        """Now; or, because this publisher forgets nothing, the end of the day that `as_of` names."""
        day = request.query_params.get("as_of")
        if day is None:
            return int(self._now())
        try:
            midnight = dt.datetime.combine(dt.date.fromisoformat(day), dt.time(), dt.UTC)
        except ValueError:
            raise _RefusedError(400, {"error": f"as_of={day} is not a date"}) from None
        return int(midnight.timestamp()) + DAY - 1


def _check_key(request: Request) -> None:
    for header in _KEYS:
        key = request.headers.get(header)
        if key is not None and not key.startswith("CG-"):
            message = "The API key that was given is not one: keys begin with CG-."
            raise _RefusedError(401, {"status": {"error_code": 10002, "error_message": message}})


def _check_currency(request: Request) -> None:
    currency = request.query_params.get("vs_currency")
    if not currency:
        raise _RefusedError(422, {"error": "Missing parameter vs_currency"})
    if currency not in _CURRENCIES:
        raise _RefusedError(200, {})


def _edge(request: Request, name: str) -> int:
    """An end of a range: seconds since 1970, or an ISO date or time, which is UTC."""
    text = request.query_params.get(name, "")
    if text.isdecimal():
        return int(text)
    try:
        return int(dt.datetime.fromisoformat(text).replace(tzinfo=dt.UTC).timestamp())
    except ValueError:
        raise _RefusedError(422, {"error": f"Missing parameter {name}"}) from None


def _whole(request: Request, name: str, usual: int) -> int:
    """A parameter that is a number; one that is none counts as not given, as CoinGecko has it."""
    text = request.query_params.get(name, "")
    return max(1, int(text)) if text.isdecimal() else usual
