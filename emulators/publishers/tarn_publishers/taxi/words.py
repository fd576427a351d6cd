"""Values as text, and codes as the words of their era."""

from collections.abc import Callable

import pyarrow as pa

from tarn_publishers.taxi.layouts import Words


def each_distinct(column: pa.Array, text: Callable[[int], str]) -> pa.Array:
    """Formats each distinct value once: a batch has far fewer of them than rows."""
    encoded = column.dictionary_encode()
    return pa.array([text(value) for value in encoded.dictionary.to_pylist()], pa.string()).take(encoded.indices)


def with_words(column: pa.Array, source: str, words: Words) -> pa.Array:
    """The column's codes as the words that an era wrote for them, if it did."""
    return each_distinct(column, words[source].__getitem__) if source in words else column
