"""The BigQuery emulator beside raw DuckDB: grouped queries, pages, start, many clients at once, memory.

    python bench/bigquery.py
    python bench/bigquery.py --rows 300000        # a quick look

The table is external, Parquet files of 20 columns in six months in an object server of this machine; DuckDB reads the
same files from the disk. Both take turns, and medians are shown. On a busy machine only ratios tell much: the load
stands above the table.
"""

import argparse
import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import product
from multiprocessing.queues import SimpleQueue
from multiprocessing.synchronize import Event
from pathlib import Path

import duckdb
import requests
from _emulators import Server, emulator, object_server
from google.cloud import bigquery

MONTHS = 6
COLUMNS = 20
ROUNDS = 7
BUCKET = "bench"
TABLE = "lake.bench.trips"
GROUPED = {
    "count by key": "SELECT k1, COUNT(*) AS n FROM {table} GROUP BY k1",
    "sums by two keys": "SELECT k1, k2, SUM(v1) AS a, SUM(v2) AS b FROM {table} GROUP BY k1, k2",
    "average by month": "SELECT month, AVG(v3) AS a, MAX(v4) AS b FROM {table} GROUP BY month",
    "filter and group": "SELECT s1, SUM(v1) AS a FROM {table} WHERE v2 > 0.9 GROUP BY s1",
}
PAGED_ROWS = 100_000
CLIENTS, QUERIES_EACH = 8, 6
FEW_QUERIES, MANY_QUERIES = 100, 1_000
START_ROUNDS = 5
ANEW = bigquery.QueryJobConfig(use_query_cache=False)
"""Without the cached result of an earlier query."""


@dataclass(frozen=True)
class Figure:
    """One line of the table: what was measured, in its unit, and the most that it may be."""

    name: str
    value: float
    limit: float
    unit: str
    note: str = ""

    def __str__(self) -> str:
        verdict = "ok" if self.value <= self.limit else "MISSED"
        return f"{self.name:34} {self.value:9.2f} {self.limit:9.2f} {self.unit:6} {verdict:7} {self.note}"


def write_files(folder: Path, rows: int) -> list[Path]:
    """Parquet files of 20 columns, a month each: keys of few and of many values, numbers, texts, times."""
    measures = ", ".join(f"random() AS v{i}" for i in range(1, 12))
    texts = ", ".join(f"'text ' || (hash(i, {n}) % {10**n}) AS s{n}" for n in range(1, 5))
    files = []
    for month in range(1, MONTHS + 1):
        path = folder / f"month=2024-{month:02}-01" / "part.parquet"
        path.parent.mkdir(parents=True)
        duckdb.execute(
            "COPY (SELECT i AS id, CAST(hash(i) % 10 AS BIGINT) AS k1, CAST(hash(i, 1) % 1000 AS BIGINT) AS k2,"
            f" {measures}, {texts},"
            " TIMESTAMP '2024-01-01' + to_seconds(i) AS t1, DATE '2024-01-01' + (i % 30)::INTEGER AS d1"
            f" FROM range({rows // MONTHS}) AS r(i)) TO '{path}' (FORMAT parquet)"
        )
        files.append(path)
    return files


def upload(files: list[Path], root: Path, storage: str) -> None:
    requests.post(f"{storage}/storage/v1/b", params={"project": "lake"}, json={"name": BUCKET}, timeout=60)
    for path in files:
        parameters = {"uploadType": "media", "name": str(path.relative_to(root))}
        url = f"{storage}/upload/storage/v1/b/{BUCKET}/o"
        requests.post(url, params=parameters, data=path.read_bytes(), timeout=60).raise_for_status()


def make_tables(client: bigquery.Client) -> None:
    client.create_dataset("bench")
    client.query_and_wait(
        f"CREATE EXTERNAL TABLE `{TABLE}` WITH PARTITION COLUMNS (month DATE) OPTIONS (format = 'PARQUET', "
        f"uris = ['gs://{BUCKET}/*.parquet'], hive_partition_uri_prefix = 'gs://{BUCKET}/')"
    )
    numbers = f"SELECT x, CAST(x AS STRING) AS s, x / 3 AS f FROM UNNEST(GENERATE_ARRAY(1, {PAGED_ROWS})) AS x"
    client.query_and_wait(f"CREATE TABLE bench.numbers AS {numbers}")


