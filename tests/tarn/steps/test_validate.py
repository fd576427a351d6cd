"""validate, with the official client against the real BigQuery emulator, over objects in the real object server."""

import io
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tarn.bigquery import bigquery_client
from tarn.dataset import Dataset
from tarn.errors import CheckFailed, InputMissing, LoadFailed
from tarn.partition import Partition
from tarn.receipt import Receipt
from tarn.settings import Settings
from tarn.staging import Workspace
from tarn.steps.load import load
from tarn.steps.upload import upload
from tarn.steps.validate import validate

JANUARY = Partition.parse("2024-01")

Loaded = Callable[..., Receipt]


@pytest.fixture
def lake(settings: Settings, cloud: dict[str, str]) -> Settings:
    return settings.model_copy(update=cloud)


@pytest.fixture
def loaded(lake: Settings, trips: Dataset, parquetized: Callable[..., Path]) -> Loaded:
    """Brings trips with these fares into the lake."""

    def bring(*fares: float | None) -> Receipt:
        file = io.BytesIO()
        pq.write_table(pa.table({"id": range(len(fares)), "fare": pa.array(fares, pa.float64())}), file)
        parquetized(lake, trips, JANUARY, file.getvalue(), len(fares))
        upload(trips, JANUARY, lake)
        return load(trips, JANUARY, lake)

    return bring


def test_each_check_is_counted_and_the_receipt_tells(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    objects = loaded(1.0, 2.0, 3.0, -1.0).reads
    receipt = validate(trips, JANUARY, lake)
    assert receipt.checks == {"fares are not negative": 1, "trips have a number": 0}
    assert (receipt.rows_read, receipt.reads, receipt.reused) == (4, objects, False)
    assert receipt.bytes_processed is not None
    assert bigquery_client(lake).get_job(receipt.job).labels["tarn-step"] == "validate"
    assert Receipt.load(Workspace.of(trips, JANUARY, lake).receipt("validate")) == receipt


def test_too_many_rows_that_break_a_check_fail(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    loaded(1.0, -1.0, -2.0, 4.0)
    with pytest.raises(
        CheckFailed, match=r"2 of 4 rows \(50\.00%\) break .*'fares are not negative'.* limit of 25\.00%"
    ):
        validate(trips, JANUARY, lake)
    assert Receipt.load(Workspace.of(trips, JANUARY, lake).receipt("validate")) is None


def test_null_breaks_a_check(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    loaded(1.0, 2.0, 3.0, None)
    assert validate(trips, JANUARY, lake).checks["fares are not negative"] == 1


def test_an_empty_partition_breaks_nothing(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    loaded()
    assert validate(trips, JANUARY, lake).rows_read == 0


def test_it_asks_again_only_after_a_change(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    loaded(1.0, 2.0)
    first = validate(trips, JANUARY, lake)
    second = validate(trips, JANUARY, lake)
    assert (second.reused, second.job) == (True, first.job)
    stricter = trips.model_copy(update={"checks": trips.checks[:1]})
    assert list(validate(stricter, JANUARY, lake).checks) == ["fares are not negative"]
    assert not validate(trips, JANUARY, lake, force=True).reused
    loaded(1.0, 2.0, 3.0)
    assert validate(trips, JANUARY, lake).rows_read == 3


def test_a_check_that_is_no_sql_fails_with_bigquery_s_words(lake: Settings, trips: Dataset, loaded: Loaded) -> None:
    loaded(1.0)
    wrong = trips.checks[0].model_copy(update={"condition": "no_such_column > 0"})
    with pytest.raises(LoadFailed, match=r"trips 2024-01: .*answered 400.*no_such_column"):
        validate(trips.model_copy(update={"checks": (wrong,)}), JANUARY, lake)


def test_without_load_it_says_what_to_run(lake: Settings, trips: Dataset) -> None:
    with pytest.raises(InputMissing, match=r"run scripts/load\.py trips 2024-01 first"):
        validate(trips, JANUARY, lake)
