"""ibis, its BigQuery backend. It reads every result by the Storage Read API."""

import datetime
from typing import Any

import pandas as pd
import pytest
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from google.cloud.bigquery_storage import BigQueryReadClient

from tests.bigquery.clients.conftest import ROWS

ibis = pytest.importorskip("ibis")


@pytest.fixture
def backend(client: bigquery.Client, storage_client: BigQueryReadClient, dataset: str) -> Any:
    backend = ibis.bigquery.connect(client=client, storage_client=storage_client, dataset_id=dataset)
    # ibis drops its temporary tables when the interpreter ends, and would wait ten minutes for an emulator long gone.
    backend._make_memtable_finalizer = lambda name: None
    return backend


def test_create_and_load(backend: Any) -> None:
    frame = pd.DataFrame({"id": [1, 2, 3], "name": ["a", "b", None], "price": [1.5, 2.5, None]})
    table = backend.create_table("t", frame)
    assert backend.list_tables() == ["t"]
    assert list(table.schema()) == ["id", "name", "price"]
    result = table.filter(table.id > 1).mutate(double=table.price * 2).order_by("id").to_pandas()
    assert result["double"].fillna(0).tolist() == [5.0, 0.0]
    totals = table.group_by(table.name.isnull().name("unnamed")).agg(n=table.count()).order_by("unnamed")
    assert totals.to_pandas()["n"].tolist() == [2, 1]


def test_parameters(backend: Any) -> None:
    table = backend.create_table("t", pd.DataFrame({"id": [1, 2, 3]}))
    least = ibis.param("int64")
    assert table.filter(table.id >= least).id.sum().to_pandas(params={least: 2}) == 5


def test_pages_of_a_hundred_thousand_rows(backend: Any, numbers: str) -> None:
    project, dataset, name = numbers.split(".")
    table = backend.table(name, database=(project, dataset))
    assert table.order_by("x").to_pyarrow()["x"].to_pylist() == list(range(1, ROWS + 1))
    batches = list(table.to_pyarrow_batches(chunk_size=10_000))
    assert sum(batch.num_rows for batch in batches) == ROWS


def test_external_table(backend: Any, trips: str) -> None:
    table = backend.table(trips.split(".")[-1])
    april = table.filter(table.month == datetime.date(2020, 4, 1))
    assert april.total.sum().to_pandas() == 4.0


def test_error(backend: Any) -> None:
    with pytest.raises(BadRequest, match="Unrecognized name: nothing"):
        backend.raw_sql("SELECT nothing")
    with pytest.raises(ibis.common.exceptions.TableNotFound):
        backend.table("missing")