def seconds_of(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def grouped_queries(server: Server, root: Path) -> Iterator[Figure]:
    """Each query, by the emulator and by DuckDB in turns; what is compared is the median of the rounds.

    First as clients ask by default, which take the cached result of the same query, and then run anew each time.
    """
    files = f"read_parquet('{root}/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as raw, requests.Session() as session:
        for cached, (name, query) in product((True, False), GROUPED.items()):
            ours, theirs = medians_in_turns(
                partial(server.query, session, query.format(table=f"`{TABLE}`"), cached=cached),
                partial(raw_rows, raw, query.format(table=files)),
            )
            title = f"{'again' if cached else 'anew'}: {name}"
            yield Figure(title, ours / theirs, 1.3, "x", f"{ours:.3f} s, DuckDB {theirs:.3f} s")


def raw_rows(connection: duckdb.DuckDBPyConnection, query: str) -> list[tuple[object, ...]]:
    return connection.sql(query).fetchall()


def medians_in_turns(one: Callable[[], object], other: Callable[[], object]) -> tuple[float, float]:
    """The median seconds of two ways to work, after a round for the caches."""
    one()
    other()
    rounds = [(seconds_of(one), seconds_of(other)) for _ in range(ROUNDS)]
    ours, theirs = zip(*rounds, strict=True)
    return statistics.median(ours), statistics.median(theirs)


def pages(client: bigquery.Client) -> Figure:
    times = [seconds_of(lambda: list(client.list_rows("lake.bench.numbers"))) for _ in range(3)]
    return Figure(f"{PAGED_ROWS:,} rows listed", statistics.median(times), 2, "s", "with the client's own decoding")


def start(folder: Path) -> Figure:
    """From the start of the process to the answer of its first query."""
    times = []
    for _ in range(START_ROUNDS):
        began = time.perf_counter()
        with emulator(folder):
            times.append(time.perf_counter() - began)
    return Figure("start to first answer", statistics.median(times), 1.5, "s")


def many_clients(server: Server) -> Iterator[Figure]:
    """Eight clients query at once while another asks for a table's metadata again and again.

    The other is a process of its own: in this one it would wait for the clients, while they decode their rows.
    """
    context = multiprocessing.get_context("spawn")
    started, over, waits = context.Event(), context.Event(), context.SimpleQueue()
    watcher = context.Process(target=watch, args=(server.url, started, over, waits))

    def work(number: int) -> int:
        client = server.client()
        queries = [query.format(table=f"`{TABLE}`") for query in GROUPED.values()]
        return sum(
            len(list(client.query_and_wait(queries[(number + i) % len(queries)], job_config=ANEW)))
            for i in range(QUERIES_EACH)
        )

    watcher.start()
    started.wait()
    with ThreadPoolExecutor(CLIENTS) as pool:
        outcomes = [pool.submit(work, number) for number in range(CLIENTS)]
    over.set()
    seconds: list[float] = waits.get()
    watcher.join()
    errors = sum(outcome.exception() is not None for outcome in outcomes)
    yield Figure(f"{CLIENTS} clients, errors", errors, 0, "")
    yield Figure("metadata meanwhile, median", statistics.median(seconds) * 1000, 50, "ms", f"{len(seconds)} calls")
    longest = max(seconds)
    yield Figure("metadata meanwhile, longest", longest * 1000, 300, "ms", f"call {seconds.index(longest) + 1}")


def watch(address: str, started: Event, over: Event, waits: "SimpleQueue[list[float]]") -> None:
    """Ask for a table's metadata until it is over, and tell how long each call took."""
    url = f"{address}/bigquery/v2/projects/lake/datasets/bench/tables/numbers"
    seconds = []
    with requests.Session() as session:
        session.get(url, timeout=60).raise_for_status()
        started.set()
        while not over.is_set():
            seconds.append(seconds_of(lambda: session.get(url, timeout=60).raise_for_status()))
    waits.put(seconds)


def memory(folder: Path, storage: str) -> Figure:
    """What a fresh emulator holds after a thousand queries, beside what it holds after a hundred."""
    with emulator(folder, storage) as server:
        client = server.client()
        make_tables(client)
        queries = ["SELECT 1", f"SELECT COUNT(*) FROM `{TABLE}` WHERE month = '2024-01-01'", GROUPED["count by key"]]
        held = []
        for number in range(1, MANY_QUERIES + 1):
            query = queries[number % len(queries)].format(table=f"`{TABLE}`")
            list(client.query_and_wait(query, job_config=ANEW))
            if number in {FEW_QUERIES, MANY_QUERIES}:
                held.append(server.resident_mib())
    return Figure(
        f"memory after {MANY_QUERIES:,} queries", held[1] / held[0], 1, "x", f"{held[0]:.0f}, {held[1]:.0f} MiB"
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=3_000_000, help="rows of the external table (%(default)s)")
    rows = parser.parse_args().rows
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-bigquery-")))
        root = folder / "files"
        files = write_files(root, rows)
        storage = stack.enter_context(object_server(folder / "objects"))
        upload(files, root, storage)
        size = sum(path.stat().st_size for path in files) / 2**20
        load = f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores"
        print(f"{rows:,} rows of {COLUMNS} columns, {size:.0f} MiB; {load}")
        print(f"{'':34} {'measured':>9} {'at most':>9}")
        server = stack.enter_context(emulator(folder, storage))
        client = server.client()
        make_tables(client)
        for figures in (grouped_queries(server, root), [pages(client)], many_clients(server)):
            for figure in figures:
                print(figure, flush=True)
        print(start(folder), flush=True)
        print(memory(folder, storage), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
