from pathlib import Path
from unittest.mock import patch

import pyarrow as pa
import pyarrow.parquet as pq

from tarn.parquetize import row_groups
from tarn.parquetize.held import hold
from tarn.parquetize.row_groups import RowGroupWriter
from tarn.parquetize.types import ARROW_TYPES

ROWS = pa.RecordBatch.from_pydict(
    {
        "n": pa.array([*range(99_998), None, 7]),
        "text": pa.array(["a", None] * 50_000),
        "none": pa.nulls(100_000, pa.float64()),
    }
)


def write(path: Path) -> pq.ParquetFile:
    with RowGroupWriter(path, ROWS.schema) as writer:
        for batch in hold(ROWS, ROWS.schema):
            writer.add([batch])
    return pq.ParquetFile(path)


def test_rows_come_back_plain_in_order_with_statistics(tmp_path: Path) -> None:
    file = write(tmp_path / "f.parquet")
    assert file.read().equals(pa.Table.from_batches([ROWS]))
    column = file.metadata.row_group(0).column(0)
    assert (column.statistics.min, column.statistics.max, column.statistics.null_count) == (0, 99_997, 1)
    assert column.compression == "ZSTD"
    assert file.num_row_groups == 1


def test_the_same_rows_give_the_same_bytes(tmp_path: Path) -> None:
    write(tmp_path / "one")
    write(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_a_row_group_ends_when_it_is_large(tmp_path: Path) -> None:
    with patch.object(row_groups, "ROW_GROUP_BYTES", 1):
        file = write(tmp_path / "f.parquet")
    assert file.num_row_groups == 4
    assert file.read().equals(pa.Table.from_batches([ROWS]))


def test_a_file_without_rows_has_its_schema(tmp_path: Path) -> None:
    schema = pa.schema(list(ARROW_TYPES.items()))
    with RowGroupWriter(tmp_path / "f.parquet", schema):
        pass
    assert pq.read_schema(tmp_path / "f.parquet").equals(schema)
