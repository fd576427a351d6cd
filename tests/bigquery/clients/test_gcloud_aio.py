"""gcloud-aio-bigquery."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tests.bigquery.clients.conftest import ROWS, external_table
from tests.bigquery.conftest import PROJECT, Bucket, Emulator

aio = pytest.importorskip("gcloud.aio.bigquery")

Work = Callable[[aiohttp.ClientSession, dict[str, Any]], Awaitable[Any]]


@pytest.fixture
def run(emulator: Emulator) -> Callable[[Work], Any]:
    """Run a coroutine with a session, and with the arguments that lead every class of the client to the emulator."""

    def run(work: Work) -> Any:
        async def main() -> Any:
            async with aiohttp.ClientSession() as session:
                place = {"project": PROJECT, "api_root": f"{emulator.url}/bigquery/v2", "session": session}
                return await work(session, place)

        return asyncio.run(main())

    return run


def test_create_load_and_read(run: Callable[[Work], Any], dataset: str, bucket: Bucket) -> None:
    name = dataset.split(".")[1]
    uri = bucket.put(f"aio/{name}.json", b'{"id": 1, "name": "one"}\n')
    fields = {"fields": [{"name": "id", "type": "INTEGER"}, {"name": "name", "type": "STRING"}]}

    async def work(session: aiohttp.ClientSession, place: dict[str, Any]) -> Any:
        table = aio.Table(name, "t", **place)
        reference = {"projectId": PROJECT, "datasetId": name, "tableId": "t"}
        await table.create({"tableReference": reference, "schema": fields})
        await table.insert([{"id": 2, "name": "two"}])
        json_lines, append = aio.SourceFormat.NEWLINE_DELIMITED_JSON, aio.Disposition.WRITE_APPEND
        job = await table.insert_via_load([uri], source_format=json_lines, write_disposition=append)
        await finished(aio.Job(job.job_id, **place))
        return await table.list_tabledata()

    rows = run(work)["rows"]
    assert sorted([cell["v"] for cell in row["f"]] for row in rows) == [["1", "one"], ["2", "two"]]


def test_parameters(run: Callable[[Work], Any]) -> None:
    parameter = {"name": "x", "parameterType": {"type": "INT64"}, "parameterValue": {"value": "20"}}
    query = {"query": "SELECT @x + 1", "useLegacySql": False, "parameterMode": "NAMED", "queryParameters": [parameter]}

    async def work(session: aiohttp.ClientSession, place: dict[str, Any]) -> Any:
        return await aio.Job(**place).query(query)

    assert run(work)["rows"] == [{"f": [{"v": "21"}]}]


def test_pages_of_a_hundred_thousand_rows(run: Callable[[Work], Any], numbers: str) -> None:
    async def work(session: aiohttp.ClientSession, place: dict[str, Any]) -> list[int]:
        job = aio.Job(**place)
        await job.insert_via_query(f"SELECT x FROM `{numbers}` ORDER BY x", use_legacy_sql=False)
        found: list[int] = []
        token = ""
        while True:
            page = await job.get_query_results(params={"maxResults": 40_000, **({"pageToken": token} if token else {})})
            found += [int(row["f"][0]["v"]) for row in page["rows"]]
            token = page.get("pageToken", "")
            if not token:
                return found

    assert run(work) == list(range(1, ROWS + 1))


def test_external_table(run: Callable[[Work], Any], dataset: str, trips_uri: str) -> None:
    name = dataset.split(".")[1]

    async def work(session: aiohttp.ClientSession, place: dict[str, Any]) -> Any:
        reference = {"projectId": PROJECT, "datasetId": name, "tableId": "trips"}
        table = aio.Table(name, "trips", **place)
        await table.create({"tableReference": reference, "externalDataConfiguration": external_table(trips_uri)})
        query = f"SELECT COUNT(*) FROM `{dataset}.trips` WHERE month = '2020-04-01'"
        return await aio.Job(**place).query({"query": query, "useLegacySql": False})

    assert run(work)["rows"] == [{"f": [{"v": "2"}]}]


def test_error(run: Callable[[Work], Any]) -> None:
    async def work(session: aiohttp.ClientSession, place: dict[str, Any]) -> Any:
        return await aio.Job(**place).query({"query": "SELECT nothing", "useLegacySql": False})

    with pytest.raises(aiohttp.ClientResponseError) as caught:
        run(work)
    assert caught.value.status == 400
    assert "Unrecognized name: nothing" in json.dumps(caught.value.message)


async def finished(job: Any) -> None:
    """Wait for a job as the client does: its result is there when the job is done. Fails where the job did."""
    status = (await job.get_job())["status"]
    while status["state"] != "DONE":
        status = (await job.get_job())["status"]
    assert "errorResult" not in status
