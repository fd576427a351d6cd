"""Socrata's paths, parameters and refusals, for the one dataset that the city's crashes are.

Sources: https://dev.socrata.com/docs/queries/ (parameters), https://dev.socrata.com/docs/response-codes (refusals),
https://dev.socrata.com/docs/system-fields (`:id`, `:updated_at`), https://dev.socrata.com/docs/app-tokens.
"""

import datetime as dt
import hashlib
import json
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

import anyio.to_thread
import numpy as np
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tarn_publishers.catalogue import Entry
from tarn_publishers.http.answers import json_answer
from tarn_publishers.http.faults import revision_of
from tarn_publishers.http.files import PublishedFile, answer
from tarn_publishers.sample import Sample
from tarn_publishers.socrata.answers import Export, aggregated, csv_text, records
from tarn_publishers.socrata.crashes import BATCH_TIME, FIRST_DAY, City, Row
from tarn_publishers.socrata.fields import ALL_FIELDS, EXPORT_NAMES, FIELDS
from tarn_publishers.socrata.soql import (
    EVERYTHING,
    Output,
    QueryRefusedError,
    Where,
    both,
    equal_to,
    read_order,
    read_query,
    read_select,
    read_where,
)
from tarn_publishers.store import FileStore
from tarn_publishers.taxi.draws import Draws

DATASET = "h9gi-nx95"
BASE = "/socrata"
USUAL_ROWS, MOST_ROWS = 1_000, 50_000
_LISTED_YEAR = 2022
_ROWS_PER_CRASH = 6_000  # of the sample's rows: its trips and its crashes are about the same share of the real ones
_LEAST_PER_DAY = 20
_OLD_EDITION = dt.date(2021, 1, 1)
_TOKEN = re.compile(r"[A-Za-z0-9]{25}")
_DAY = dt.timedelta(days=1)
_KEPT_ANSWERS = 2
_OWN_PARAMETERS = {"as_of", "$$app_token"}
_CLAUSES = {"$select", "$where", "$order", "$limit", "$offset"}

_Handler = Callable[[Request], Response]


