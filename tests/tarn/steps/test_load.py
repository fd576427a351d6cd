"""load, with the official client against the real BigQuery emulator, over objects in the real object server."""

import concurrent.futures
import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from google.cloud import bigquery

from tarn.bigquery import bigquery_client
from tarn.cleaning import Policy
from tarn.dataset import Dataset
from tarn.errors import InputMissing, LoadFailed, LoadMismatch
from tarn.external_table import external_table
from tarn.partition import Partition
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace
from tarn.steps.load import load
from tarn.steps.upload import upload

JANUARY = Partition.parse("2024-01")
FARES = (1.0, 2.0, 3.0, -1.0)

Put = Callable[..., Receipt]


@pytest.fixture
def lake(settings: Settings, cloud: dict[str, str]) -> Settings:
    return settings.model_copy(update=cloud)


@pytest.fixture
def client(lake: Settings) -> bigquery.Client:
    return bigquery_client(lake)


@pytest.fixture
def put(lake: Settings, trips: Dataset, parquetized: Callable[..., Path]) -> Put:
    """Parquetizes and uploads trips with these fares; ``rows`` is what the receipts say."""

    def put(partition: Partition = JANUARY, fares: tuple[float, ...] = FARES, rows: int | None = None) -> Receipt:
        file = io.BytesIO()
        pq.write_table(pa.table({"id": range(len(fares)), "fare": pa.array(fares, pa.float64())}), file)
        parquetized(lake, trips, partition, file.getvalue(), len(fares) if rows is None else rows)
        return upload(trips, partition, lake)

    return put


def table_of(client: bigquery.Client, lake: Settings) -> bigquery.Table:
    return client.get_table(f"{lake.project}.{lake.lake_dataset}.trips")


def count(client: bigquery.Client, lake: Settings) -> int:
    [row] = client.query_and_wait(f"SELECT COUNT(*) FROM `{lake.project}.{lake.lake_dataset}.trips`")
    return int(row[0])


