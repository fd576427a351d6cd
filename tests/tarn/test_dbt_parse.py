"""What dbt has read of the project, from call to call."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tarn.dbt_parse import PARSE, kept_parse, parse_handed_on
from tarn.settings import Settings


def test_each_call_begins_where_the_last_one_ended_whatever_its_folder_is(settings: Settings, tmp_path: Path) -> None:
    for number in range(3):
        own = tmp_path / str(number) / PARSE
        with parse_handed_on(settings, own.parent):
            own.write_text(f"{own.read_text()}{number}" if own.exists() else "begun")
    assert kept_parse(settings).read_text() == "begun12"


def test_a_call_that_an_error_ends_hands_nothing_on(settings: Settings, tmp_path: Path) -> None:
    with parse_handed_on(settings, tmp_path):
        (tmp_path / PARSE).write_text("whole")
    with pytest.raises(KeyboardInterrupt), parse_handed_on(settings, tmp_path):
        (tmp_path / PARSE).write_text("ha")
        raise KeyboardInterrupt
    assert kept_parse(settings).read_text() == "whole"


def test_calls_side_by_side_begin_from_what_is_whole(settings: Settings, tmp_path: Path) -> None:
    size = 1_000_000

    def call(number: int) -> bytes:
        own = tmp_path / str(number) / PARSE
        with parse_handed_on(settings, own.parent):
            found = own.read_bytes() if own.exists() else b""
            own.write_bytes(bytes([number]) * size)
        return found

    with ThreadPoolExecutor(8) as pool:
        found = {read for read in pool.map(call, range(100)) if read}
    assert found
    assert all(read == read[:1] * size for read in found)


def test_a_call_that_reads_nothing_leaves_nothing(settings: Settings, tmp_path: Path) -> None:
    with parse_handed_on(settings, tmp_path / "new"):
        pass
    assert not kept_parse(settings).exists()
