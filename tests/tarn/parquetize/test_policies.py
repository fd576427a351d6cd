"""New, dropped and changed columns in a publisher's file, as the dataset's policies have it."""

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tarn.dataset import Dataset
from tarn.errors import FileRefused
from tarn.parquetize.csv_file import open_csv
from tarn.parquetize.held import plain
from tarn.parquetize.parquet_file import open_parquet
from tarn.parquetize.rows import Rows, join_rows

Read = Callable[[Dataset, dict[str, list[Any]]], tuple[dict[str, list[Any]], tuple[str, ...], Rows]]


def sales(**policies: str) -> Dataset:
    return Dataset.model_validate(
        {
            "name": "sales",
            "description": "Sales.",
            "publisher": "a test",
            "sources": [{"format": "csv", "url": "http://example.org/s.csv", "mirror": "s.csv"}],
            "columns": [
                {"name": "id", "type": "INT64", "description": "x", "required": True},
                {"name": "price", "type": "FLOAT64", "description": "x"},
            ],
        }
        | policies
    )


def as_csv(dataset: Dataset, columns: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], tuple[str, ...], Rows]:
    lines = [columns.keys(), *zip(*columns.values(), strict=True)]
    text = "\n".join(",".join("" if value is None else str(value) for value in line) for line in lines)
    file = open_csv(io.BytesIO(text.encode()), dataset)
    return written(join_rows([file.read(block) for block in file.blocks()]), file.columns.ignored)


def as_parquet(dataset: Dataset, columns: dict[str, list[Any]]) -> tuple[dict[str, list[Any]], tuple[str, ...], Rows]:
    data = io.BytesIO()
    pq.write_table(pa.table(columns), data)
    file = open_parquet(pq.ParquetFile(data), dataset)
    return written(join_rows([file.read(batch) for batch in file.batches()]), file.columns.ignored)


def written(rows: Rows, ignored: tuple[str, ...]) -> tuple[dict[str, list[Any]], tuple[str, ...], Rows]:
    table = pa.Table.from_batches(rows.good)
    return {name: plain(table[name].combine_chunks()).to_pylist() for name in table.schema.names}, ignored, rows


@pytest.fixture(params=[as_csv, as_parquet], ids=["csv", "parquet"])
def read(request: pytest.FixtureRequest) -> Read:
    return request.param


NEW = {"id": [1, 2], "price": [1.5, 2.5], "Kind of Sale": ["web", None], "2nd": [7, 8], "month": ["x", "y"]}


def test_new_columns_are_left_out_and_told(read: Read) -> None:
    columns, ignored, _ = read(sales(), NEW)
    assert list(columns) == ["id", "price"]
    assert ignored == ("Kind of Sale", "2nd", "month")


def test_new_columns_evolve_into_text_under_names_that_a_table_may_have(read: Read) -> None:
    columns, ignored, _ = read(sales(new_columns="evolve"), NEW)
    assert columns == {
        "id": [1, 2],
        "price": [1.5, 2.5],
        "kind_of_sale": ["web", None],
        "_2nd": ["7", "8"],
        "month_": ["x", "y"],
    }
    assert ignored == ()


def test_new_columns_are_refused_by_name(read: Read) -> None:
    with pytest.raises(FileRefused, match="does not declare: kind of sale, 2nd, month"):
        read(sales(new_columns="refuse"), NEW)


def test_new_columns_of_one_name_are_one(read: Read) -> None:
    columns, *_ = read(sales(new_columns="evolve"), {"id": [1, 2], "a b": ["x", None], "A-B": [None, "z"]})
    assert columns == {"id": [1, 2], "price": [None, None], "a_b": ["x", None], "a_b_": [None, "z"]}


def test_a_dropped_column_is_null(read: Read) -> None:
    assert read(sales(), {"id": [1, 2]})[0] == {"id": [1, 2], "price": [None, None]}


def test_a_dropped_column_evolves_out_of_the_partition_s_file(read: Read) -> None:
    assert read(sales(dropped_columns="evolve"), {"id": [1, 2]})[0] == {"id": [1, 2]}


def test_a_dropped_column_is_refused_by_name(read: Read) -> None:
    with pytest.raises(FileRefused, match="lacks columns of sales: price"):
        read(sales(dropped_columns="refuse"), {"id": [1, 2]})


@pytest.mark.parametrize("policy", ["evolve", "ignore"])
def test_a_required_column_is_required_whatever_the_policy(read: Read, policy: str) -> None:
    with pytest.raises(FileRefused, match="lacks columns of sales: id"):
        read(sales(dropped_columns=policy), {"price": [1.5]})
    with pytest.raises(FileRefused, match="Column id is required, and nothing in it is INT64 any more"):
        read(sales(changed_types=policy), {"id": ["a", "b"], "price": [1.5, 2.5]})


CHANGED = {"id": [1, 2, 3], "price": ["cheap", None, "dear"]}


def test_a_changed_type_is_null(read: Read) -> None:
    columns, ignored, rows = read(sales(changed_types="ignore"), CHANGED)
    assert (columns, ignored, rows.bad) == ({"id": [1, 2, 3], "price": [None] * 3}, ("price",), ())


def test_a_changed_type_is_kept_as_text_beside_the_column(read: Read) -> None:
    columns, ignored, rows = read(sales(changed_types="evolve"), CHANGED)
    assert columns == {"id": [1, 2, 3], "price": [None] * 3, "price_text": ["cheap", None, "dear"]}
    assert (ignored, rows.bad) == ((), ())


def test_a_changed_type_is_refused_row_by_row(read: Read) -> None:
    columns, _, rows = read(sales(), CHANGED)
    assert columns == {"id": [2], "price": [None]}
    assert [row.rule for row in rows.bad] == ["price: not FLOAT64"] * 2


def test_a_changed_type_of_parquet_refuses_the_file_or_evolves() -> None:
    times = {"id": [1], "price": pa.array([0], pa.timestamp("us"))}
    with pytest.raises(FileRefused, match=r"price is timestamp\[us\] in the file, which cannot be read as FLOAT64"):
        as_parquet(sales(), times)
    columns, *_ = as_parquet(sales(changed_types="evolve"), times)
    assert columns == {"id": [1], "price": [None], "price_text": ["1970-01-01 00:00:00.000000"]}


def test_a_bad_value_among_good_ones_is_no_changed_type(read: Read) -> None:
    columns, _, rows = read(sales(changed_types="evolve"), {"id": [1, 2], "price": ["1.5", "dear"]})
    assert columns == {"id": [1], "price": [1.5]}
    assert len(rows.bad) == 1


def test_columns_without_a_value_have_not_changed(read: Read) -> None:
    columns, *_ = read(sales(changed_types="evolve"), {"id": [1], "price": [None]})
    assert columns == {"id": [1], "price": [None]}