def test_the_table_is_made_as_declared_and_the_partition_proven(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    uploaded = put()
    receipt = load(trips, JANUARY, lake)
    table = table_of(client, lake)
    source = table.external_data_configuration
    assert (table.table_type, source.source_format) == ("EXTERNAL", "PARQUET")
    assert source.source_uris == [f"gs://{lake.bucket}/trips/*"]
    assert source.hive_partitioning.mode == "CUSTOM"
    assert source.hive_partitioning.source_uri_prefix == f"gs://{lake.bucket}/trips/{{month:DATE}}"
    columns = [(field.name, field.field_type, field.description) for field in table.schema]
    assert columns[:2] == [("id", "INTEGER", "the trip"), ("fare", "FLOAT", "in dollars")]
    assert [name for name, *_ in columns[2:]] == ["month"]
    assert table.description == "Trips, one row a trip. Publisher: a test."
    assert table.labels["tarn-dataset"] == "trips"
    assert (receipt.rows_written, receipt.reads, receipt.reused) == (4, uploaded.writes, False)
    assert receipt.bytes_processed is not None
    assert client.get_job(receipt.job).state == "DONE"
    assert Receipt.load(Workspace.of(trips, JANUARY, lake).receipt("load")) == receipt


def test_a_given_client_is_used(lake: Settings, trips: Dataset, client: bigquery.Client, put: Put) -> None:
    put()
    elsewhere = lake.model_copy(update={"bigquery_endpoint": "http://127.0.0.1:1"})
    assert load(trips, JANUARY, elsewhere, client=client).rows_written == 4


def test_the_second_load_leaves_the_table_alone_and_asks_nothing(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    first = load(trips, JANUARY, lake)
    etag = table_of(client, lake).etag
    second = load(trips, JANUARY, lake)
    assert (second.reused, second.job) == (True, first.job)
    assert table_of(client, lake).etag == etag
    forced = load(trips, JANUARY, lake, force=True)
    assert (forced.reused, forced.job == first.job) == (False, False)


@pytest.mark.parametrize(
    "change",
    [
        {"description": "Other words."},
        {"columns": [*"AB"]},
    ],
    ids=["description", "columns"],
)
def test_a_changed_declaration_changes_the_table(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put, change: dict[str, object]
) -> None:
    put()
    load(trips, JANUARY, lake)
    if "columns" in change:
        tip = trips.columns[1].model_copy(update={"name": "tip", "description": "in dollars, by card"})
        change = {"columns": (*trips.columns, tip)}
    changed = trips.model_copy(update=change)
    assert not load(changed, JANUARY, lake).reused
    table = table_of(client, lake)
    assert table.description.startswith(changed.description)
    assert [field.name for field in table.schema if field.name != "month"] == [one.name for one in changed.columns]
    assert load(changed, JANUARY, lake).reused
    assert count(client, lake) == 4


def test_labels_that_others_set_stay(lake: Settings, trips: Dataset, client: bigquery.Client, put: Put) -> None:
    put()
    load(trips, JANUARY, lake)
    table = table_of(client, lake)
    table.labels = table.labels | {"team": "tarn"}
    client.update_table(table, ["labels"])
    assert load(trips, JANUARY, lake).reused
    load(trips.model_copy(update={"description": "Other words."}), JANUARY, lake)
    assert table_of(client, lake).labels["team"] == "tarn"


def test_a_table_that_someone_dropped_is_made_again(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    load(trips, JANUARY, lake)
    client.delete_dataset(lake.lake_dataset, delete_contents=True)
    assert not load(trips, JANUARY, lake).reused
    assert count(client, lake) == 4


def test_many_partitions_at_once_make_one_table(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    months = [Partition.parse(f"2024-{month:02}") for month in range(1, 9)]
    for month in months:
        put(month)
    with concurrent.futures.ThreadPoolExecutor(len(months)) as pool:
        receipts = list(pool.map(lambda month: load(trips, month, lake), months))
    assert [receipt.rows_written for receipt in receipts] == [4] * 8
    assert count(client, lake) == 32


def test_many_partitions_at_once_after_a_change_agree_on_the_table(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    months = [Partition.parse(f"2024-{month:02}") for month in range(1, 9)]
    for month in months:
        put(month)
    load(trips, months[0], lake)
    changed = trips.model_copy(update={"description": "Other words."})
    with concurrent.futures.ThreadPoolExecutor(len(months)) as pool:
        list(pool.map(lambda month: load(changed, month, lake), months))
    assert table_of(client, lake).description.startswith("Other words.")


def test_another_count_fails_and_names_both(lake: Settings, trips: Dataset, put: Put) -> None:
    put(rows=5)
    message = (
        rf"trips 2024-01: BigQuery counts 4 rows in {lake.project}\.{lake.lake_dataset}\.trips, but 5 were uploaded"
    )
    with pytest.raises(LoadMismatch, match=message):
        load(trips, JANUARY, lake)
    assert Receipt.load(Workspace.of(trips, JANUARY, lake).receipt("load")) is None


def test_rows_of_an_object_that_upload_did_not_write_are_seen(
    lake: Settings, trips: Dataset, put: Put, parquetized: Callable[..., Path]
) -> None:
    february = Partition.parse("2024-02")
    put(february, FARES[:2])
    put(february, FARES)
    workspace = Workspace.of(trips, february, lake)
    receipt = Receipt.load(workspace.receipt("upload"))
    assert receipt
    receipt.model_copy(update={"rows_written": 2}).save(workspace.receipt("upload"))
    with pytest.raises(LoadMismatch, match=r"counts 4 rows .* but 2 were"):
        load(trips, february, lake)


def test_an_empty_partition_is_proven_too(lake: Settings, trips: Dataset, put: Put) -> None:
    put(fares=())
    assert load(trips, JANUARY, lake).rows_written == 0


def test_a_table_of_another_kind_is_left_alone(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    client.create_dataset(lake.lake_dataset)
    client.query_and_wait(f"CREATE VIEW `{lake.project}.{lake.lake_dataset}.trips` AS SELECT 1 AS one")
    with pytest.raises(LoadFailed, match="is a view, and the load wants an external table"):
        load(trips, JANUARY, lake)
    assert table_of(client, lake).table_type == "VIEW"


def test_a_dataset_in_another_location_is_refused(lake: Settings, trips: Dataset, put: Put) -> None:
    put()
    load(trips, JANUARY, lake)
    with pytest.raises(LoadFailed, match="lies in US, but the lake in EU: set TARN_LOCATION"):
        load(trips, JANUARY, lake.model_copy(update={"location": "EU"}))


def test_without_upload_it_says_what_to_run(lake: Settings, trips: Dataset) -> None:
    with pytest.raises(InputMissing, match=r"run scripts/upload\.py trips 2024-01 first"):
        load(trips, JANUARY, lake)


def test_with_no_server_it_says_how_to_start_one(
    lake: Settings, trips: Dataset, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put()
    monkeypatch.setattr("tarn.bigquery.RETRY", bigquery.DEFAULT_RETRY.with_timeout(0.1))
    with pytest.raises(LoadFailed, match=r"does not answer: start the local cloud with `tarn up`"):
        load(trips, JANUARY, lake.model_copy(update={"bigquery_endpoint": "http://127.0.0.1:1"}))


def test_what_others_do_to_the_columns_is_mended(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    load(trips, JANUARY, lake)
    table = table_of(client, lake)
    name = f"`{table.reference}`"
    options = f"format = 'PARQUET', uris = ['gs://{lake.bucket}/trips/*']"
    client.query_and_wait(f"CREATE OR REPLACE EXTERNAL TABLE {name} (id INT64) OPTIONS ({options})")
    bare = table_of(client, lake)
    bare.labels = table.labels
    client.update_table(bare, ["labels"])
    assert not load(trips, JANUARY, lake).reused
    assert table_of(client, lake).schema == table.schema


def test_words_of_a_description_are_kept_to_the_letter(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    words = 'It\'s "5" `§` \\ 🚕\nnext line'
    columns = [column.model_copy(update={"description": words}) for column in trips.columns]
    load(trips.model_copy(update={"description": words, "columns": tuple(columns)}), JANUARY, lake)
    table = table_of(client, lake)
    assert table.description.startswith(words)
    assert table.schema[0].description == words


def test_labels_of_the_settings_are_on_the_dataset_the_table_and_the_job(
    lake: Settings, trips: Dataset, client: bigquery.Client, put: Put
) -> None:
    put()
    receipt = load(trips, JANUARY, lake.model_copy(update={"labels": "team=data,env=test"}))
    ours = {"managed-by": "tarn", "team": "data", "env": "test"}
    assert client.get_dataset(lake.lake_dataset).labels == ours
    assert table_of(client, lake).labels.items() >= ours.items()
    assert client.get_job(receipt.job).labels == ours | {"tarn-step": "load"}


def test_the_definition_keeps_to_bigquery_s_rules_for_hive(lake: Settings, trips: Dataset) -> None:
    definition = external_table(trips, lake).definition
    assert f'uris = ["gs://{lake.bucket}/trips/*"]' in definition
    assert f'hive_partition_uri_prefix = "gs://{lake.bucket}/trips"' in definition
    columns, keys = definition.split("WITH PARTITION COLUMNS")
    assert "`month`" not in columns
    assert keys.startswith(" (`month` DATE)")


def test_a_column_that_evolves_shows_in_the_table_and_stays(
    lake: Settings, trips: Dataset, client: bigquery.Client, parquetized: Callable[..., Path]
) -> None:
    open_to_new = trips.model_copy(update={"new_columns": Policy.EVOLVE})
    february = Partition.parse("2024-02")

    def bring(partition: Partition, **more: list[str]) -> Receipt:
        file = io.BytesIO()
        pq.write_table(pa.table({"id": [1], "fare": [2.5], **more}), file)
        columns = {"id": "INT64", "fare": "FLOAT64"} | dict.fromkeys(more, "STRING")
        parquetized(lake, open_to_new, partition, file.getvalue(), 1, columns)
        upload(open_to_new, partition, lake)
        return load(open_to_new, partition, lake)

    bring(JANUARY)
    bring(february, colour=["green"])
    assert bring(JANUARY).rows_written == 1
    fields = [(field.name, field.field_type, field.description) for field in table_of(client, lake).schema]
    assert fields[2] == ("colour", "STRING", "Not declared; as the publisher writes it.")
    table = f"`{lake.project}.{lake.lake_dataset}.trips`"
    rows = client.query_and_wait(f"SELECT month, colour FROM {table} ORDER BY month")
    assert [(str(row["month"]), row["colour"]) for row in rows] == [("2024-01-01", None), ("2024-02-01", "green")]
    load(trips, JANUARY, lake)
    assert [field.name for field in table_of(client, lake).schema] == ["id", "fare", "month"]
