"""Open a downloaded file, of any format that publishers send, as a stream of cast rows."""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq
from isal import igzip

from tarn.arrival import GZIP_DAMAGE
from tarn.dataset import Dataset
from tarn.errors import FileRefused
from tarn.parquetize.columns import FileColumns
from tarn.parquetize.csv_file import open_csv
from tarn.parquetize.json_pages import Pages, open_json
from tarn.parquetize.parquet_file import open_parquet
from tarn.parquetize.pipeline import map_in_order
from tarn.parquetize.rows import Rows
from tarn.parquetize.tabs import TabsAsCommas
from tarn.progress import Progress
from tarn.source import GZIPPED, SourceFormat

READ_BYTES = 1 << 18
_DAMAGE = (*GZIP_DAMAGE, pa.ArrowInvalid)

Item = TypeVar("Item")


@dataclass(frozen=True)
class RawFile:
    """An open file: its columns, and its rows in order."""

    columns: FileColumns
    rows: Iterator[Rows]


@contextlib.contextmanager
def open_raw(path: Path, format_: SourceFormat, dataset: Dataset, progress: Progress) -> Iterator[RawFile]:
    """Open a file in its format; ``progress`` hears how much of it is read, in bytes, or in rows of Parquet.

    Raises FileRefused, here or while rows are read, where the file is damaged or lacks required columns.
    """
    if format_ is SourceFormat.PARQUET:
        with _open_parquet(path) as file:
            source = open_parquet(file, dataset)
            batches = _telling(source.batches(), lambda batch: progress(batch.end, file.metadata.num_rows, "rows"))
            yield RawFile(source.columns, map_in_order(source.read, batches))
    else:
        size = path.stat().st_size
        with path.open("rb") as file, _unpacked(file, format_) as stream:
            with _refusing_damage():
                csv = open_csv(TabsAsCommas(stream) if format_ is SourceFormat.TSV_GZ else stream, dataset)
            blocks = _telling(csv.blocks(), lambda _block: progress(file.tell(), size, "bytes"))
            yield RawFile(csv.columns, map_in_order(csv.read, blocks))


def open_pages(pages: Pages, dataset: Dataset, progress: Progress) -> RawFile:
    """The answers of an API as one file; ``progress`` hears how many records are read.

    Raises FileRefused, here or while rows are read, where an answer is damaged or all lack required columns.
    """
    source = open_json(pages, dataset)
    batches = _telling(source.batches(), lambda batch: progress(batch.row - 1 + len(batch.records), None, "rows"))
    return RawFile(source.columns, map_in_order(source.read, batches))


def _open_parquet(path: Path) -> pq.ParquetFile:
    with _refusing_damage():
        return pq.ParquetFile(path, buffer_size=READ_BYTES, pre_buffer=False)


def _unpacked(file: BinaryIO, format_: SourceFormat) -> BinaryIO:
    return igzip.open(file, "rb") if format_ in GZIPPED else file


def _telling(items: Iterator[Item], tell: Callable[[Item], None]) -> Iterator[Item]:
    with _refusing_damage():
        for item in items:
            tell(item)
            yield item


@contextlib.contextmanager
def _refusing_damage() -> Iterator[None]:
    try:
        yield
    except _DAMAGE as error:
        raise FileRefused(f"The file is damaged: {error}. Delete it and download it again.") from error
