"""Tab-separated text as CSV: every field comes through, wherever the stream is cut."""

import csv
import gzip
import io
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tarn.dataset import Dataset
from tarn.parquetize.raw_file import open_raw
from tarn.parquetize.tabs import TabsAsCommas
from tarn.progress import silent
from tarn.source import SourceFormat

FIELD = st.text(st.characters(codec="utf-8", exclude_characters="\t\r\n"), max_size=8)
WIDTH = 3
TRIPS = Dataset.model_validate(
    {
        "name": "trips",
        "description": "Trips.",
        "publisher": "A test",
        "sources": [{"format": "tsv.gz", "url": "https://example.org", "mirror": "trips"}],
        "columns": [
            {"name": "id", "type": "INT64", "description": "the trip"},
            {"name": "fare", "type": "FLOAT64", "description": "in dollars"},
        ],
    }
)


@settings(deadline=None)  # the machine may be busy
@given(
    st.lists(st.lists(FIELD, min_size=WIDTH, max_size=WIDTH), min_size=1),
    st.integers(1, 20),
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
)
def test_every_field_comes_through(rows: list[list[str]], size: int, end: str, last_end: bool) -> None:
    text = end.join("\t".join(row) for row in rows) + (end if last_end else "")
    stream = TabsAsCommas(io.BytesIO(text.encode()))
    found = b""
    while chunk := stream.read(size):
        found += chunk
    assert list(csv.reader(io.StringIO(found.decode(), newline=""), strict=True)) == rows


def test_a_gzipped_dump_is_read_without_a_last_line_end(tmp_path: Path) -> None:
    path = tmp_path / "trips.tsv.gz"
    path.write_bytes(gzip.compress(b'id\tnote\tfare\n1\ta,b\t2.5\n2\t"\t\n3\tc\t1'))
    with open_raw(path, SourceFormat.TSV_GZ, TRIPS, silent) as raw:
        found = [row for rows in raw.rows for batch in rows.good for row in batch.to_pylist()]
    assert found == [{"id": 1, "fare": 2.5}, {"id": 2, "fare": None}, {"id": 3, "fare": 1.0}]
    assert raw.columns.ignored == ("note",)
