"""The BigQuery emulator beside others that are on the PATH: `bqemulator` (from PyPI), `bigquery-emulator` (a binary).

    python bench/emulators.py
    python bench/emulators.py --rows 100000       # a quick look

Each does the same work, one after the other, in seconds; what one refuses is told in its words.
"""

import argparse
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import duckdb
import requests
from _emulators import emulator, installed, object_server
from google.api_core.exceptions import GoogleAPICallError
from google.cloud import bigquery

ROUNDS = 5
LISTED_ROWS = 100_000
BUCKET = "bench"
TABLE = "bench.trips"
EXTERNAL = "bench.outside"
SHOWN_CHARACTERS = 160
QUERIES = {
    "SELECT 1": "SELECT 1",
    "count by key": f"SELECT k, COUNT(*) AS n FROM {TABLE} GROUP BY k",
    "sums by two keys": f"SELECT k, d, SUM(v) AS s FROM {TABLE} GROUP BY k, d",
    "rank within key": f"SELECT k, v FROM {TABLE} QUALIFY ROW_NUMBER() OVER (PARTITION BY k ORDER BY v DESC) <= 3",
    "hive partition": f"SELECT k, COUNT(*) AS n FROM {EXTERNAL} WHERE month = '2024-01-01' GROUP BY k",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000, help="rows of the table (%(default)s)")
    rows = parser.parse_args().rows
    print(f"{rows:,} rows; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-emulators-")))
        file = write_file(folder, rows)
        storage = stack.enter_context(object_server(folder / "objects"))
        upload(file, storage)
        for name in installed():
            print(f"\n{name}", flush=True)
            for work, told in measures(name, file, folder, storage):
                print(f"  {work:24} {told}", flush=True)
    return 0


def measures(name: str, file: Path, folder: Path, storage: str) -> Iterator[tuple[str, str]]:
    """What an emulator took for each piece of work, or why it did not do it."""
    began = time.perf_counter()
    with emulator(folder, storage, name) as server, requests.Session() as session:
        yield "start to first answer", shown(time.perf_counter() - began)
        client = server.client()
        client.create_dataset("bench")
        yield "load a Parquet file", attempt(partial(load, client, file))
        yield "make the external table", attempt(partial(make_external_table, client))
        for work, query in QUERIES.items():
            yield work, attempt(partial(server.query, session, query), ROUNDS)
        yield f"{LISTED_ROWS:,} rows listed", attempt(partial(list_rows, client))
        yield "resident memory", f"{server.resident_mib():.0f} MiB"


def attempt(work: Callable[[], object], rounds: int = 1) -> str:
    """The median seconds of some rounds, after one for the caches where there are several; or the refusal."""
    try:
        times = [seconds_of(work) for _ in range(rounds + (rounds > 1))]
    except (requests.HTTPError, GoogleAPICallError, ValueError) as refusal:
        return f"no: {' '.join(str(refusal).split())[:SHOWN_CHARACTERS]}"
    return shown(statistics.median(times[-rounds:]))


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def shown(seconds: float) -> str:
    return f"{seconds:8.3f} s"


def write_file(folder: Path, rows: int) -> Path:
    """A Parquet file of a key, a day, a number and a text."""
    path = folder / "trips.parquet"
    duckdb.execute(
        "COPY (SELECT CAST(hash(i) % 100 AS BIGINT) AS k, DATE '2024-01-01' + (i % 28)::INTEGER AS d, random() AS v,"
        f" 'text ' || i AS s FROM range({rows}) AS r(i)) TO '{path}' (FORMAT parquet)"
    )
    return path


def upload(file: Path, storage: str) -> None:
    requests.post(f"{storage}/storage/v1/b", params={"project": "lake"}, json={"name": BUCKET}, timeout=60)
    for month in ("2024-01-01", "2024-02-01"):
        parameters = {"uploadType": "media", "name": f"month={month}/part.parquet"}
        url = f"{storage}/upload/storage/v1/b/{BUCKET}/o"
        requests.post(url, params=parameters, data=file.read_bytes(), timeout=60).raise_for_status()


def load(client: bigquery.Client, file: Path) -> None:
    """Into a table that is there: not every emulator makes one of a file's columns."""
    columns = {"k": "INT64", "d": "DATE", "v": "FLOAT64", "s": "STRING"}
    schema = [bigquery.SchemaField(name, kind) for name, kind in columns.items()]
    client.create_table(bigquery.Table(f"{client.project}.{TABLE}", schema))
    config = bigquery.LoadJobConfig(source_format="PARQUET")
    with file.open("rb") as source:
        client.load_table_from_file(source, TABLE, job_config=config).result()


def make_external_table(client: bigquery.Client) -> None:
    client.query_and_wait(
        f"CREATE EXTERNAL TABLE {EXTERNAL} WITH PARTITION COLUMNS (month DATE) OPTIONS (format = 'PARQUET', "
        f"uris = ['gs://{BUCKET}/*.parquet'], hive_partition_uri_prefix = 'gs://{BUCKET}/')"
    )


def list_rows(client: bigquery.Client) -> None:
    """Google's client decodes them, too."""
    found = sum(1 for _ in client.list_rows(TABLE, max_results=LISTED_ROWS))
    if found != LISTED_ROWS:
        raise ValueError(f"{found:,} rows came")


if __name__ == "__main__":
    sys.exit(main())
