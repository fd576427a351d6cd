"""The Range header, against a plain slice of bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tarn_publishers.http.ranges import UnsatisfiableRangeError, parse_range

SIZES = st.integers(0, 2_000)
POSITIONS = st.integers(0, 3_000)


def _bytes_of(header: str, size: int) -> range | str | None:
    try:
        return parse_range(header, size)
    except UnsatisfiableRangeError:
        return "416"


@given(first=POSITIONS, length=st.integers(1, 3_000), size=SIZES)
def test_first_and_last(first, length, size):
    expected = range(size)[first : first + length]
    assert _bytes_of(f"bytes={first}-{first + length - 1}", size) == (expected or "416")


@given(first=POSITIONS, size=SIZES)
def test_from_first_to_the_end(first, size):
    assert _bytes_of(f"bytes={first}-", size) == (range(size)[first:] or "416")


@given(length=POSITIONS, size=SIZES)
def test_the_last_bytes(length, size):
    assert _bytes_of(f"bytes=-{length}", size) == (range(size)[max(size - length, 0) :] or "416")


@given(first=st.integers(1, 3_000), size=SIZES, data=st.data())
def test_a_last_before_the_first_is_ignored(first, size, data):
    last = data.draw(st.integers(0, first - 1))
    assert _bytes_of(f"bytes={first}-{last}", size) is None


@given(header=st.text(), size=SIZES)
def test_any_text_is_ignored_refused_or_within_the_file(header, size):
    part = _bytes_of(header, size)
    assert part in (None, "416") or (0 <= part.start < part.stop <= size)


@pytest.mark.parametrize("header", ["bytes=-", "bytes=0-1,3-4", "items=0-1", "bytes 0-1", "bytes=a-b", "bytes=٣-", ""])
def test_what_is_no_single_range_of_bytes_is_ignored(header):
    assert parse_range(header, 10) is None
