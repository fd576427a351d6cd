"""A lake of two months from the publishers to tested marts, and again: the same on Google Cloud as on the emulators."""

from typing import Any

import pytest

from tarn.errors import LoadFailed, LoadMismatch
from tarn.external_table import external_table
from tarn.layout import partition_folder
from tarn.marts import build_marts
from tarn.pipeline import run_partition, run_step
from tarn.receipt import Receipt
from tarn.settings import Target

from .trial import DATASETS, MONTHS, Trial

pytestmark = pytest.mark.slow


def run_all(trial: Trial) -> list[Receipt]:
    """Run every step of every dataset and month."""
    receipts = []
    for name in DATASETS:
        dataset = trial.dataset(name)
        for month in MONTHS:
            receipts += run_partition(dataset, dataset.partition(month), trial.settings)
    return receipts


@pytest.fixture(scope="module")
def receipts(trial: Trial) -> list[Receipt]:
    return run_all(trial)


@pytest.fixture(scope="module")
def marts(trial: Trial, receipts: list[Receipt]) -> Trial:
    first, last = (trial.dataset("taxi_green").partition(month) for month in MONTHS)
    build_marts(trial.settings, first, last, say=lambda _: None)
    return trial


def query(trial: Trial, sql: str) -> list[tuple[Any, ...]]:
    return [row.values() for row in trial.tables().query_and_wait(sql)]


def rows_of(receipts: list[Receipt], dataset: str) -> int:
    return sum(one.rows_written or 0 for one in receipts if (one.step, one.dataset) == ("load", dataset))


def test_bigquery_counts_what_was_loaded(trial: Trial, receipts: list[Receipt]) -> None:
    table = f"`{trial.settings.lake_dataset}.taxi_green`"
    counted = query(trial, f"SELECT month, COUNT(*) FROM {table} GROUP BY month ORDER BY month")
    assert [f"{month:%Y-%m}" for month, _ in counted] == list(MONTHS)
    assert sum(rows for _, rows in counted) == rows_of(receipts, "taxi_green")


def test_a_second_run_finds_nothing_to_do(trial: Trial, receipts: list[Receipt]) -> None:
    before = {
        blob.name: blob.generation for blob in trial.objects().list_blobs(trial.settings.bucket, prefix=trial.prefix)
    }
    again = run_all(trial)
    assert all(one.reused for one in again)
    after = {
        blob.name: blob.generation for blob in trial.objects().list_blobs(trial.settings.bucket, prefix=trial.prefix)
    }
    assert after == before


def test_a_query_of_a_month_reads_less_than_one_of_all(trial: Trial, receipts: list[Receipt]) -> None:
    table = f"`{trial.settings.lake_dataset}.taxi_green`"
    month, everything = (
        trial.tables().query(f"SELECT SUM(total_amount) FROM {table} {where}")
        for where in (f"WHERE month = '{MONTHS[0]}-01'", "")
    )
    month.result(), everything.result()
    assert month.total_bytes_processed < everything.total_bytes_processed


def test_the_table_is_as_declared_and_labelled(trial: Trial, receipts: list[Receipt]) -> None:
    dataset = trial.dataset("taxi_green")
    table = trial.tables().get_table(external_table(dataset, trial.settings).reference)
    assert table.table_type == "EXTERNAL"
    assert [field.name for field in table.schema] == [*(column.name for column in dataset.columns), "month"]
    assert table.schema[0].description == dataset.columns[0].description
    assert table.labels["managed-by"] == "tarn"
    assert table.location.lower() == trial.settings.location.lower()


def test_an_object_that_nobody_uploaded_fails_the_load(trial: Trial, receipts: list[Receipt]) -> None:
    dataset = trial.dataset("taxi_green")
    partition = dataset.partition(MONTHS[0])
    bucket = trial.objects().bucket(trial.settings.bucket)
    folder = partition_folder(dataset, partition)
    [found] = trial.objects().list_blobs(bucket, prefix=folder)
    stray = bucket.copy_blob(found, bucket, f"{folder}stray.parquet")
    try:
        with pytest.raises(LoadMismatch):
            run_step("load", dataset, partition, trial.settings, force=True)
    finally:
        stray.delete()


def test_another_location_is_refused(trial: Trial, receipts: list[Receipt]) -> None:
    dataset = trial.dataset("taxi_green")
    elsewhere = trial.settings.model_copy(update={"location": "europe-west4"})
    with pytest.raises(LoadFailed, match="set TARN_LOCATION"):
        run_step("load", dataset, dataset.partition(MONTHS[0]), elsewhere, force=True)


def test_the_marts_hold_every_trip(marts: Trial, receipts: list[Receipt]) -> None:
    counted = query(marts, f"SELECT COUNT(*) FROM `{marts.settings.marts_dataset}.trips`")
    assert counted == [(rows_of(receipts, "taxi_green"),)]


def test_marts_built_again_are_the_same(marts: Trial) -> None:
    if marts.settings.target is Target.LOCAL:
        pytest.skip("on the emulators the marts' own tests build them again")
    summary = f"SELECT TO_JSON_STRING(t) FROM `{marts.settings.marts_dataset}.monthly_summary` AS t ORDER BY 1"
    before = query(marts, summary)
    first, last = (marts.dataset("taxi_green").partition(month) for month in MONTHS)
    build_marts(marts.settings, first, last, say=lambda _: None)
    assert before
    assert query(marts, summary) == before