class _RefusedError(Exception):
    """A request that is refused for another reason than its query."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


@dataclass(frozen=True)
class _Edition:
    """The dataset as it stood at the end of a day."""

    city: City
    day: dt.date

    def rows(self, where: Where) -> Iterator[Row]:
        day, last = max(FIRST_DAY, where.span.first), min(self.day, where.span.last)
        while day <= last:
            for crash in self.city.day(day):
                row = crash.at(self.day)
                if row is not None and where.condition(row):
                    yield row
            day += _DAY


def _utc_now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


class SocrataPublisher:
    """Serves the crashes of one sample: as they stand now or, for this publisher forgets nothing, as they stood at the
    end of the day that `as_of` names."""

    def __init__(self, sample: Sample, store: FileStore, now: Callable[[], dt.datetime] = _utc_now) -> None:
        self._sample = sample
        self._store = store
        self._now = now
        self._requests = count()
        self._found: OrderedDict[tuple[_Edition, str], list[Row]] = OrderedDict()

    def routes(self) -> list[Route]:
        return [
            Route(f"{BASE}/resource/{{id}}.json", self._guarded(partial(self._resource, write=self._json))),
            Route(f"{BASE}/resource/{{id}}.csv", self._guarded(partial(self._resource, write=self._csv))),
            Route(f"{BASE}/api/views/{{id}}/rows.csv", self._export),
        ]

    def catalogue(self) -> list[Entry]:
        """One year: there are all since the middle of 2012."""
        first, last = dt.date(_LISTED_YEAR, 1, 1), dt.date(_LISTED_YEAR, 12, 31)
        city = self._city(revision=0)
        rows = sum(city.count(first + number * _DAY) for number in range((last - first).days + 1))
        between = f"crash_date between '{first}' and '{last}'"
        query = f"query=select%20*%20where%20{between.replace(' ', '%20')}&accessType=DOWNLOAD"
        where = f"$where={between.replace(' ', '%20')}&$order=:id&$limit={MOST_ROWS}"
        return [
            Entry("Collisions: Socrata", f"{_LISTED_YEAR}, JSON", f"{BASE}/resource/{DATASET}.json?{where}", rows),
            Entry("Collisions: Socrata", f"{_LISTED_YEAR}, CSV", f"{BASE}/resource/{DATASET}.csv?{where}", rows),
            Entry(
                "Collisions: Socrata", f"{_LISTED_YEAR}, export", f"{BASE}/api/views/{DATASET}/rows.csv?{query}", rows
            ),
        ]

    def _city(self, revision: int) -> City:
        return City(self._sample.seed_of(revision), max(_LEAST_PER_DAY, self._sample.rows // _ROWS_PER_CRASH))

    def _guarded(self, handle: _Handler) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            try:
                return await anyio.to_thread.run_sync(handle, request)
            except QueryRefusedError as error:
                return _refusal(request, 400, error.code, f"Query coordinator error: {error.code}; {error}")
            except _RefusedError as error:
                return _refusal(request, error.status, error.code, str(error))

        return endpoint

    def _resource(self, request: Request, write: Callable[[Request, list[Row], list[Output]], Response]) -> Response:
        _check_dataset(request)
        _check_token(request)
        parameters = request.query_params
        outputs = read_select(parameters.get("$select", "*"))
        limit = _number(parameters, "$limit", USUAL_ROWS)
        if limit > MOST_ROWS:
            raise _RefusedError(400, "invalid-request", f"$limit is at most {MOST_ROWS}, and not {limit}")
        offset = _number(parameters, "$offset", 0)
        if outputs[0].aggregate:
            return write(request, self._matching(request), outputs)
        rows = self._in_order(request, self._matching(request))
        return write(request, rows[offset : offset + limit], outputs)

    def _json(self, request: Request, rows: list[Row], outputs: list[Output]) -> Response:
        told = {
            "X-SODA2-Fields": json.dumps([output.name for output in outputs], separators=(",", ":")),
            "X-SODA2-Types": json.dumps(
                [ALL_FIELDS.get(output.field, "number") for output in outputs], separators=(",", ":")
            ),
            "X-SODA2-Secondary-Last-Modified": f"{self._edition(request).day:%a, %d %b %Y} {BATCH_TIME} GMT",
        }
        body = aggregated(rows, outputs) if outputs[0].aggregate else records(rows, outputs)
        return json_answer(request, body, told)

    def _csv(self, request: Request, rows: list[Row], outputs: list[Output]) -> Response:
        if outputs[0].aggregate:
            raise _RefusedError(400, "invalid-request", "Aggregates are offered as JSON only")
        content = csv_text(rows, outputs).encode()
        tag = f'W/"{hashlib.sha256(content).hexdigest()[:32]}"'
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers={"ETag": tag})
        return Response(content, headers={"ETag": tag}, media_type="text/csv")

    def _matching(self, request: Request) -> list[Row]:
        """The rows that the request asks for, in no order. Kept for the next page."""
        where = _where(request.query_params)
        conditions = {
            name: value for name, value in request.query_params.items() if name == "$where" or not name.startswith("$")
        }
        key = (self._edition(request), json.dumps(conditions, sort_keys=True))
        rows = self._found.get(key)
        if rows is None:
            rows = list(key[0].rows(where))
            self._found[key] = rows
            while len(self._found) > _KEPT_ANSWERS:
                self._found.popitem(last=False)
        return rows

    def _in_order(self, request: Request, rows: list[Row]) -> list[Row]:
        # Without an order each answer has its own, and rows that $order does not tell apart come as they like.
        draws = Draws("order", self._sample.seed, next(self._requests)).below(1 << 31, len(rows))
        shuffled = [rows[place] for place in np.argsort(draws, kind="stable")]
        order = request.query_params.get("$order")
        return read_order(order)(shuffled) if order else shuffled

    def _edition(self, request: Request) -> _Edition:
        text = request.query_params.get("as_of")
        now = self._now()
        latest = now.date() if now.time() > BATCH_TIME.replace(minute=BATCH_TIME.minute + 1) else now.date() - _DAY
        try:
            day = latest if text is None else min(latest, dt.date.fromisoformat(text))
        except ValueError:
            raise _RefusedError(400, "invalid-request", f"as_of={text} is not a date") from None
        return _Edition(self._city(revision_of(request)), day)

    async def _export(self, request: Request) -> Response:
        try:
            _check_dataset(request)
            edition = self._edition(request)
            query = request.query_params.get("query", "select *")
            outputs, where = read_query(query)
        except QueryRefusedError as error:
            return _refusal(request, 400, error.code, f"Query coordinator error: {error.code}; {error}")
        except _RefusedError as error:
            return _refusal(request, error.status, error.code, str(error))
        fields = [output.field for output in outputs] if outputs else list(_EXPORT_ORDER)
        export = Export(fields, old=edition.day < _OLD_EDITION)
        name = hashlib.sha256(f"{edition.day}\n{query}".encode()).hexdigest()[:16]
        revision = revision_of(request)
        path = await self._store.fetch(
            f"socrata/{revision}/{name}.csv", lambda out: export.write(out, edition.rows(where))
        )
        return answer(
            request,
            PublishedFile(
                path,
                self._sample.etag(f"{request.url.path}?{name}", revision),
                dt.datetime.combine(edition.day, BATCH_TIME, dt.UTC),
                "text/csv",
                {"Content-Disposition": "attachment; filename=Motor_Vehicle_Collisions_-_Crashes.csv"},
            ),
        )


_EXPORT_ORDER = tuple(EXPORT_NAMES)


def _where(parameters: Mapping[str, str]) -> Where:
    where = read_where(parameters["$where"]) if parameters.get("$where") else EVERYTHING
    for name, value in parameters.items():
        if name in FIELDS or name.startswith(":"):
            where = both(where, equal_to(name, value))
        elif name not in _CLAUSES | _OWN_PARAMETERS:
            raise QueryRefusedError("query.soql.no-such-column", f"Unrecognized arguments [{name}]")
    return where


def _number(parameters: Mapping[str, str], name: str, usual: int) -> int:
    text = parameters.get(name, str(usual))
    if not (text.isascii() and text.isdecimal()):
        raise _RefusedError(400, "invalid-request", f"{name}={text} is not a whole number")
    return int(text)


def _check_dataset(request: Request) -> None:
    if request.path_params["id"] != DATASET:
        raise _RefusedError(404, "dataset.missing", "Not found")


def _check_token(request: Request) -> None:
    token = request.headers.get("x-app-token", request.query_params.get("$$app_token"))
    if token is not None and not _TOKEN.fullmatch(token):
        raise _RefusedError(403, "permission_denied", "Invalid app_token specified")


def _refusal(request: Request, status: int, code: str, message: str) -> Response:
    body: dict[str, Any] = {"code": code, "error": True, "message": message}
    return json_answer(request, body, status=status)
