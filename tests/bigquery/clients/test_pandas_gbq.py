"""pandas-gbq."""

import datetime
from typing import Any

import pandas as pd
import pytest
from google.auth.credentials import AnonymousCredentials

from tests.bigquery.clients.conftest import ROWS
from tests.bigquery.conftest import PROJECT, Emulator

pandas_gbq = pytest.importorskip("pandas_gbq")


@pytest.fixture(autouse=True)
def _environment(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    """`to_gbq` makes clients of its own: the environment alone leads them to the emulator."""
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", emulator.url)


@pytest.fixture
def place() -> dict[str, Any]:
    """What every call of the library is given."""
    return {"project_id": PROJECT, "credentials": AnonymousCredentials()}


@pytest.fixture
def read(place: dict[str, Any]) -> Any:
    """`read_gbq` by REST: its fast way has no place for the address of a Storage Read API."""

    def read(query: str, **options: Any) -> pd.DataFrame:
        return pandas_gbq.read_gbq(query, use_bqstorage_api=False, progress_bar_type=None, **place, **options)

    return read


@pytest.mark.parametrize("way", ["load_csv", "load_parquet"])
def test_create_load_and_append(way: str, place: dict[str, Any], dataset: str, read: Any) -> None:
    frame = pd.DataFrame(
        {"id": [1, 2], "name": ["a", None], "when": pd.to_datetime(["2024-01-01", "2024-02-29"], utc=True)}
    )
    for if_exists in ("fail", "append"):
        pandas_gbq.to_gbq(
            frame, dataset.split(".")[1] + ".t", if_exists=if_exists, api_method=way, progress_bar=False, **place
        )
    result = read(f"SELECT id, name, `when` FROM `{dataset}.t` ORDER BY id")
    assert result["id"].tolist() == [1, 1, 2, 2]
    assert result["name"].isna().tolist() == [False, False, True, True]
    assert result["when"].iloc[-1] == pd.Timestamp("2024-02-29", tz="UTC")
    with pytest.raises(pandas_gbq.gbq.TableCreationError):
        pandas_gbq.to_gbq(frame, dataset.split(".")[1] + ".t", if_exists="fail", progress_bar=False, **place)


def test_parameters(read: Any) -> None:
    parameter = {
        "name": "day",
        "parameterType": {"type": "DATE"},
        "parameterValue": {"value": "2024-02-29"},
    }
    configuration = {"query": {"parameterMode": "NAMED", "queryParameters": [parameter]}}
    result = read("SELECT DATE_ADD(@day, INTERVAL 1 DAY) AS d", configuration=configuration)
    assert result["d"].tolist() == [datetime.date(2024, 3, 1)]


def test_pages_of_a_hundred_thousand_rows(read: Any, numbers: str) -> None:
    assert read(f"SELECT x FROM `{numbers}` ORDER BY x")["x"].tolist() == list(range(1, ROWS + 1))
    assert len(read(numbers)) == ROWS


def test_external_table(read: Any, trips: str) -> None:
    result = read(f"SELECT month, SUM(total) AS total FROM `{trips}` GROUP BY month ORDER BY month")
    assert result["total"].tolist() == [4.0, 4.0]


def test_error(read: Any) -> None:
    with pytest.raises(pandas_gbq.gbq.GenericGBQException, match="Unrecognized name: nothing"):
        read("SELECT nothing")
