"""Blockchair's paths: dumps by day, and the API."""

import datetime as dt
import re
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from itertools import takewhile
from typing import Any

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from tarn_publishers.blockchair.chain import FIRST_DAY, Chain
from tarn_publishers.blockchair.days import ChainDay, Record
from tarn_publishers.blockchair.dumps import write_dump
from tarn_publishers.blockchair.queries import Query, QueryRefusedError
from tarn_publishers.catalogue import Entry
from tarn_publishers.coingecko.coins import Coin, coins
from tarn_publishers.http.answers import json_answer
from tarn_publishers.http.faults import revision_of
from tarn_publishers.http.files import PublishedFile, answer
from tarn_publishers.sample import Sample
from tarn_publishers.store import FileStore

DUMPS, API = "/blockchair/dumps/bitcoin", "/blockchair/api/bitcoin"
DUMPED_AFTER = dt.timedelta(days=2)
_TABLES: dict[str, Callable[[ChainDay], Iterator[Record]]] = {
    "blocks": ChainDay.blocks,
    "transactions": ChainDay.transactions,
}
_NAME = re.compile(r"blockchair_bitcoin_(blocks|transactions)_(\d{8})\.tsv\.gz", re.ASCII)
_NOT_FOUND = "<html>\n<head><title>404 Not Found</title></head>\n<body><h1>404 Not Found</h1></body>\n</html>\n"
_DAYS_LISTED = 7
_LISTED_FROM = dt.date(2024, 4, 14)


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class BlockchairPublisher:
    """Serves the chain of one sample. A day's dump is out two days after it began; the API has the day at once."""

    def __init__(self, sample: Sample, store: FileStore, now: Callable[[], dt.datetime] = _utc_now) -> None:
        self._sample = sample
        self._store = store
        self._now = now
        self._bitcoin = coins(sample)[0]

    def routes(self) -> list[Route]:
        return [
            Route(f"{DUMPS}/{{table}}/{{name}}", self._dump),
            Route(f"{API}/{{table}}", self._api),
        ]

    def catalogue(self) -> list[Entry]:
        """A week of dumps: there is one of every day since 2009."""
        days = [_LISTED_FROM + dt.timedelta(days=number) for number in range(_DAYS_LISTED)]
        return [
            Entry(
                group=f"Crypto: Blockchair, {table}",
                label=str(day),
                path=f"{DUMPS}/{table}/blockchair_bitcoin_{table}_{day:%Y%m%d}.tsv.gz",
                rows=self._rows(table, day),
            )
            for table in _TABLES
            for day in days
        ]

    def _rows(self, table: str, day: dt.date) -> int:
        chain = self._chain(revision=0)
        return len(chain.heights(day) if table == "blocks" else chain.transaction_ids(day))

    def _chain(self, revision: int) -> Chain:
        return Chain(self._sample.seed_of(revision), self._sample.rows)

    def _day(self, day: dt.date, revision: int) -> ChainDay:
        return ChainDay(self._chain(revision), day, self._bitcoin)

    async def _dump(self, request: Request) -> Response:
        match = _NAME.fullmatch(request.path_params["name"])
        day = _read_day(match[2]) if match and match[1] == request.path_params["table"] else None
        if match is None or day is None or not FIRST_DAY <= day <= self._now().date() - DUMPED_AFTER:
            return HTMLResponse(_NOT_FOUND, 404)
        table, revision = match[1], revision_of(request)
        write = partial(self._write, table=table, day=day, revision=revision)
        path = await self._store.fetch(f"blockchair/{revision}/{match[0]}", write)
        return answer(
            request,
            PublishedFile(
                path,
                self._sample.etag(request.url.path, revision),
                self._sample.last_modified(revision),
                "application/gzip",
                {"X-Tarn-Rows": str(self._rows(table, day))},
            ),
        )

    def _write(self, out: Any, table: str, day: dt.date, revision: int) -> None:
        records = _TABLES[table](self._day(day, revision))
        if table == "transactions":
            # Their number is the API's own: no dump has it.
            records = ({name: value for name, value in record.items() if name != "id"} for record in records)
        write_dump(out, records)

    async def _api(self, request: Request) -> Response:
        table = request.path_params["table"]
        if table not in _TABLES:
            return _refused(request, 404, f"Invalid request: there is no table {table}.")
        try:
            query = Query.read(request.query_params, self._now())
        except QueryRefusedError as error:
            return _refused(request, 400, str(error))
        revision = revision_of(request)
        rows = await anyio.to_thread.run_sync(self._found, table, query, revision)
        page = rows[query.offset : query.offset + query.limit]
        context = {
            "code": 200,
            "limit": query.limit,
            "offset": query.offset,
            "rows": len(page),
            "total_rows": len(rows),
        }
        return json_answer(request, {"data": page, "context": context})

    def _found(self, table: str, query: Query, revision: int) -> list[Record]:
        since, until = (f"{moment:%Y-%m-%d %H:%M:%S}" for moment in (query.since, query.until))
        today = self._now().date()
        rows = []
        for day in query.days():
            if FIRST_DAY <= day <= today:
                records = _records(self._chain(revision), self._bitcoin, table, day)
                ordered = reversed(records) if query.descending else records
                rows += [row for row in ordered if since <= row["time"] < until and row["id"] in query.ids]
        return rows


@lru_cache(maxsize=4)
def _records(chain: Chain, bitcoin: Coin, table: str, day: dt.date) -> tuple[Record, ...]:
    """A day as the API has it: as in the dump, and the date besides."""
    return tuple(_with_date(record) for record in _TABLES[table](ChainDay(chain, day, bitcoin)))


def _with_date(record: Record) -> Record:
    # Where the API has it: before the time.
    before = {name: record[name] for name in takewhile(lambda name: name != "time", record)}
    return before | {"date": record["time"][:10]} | record


def _refused(request: Request, code: int, reason: str) -> Response:
    return json_answer(request, {"data": None, "context": {"code": code, "error": reason}}, status=code)


def _read_day(text: str) -> dt.date | None:
    try:
        return dt.datetime.strptime(text, "%Y%m%d").replace(tzinfo=dt.UTC).date()
    except ValueError:
        return None
