"""Answers of an API as rows of the declared schema."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tarn.dataset import Dataset
from tarn.errors import FileRefused
from tarn.parquetize.json_pages import Pages, open_json
from tarn.partition import Granularity, Partition
from tarn.receipt import Artifact

DAY = Partition.parse("2024-05-19", Granularity.DAY)
COLUMNS = [
    ("id", "INT64", ()),
    ("price", "NUMERIC", ("quote.price",)),
    ("spot", "STRING", ("location",)),
    ("seen", "BOOL", ()),
    ("coin", "STRING", ()),
]


def dataset(**source: Any) -> Dataset:
    return Dataset.model_validate(
        {
            "name": "quotes",
            "description": "Quotes.",
            "publisher": "A test",
            "sources": [{"format": "json", "url": "https://example.org", "mirror": "quotes"} | source],
            "partition_by": "day",
            "columns": [
                {"name": name, "type": type_, "description": "x", "aliases": aliases}
                for name, type_, aliases in COLUMNS
            ],
        }
    )


def written(folder: Path, *answers: Any, **values: str) -> list[Artifact]:
    files = []
    for number, answer in enumerate(answers, 1):
        path = folder / f"page-{number:05}.jsonl"
        path.write_text(f"{answer if isinstance(answer, str) else json.dumps(answer)}\n")
        files.append(Artifact.of(path).model_copy(update={"values": values}))
    return files


def read(files: list[Artifact], quotes: Dataset) -> tuple[list[dict[str, Any]], list[Any], tuple[str, ...]]:
    opened = open_json(Pages(files, quotes.sources[0], DAY), quotes)  # type: ignore[arg-type]
    found = [opened.read(batch) for batch in opened.batches()]
    rows = [row for one in found for batch in one.good for row in batch.to_pylist()]
    return rows, [bad for one in found for bad in one.bad], opened.columns.ignored


def test_records_of_all_pages_are_rows_whatever_they_lack(tmp_path: Path) -> None:
    files = written(
        tmp_path,
        '[{"id": 1, "quote": {"price": 0.123456789, "at": null}, "seen": true}]',
        '[{"id": "2", "location": {"x": 1.50, "y": [2, null]}, "extra": 3}, {"id": 3, "quote": null}]',
    )
    rows, bad, ignored = read(files, dataset())
    assert bad == []
    assert [row["id"] for row in rows] == [1, 2, 3]
    assert [row["price"] for row in rows] == [Decimal("0.123456789"), None, None]
    assert [row["spot"] for row in rows] == [None, '{"x": 1.50, "y": [2, null]}', None]
    assert rows[0]["seen"] is True
    assert ignored == ("quote.at", "extra", "quote")


def test_a_value_that_cannot_be_cast_has_its_record_set_aside(tmp_path: Path) -> None:
    rows, bad, _ = read(written(tmp_path, [{"id": 1}], [{"id": 2}, {"id": "x", "seen": False}]), dataset())
    assert [row["id"] for row in rows] == [1, 2]
    [problem] = bad
    assert (problem.line, problem.column, problem.value) == (3, "id", "x")
    assert json.loads(problem.raw) == {"id": "x", "seen": False}


def test_a_record_has_the_values_that_it_was_asked_for(tmp_path: Path) -> None:
    rows, _, _ = read(written(tmp_path, [{"id": 1}], coin="bitcoin"), dataset())
    assert rows[0]["coin"] == "bitcoin"


def test_a_damaged_answer_is_refused_by_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match=r"page-00001\.jsonl is damaged"):
        read(written(tmp_path, '[{"id": 1'), dataset())


def test_a_number_beyond_any_float_keeps_its_digits(tmp_path: Path) -> None:
    rows, _, _ = read(written(tmp_path, '[{"id": 9007199254740993, "location": 123456789012345678901}]'), dataset())
    assert (rows[0]["id"], rows[0]["spot"]) == (9007199254740993, "123456789012345678901")
