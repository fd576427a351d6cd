from pathlib import Path

import pytest

from tarn import durable


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "f"
    durable.write_text(path, "one")
    with durable.replacing(path) as temporary:
        temporary.write_text("two")
        assert path.read_text() == "one"
        assert temporary.parent == path.parent
    assert path.read_text() == "two"
    assert list(path.parent.iterdir()) == [path]


def test_after_an_error_the_old_file_stays_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_text("old")
    with pytest.raises(RuntimeError), durable.replacing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_temporary_name_is_hidden(tmp_path: Path) -> None:
    assert durable.temporary_name(tmp_path / "f.parquet").name == ".f.parquet.part"
