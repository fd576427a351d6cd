"""Tables and partitions that end by themselves, with a clock that the tests set."""

import datetime as dt
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import NotFound
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tarn_bigquery.config import Settings
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.server import make_app
from tests.bigquery.conftest import PROJECT
from tests.bigquery.test_load_and_copy import values

START = dt.datetime(2024, 1, 10, 12, tzinfo=dt.UTC)
DAY_MS = 86_400_000
DAYS = "SELECT DATE_ADD(DATE '2024-01-01', INTERVAL n DAY) AS d, n FROM UNNEST(GENERATE_ARRAY(0, 9)) AS n"


@dataclass
class Clock:
    now: dt.datetime = START

    def __call__(self) -> int:
        return int(self.now.timestamp() * 1000)

    def forward(self, **length: float) -> None:
        self.now += dt.timedelta(**length)


@pytest.fixture(scope="module")
def clock() -> Clock:
    return Clock()


@pytest.fixture(scope="module")
def engine(clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Engine]:
    yield Engine(Settings(data_dir=tmp_path_factory.mktemp("expiration")), clock)


@pytest.fixture(scope="module")
def client(engine: Engine) -> Iterator[bigquery.Client]:
    server = uvicorn.Server(uvicorn.Config(make_app(engine), port=0, log_config=None, lifespan="on"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive()
        time.sleep(0.02)
    port = server.servers[0].sockets[0].getsockname()[1]
    options = ClientOptions(api_endpoint=f"http://127.0.0.1:{port}")
    yield bigquery.Client(PROJECT, AnonymousCredentials(), client_options=options)
    server.should_exit = True
    thread.join()


@pytest.fixture(autouse=True)
def _start(clock: Clock) -> None:
    clock.now = START


def files(engine: Engine) -> list[str]:
    """The tables that the database has, whatever the catalog says."""
    with engine.database.cursor() as cursor:
        return [name for (name,) in cursor.execute("SELECT table_name FROM duckdb_tables()").fetchall()]


def test_a_table_ends(client: bigquery.Client, engine: Engine, clock: Clock, dataset: str) -> None:
    table = bigquery.Table(f"{dataset}.ending", [bigquery.SchemaField("a", "INT64")])
    table.expires = START + dt.timedelta(hours=1)
    client.create_table(table)
    clock.forward(minutes=59)
    assert values(client, f"SELECT COUNT(*) FROM `{dataset}.ending`") == [(0,)]
    clock.forward(minutes=1)
    with pytest.raises(NotFound):
        client.get_table(table)
    with pytest.raises(NotFound):
        client.query_and_wait(f"SELECT * FROM `{dataset}.ending`")
    assert list(client.list_tables(dataset)) == []
    assert "ending" not in files(engine)


def test_a_table_that_has_ended_makes_room_for_another(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    table = bigquery.Table(f"{dataset}.t", [bigquery.SchemaField("a", "INT64")])
    table.expires = START + dt.timedelta(hours=1)
    client.create_table(table)
    clock.forward(hours=2)
    client.create_table(bigquery.Table(f"{dataset}.t", [bigquery.SchemaField("b", "STRING")]))
    assert [field.name for field in client.get_table(f"{dataset}.t").schema] == ["b"]
    assert client.get_table(f"{dataset}.t").expires is None


def test_the_end_can_be_put_off(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    table = bigquery.Table(f"{dataset}.t", [bigquery.SchemaField("a", "INT64")])
    table.expires = START + dt.timedelta(hours=1)
    table = client.create_table(table)
    table.expires = None
    client.update_table(table, ["expires"])
    clock.forward(days=400)
    assert client.get_table(table).expires is None


def test_views_end_as_well(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    view = bigquery.Table(f"{dataset}.v")
    view.view_query = "SELECT 1 AS a"
    view.expires = START + dt.timedelta(hours=1)
    client.create_table(view)
    clock.forward(hours=1)
    with pytest.raises(NotFound):
        client.query_and_wait(f"SELECT * FROM `{dataset}.v`")


def test_a_dataset_says_when_its_tables_end(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    client.query_and_wait(f"ALTER SCHEMA `{dataset}` SET OPTIONS (default_table_expiration_days = 1)")
    assert client.get_dataset(dataset).default_table_expiration_ms == DAY_MS
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` AS SELECT 1 AS a")
    assert client.get_table(f"{dataset}.t").expires == START + dt.timedelta(days=1)
    clock.forward(days=1)
    with pytest.raises(NotFound):
        client.get_table(f"{dataset}.t")


def test_partitions_of_a_dataset_end_before_its_tables(client: bigquery.Client, dataset: str) -> None:
    made = client.get_dataset(dataset)
    made.default_table_expiration_ms = DAY_MS
    made.default_partition_expiration_ms = 3 * DAY_MS
    client.update_dataset(made, ["default_table_expiration_ms", "default_partition_expiration_ms"])
    client.query_and_wait(f"CREATE TABLE `{dataset}.t` PARTITION BY d AS {DAYS}")
    table = client.get_table(f"{dataset}.t")
    assert (table.expires, table.time_partitioning.expiration_ms) == (None, 3 * DAY_MS)
    client.query_and_wait(f"CREATE TABLE `{dataset}.plain` AS SELECT 1 AS a")
    assert client.get_table(f"{dataset}.plain").expires is not None


@pytest.mark.feature("SQL", "expiration of tables and partitions")
def test_old_partitions_vanish(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    table = f"{dataset}.t"
    client.query_and_wait(
        f"CREATE TABLE `{table}` PARTITION BY d OPTIONS (partition_expiration_days = 3) AS "
        f"{DAYS} UNION ALL SELECT NULL, 99"
    )
    count = f"SELECT ARRAY_AGG(n ORDER BY n) FROM `{table}`"
    # The partition of 7 January ended with the first moment of the 10th.
    assert values(client, count) == [([7, 8, 9, 99],)]
    clock.forward(hours=11, minutes=59)
    assert client.get_table(table).num_rows == 4
    clock.forward(minutes=1)
    assert client.get_table(table).num_rows == 3
    assert [row["n"] for row in client.list_rows(table)] == [8, 9, 99]
    client.query_and_wait(f"INSERT INTO `{table}` VALUES ('2023-12-31', -1)")
    assert values(client, count) == [([8, 9, 99],)]
    client.query_and_wait(f"ALTER TABLE `{table}` SET OPTIONS (partition_expiration_days = NULL)")
    clock.forward(days=100)
    assert values(client, count) == [([8, 9, 99],)]


@pytest.mark.parametrize(
    ("column", "kind", "left"),
    [
        ("TIMESTAMP '2024-01-10 12:59:59' - INTERVAL n HOUR", "TIMESTAMP_TRUNC(x, HOUR)", 24),
        ("DATE_SUB(DATE '2024-01-10', INTERVAL n MONTH)", "DATE_TRUNC(x, MONTH)", 0),
        ("DATETIME '2024-01-10 23:00:00' - INTERVAL n DAY", "DATETIME_TRUNC(x, DAY)", 1),
    ],
)
def test_partitions_end_by_their_beginning(
    client: bigquery.Client, dataset: str, column: str, kind: str, left: int
) -> None:
    table = f"{dataset}.t"
    client.query_and_wait(
        f"CREATE TABLE `{table}` PARTITION BY {kind} OPTIONS (partition_expiration_days = 1) "
        f"AS SELECT {column} AS x FROM UNNEST(GENERATE_ARRAY(0, 30)) AS n"
    )
    assert values(client, f"SELECT COUNT(*) FROM `{table}`") == [(left,)]


def test_ingested_partitions_end(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    table = bigquery.Table(f"{dataset}.t", [bigquery.SchemaField("n", "INT64")])
    table.time_partitioning = bigquery.TimePartitioning(expiration_ms=3 * DAY_MS)
    client.create_table(table)
    client.query_and_wait(f"INSERT INTO `{dataset}.t` (_PARTITIONTIME, n) SELECT TIMESTAMP(d), n FROM ({DAYS})")
    assert values(client, f"SELECT COUNT(*) FROM `{dataset}.t`") == [(3,)]
    clock.forward(days=1)
    assert values(client, f"SELECT COUNT(*) FROM `{dataset}.t`") == [(2,)]


@pytest.mark.parametrize("kind", ["HOUR", "DAY", "MONTH", "YEAR"])
def test_partitions_at_both_ends_of_time(client: bigquery.Client, dataset: str, kind: str) -> None:
    """A life longer than time itself, and the last partition, which tables have for what has no end."""
    table = f"{dataset}.of_{kind.lower()}s"
    client.query_and_wait(
        f"CREATE TABLE {table} (t TIMESTAMP) PARTITION BY TIMESTAMP_TRUNC(t, {kind}) "
        "OPTIONS (partition_expiration_days = 3650000)"
    )
    client.query_and_wait(f"INSERT {table} VALUES ('0001-01-01'), ('9999-12-31 23:30:00')")
    last = {"HOUR": "9999123123", "DAY": "99991231", "MONTH": "999912", "YEAR": "9999"}[kind]
    assert len(values(client, f"SELECT * FROM {table}")) == 2
    client.query_and_wait(f"ALTER TABLE {table} SET OPTIONS (partition_expiration_days = 700000)")
    client.load_table_from_json([{"t": "9999-12-31 23:59:59"}], f"{table}${last}").result()
    assert len(values(client, f"SELECT * FROM {table}")) == 2


def test_a_cached_result_lasts_a_day(client: bigquery.Client, clock: Clock, dataset: str) -> None:
    client.query_and_wait(f"CREATE TABLE {dataset}.lasting AS SELECT 1 AS a")

    def is_cached() -> bool | None:
        job = client.query(f"SELECT a FROM {dataset}.lasting")
        job.result()
        return job.cache_hit

    assert not is_cached()
    clock.forward(hours=24)
    assert is_cached()
    clock.forward(seconds=1)
    assert not is_cached()
