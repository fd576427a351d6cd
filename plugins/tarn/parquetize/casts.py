"""Checked casts: each value becomes its declared type, or NULL, or is pointed out as bad; none changes in silence.

What counts as NULL: an empty field; for every type but STRING also blanks and NaN, which is how pandas writes what it
lacks. What counts as INT64: any number without a fraction, so ``1.0`` too, which pandas makes of ``1`` in a column that
lacks values. Times finer than a microsecond are cut
to it, the finest that BigQuery has.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from tarn.dataset import Column, ColumnType
from tarn.errors import FileRefused
from tarn.parquetize.types import ARROW_TYPES

EXACT_FLOAT = float(2**53)
"""Below this a float64 holds every integer exactly."""

_TRUE, _FALSE = ("true", "t", "yes", "y", "1"), ("false", "f", "no", "n", "0")
_BOOLEANS = dict.fromkeys(_TRUE, "true") | dict.fromkeys(_FALSE, "false")

_NUMBERS = (pt.is_integer, pt.is_floating, pt.is_decimal)
_ACCEPTED: dict[ColumnType, tuple[Callable[[pa.DataType], bool], ...]] = {
    ColumnType.STRING: (*_NUMBERS, pt.is_boolean, pt.is_temporal),
    ColumnType.INT64: _NUMBERS,
    ColumnType.FLOAT64: _NUMBERS,
    ColumnType.NUMERIC: _NUMBERS,
    ColumnType.BOOL: (pt.is_boolean, pt.is_integer),
    ColumnType.DATE: (pt.is_date,),
    ColumnType.DATETIME: (lambda type_: pt.is_timestamp(type_) and type_.tz is None, pt.is_date),
    ColumnType.TIMESTAMP: (pt.is_timestamp,),
}

Parser = Callable[[pa.Array], pa.Array]


@dataclass(frozen=True)
class Cast:
    """The values in the declared type, maybe dictionary-encoded; where ``bad`` is true one could not be cast."""

    values: pa.Array
    bad: pa.BooleanArray | None = None


def cast(values: pa.Array, column: Column) -> Cast:
    """Cast a column of text or of a Parquet file's own type to its declared type.

    Raises FileRefused where the types have nothing to do with each other.
    """
    if _is_text(values.type):
        return _cast_text(values.dictionary_encode(), column)
    if pt.is_dictionary(values.type):
        return (
            _cast_text(values, column) if _is_text(values.type.value_type) else cast(values.dictionary_decode(), column)
        )
    if pt.is_null(values.type):
        return Cast(values.cast(ARROW_TYPES[column.type]))
    if not any(accepts(values.type) for accepts in _ACCEPTED[column.type]):
        raise FileRefused(f"Column {column.name} is {values.type} in the file, which cannot be read as {column.type}.")
    if column.recode:
        return _cast_text(values.cast(pa.string()).dictionary_encode(), column)
    return _cast_typed(_nan_to_null(values), ARROW_TYPES[column.type])


def text_array(values: Iterable[str | None]) -> pa.StringArray:
    """Text in Arrow's form. ``pa.array`` does the same, and loads pandas for it: half a second and 40 MB."""
    builder = pa.lib.StringBuilder()
    for value in values:
        builder.append(value)
    return builder.finish()


def _is_text(type_: pa.DataType) -> bool:
    return pt.is_string(type_) or pt.is_large_string(type_)


def _cast_typed(values: pa.Array, target: pa.DataType) -> Cast:
    if values.type == target:
        return Cast(values)
    options = pc.CastOptions(target, allow_time_truncate=True)
    try:
        return Cast(pc.cast(values, options=options))
    except pa.ArrowInvalid:
        encoded = values.dictionary_encode()
        parsed = _parse_or_point_out(encoded.dictionary, lambda distinct: pc.cast(distinct, options=options), target)
        return _spread(encoded.indices, parsed)


def _cast_text(encoded: pa.DictionaryArray, column: Column) -> Cast:
    return _spread(encoded.indices, _parse_distinct(encoded.dictionary.cast(pa.string()), column))


def _spread(indices: pa.Array, distinct: Cast) -> Cast:
    bad = None if distinct.bad is None else distinct.bad.take(indices).fill_null(False)
    return Cast(pa.DictionaryArray.from_arrays(indices, distinct.values), bad)


def _parse_distinct(distinct: pa.StringArray, column: Column) -> Cast:
    parse = _PARSERS[column.type]
    if column.type is not ColumnType.STRING and not column.recode:
        try:
            return Cast(parse(distinct))
        except ValueError:  # some are blank or bad
            pass
    return _parse_or_point_out(_normalize(distinct, column), parse, ARROW_TYPES[column.type])


def _parse_or_point_out(distinct: pa.Array, parse: Parser, target: pa.DataType) -> Cast:
    try:
        return Cast(parse(distinct))
    except ValueError:
        if len(distinct) == 1:
            return Cast(pa.nulls(1, target), pa.array([True]))
    middle = len(distinct) // 2
    halves = [_parse_or_point_out(half, parse, target) for half in (distinct[:middle], distinct[middle:])]
    return Cast(pa.concat_arrays([half.values for half in halves]), pa.concat_arrays([_mask(half) for half in halves]))


def _mask(cast_: Cast) -> pa.BooleanArray:
    return pa.array([False] * len(cast_.values)) if cast_.bad is None else cast_.bad


def _normalize(distinct: pa.StringArray, column: Column) -> pa.StringArray:
    recode = {value.strip().lower(): new for value, new in column.recode.items()}
    keep_blanks = column.type is ColumnType.STRING

    def normal(text: str) -> str | None:
        stripped = text.strip()
        return recode.get(stripped.lower(), text if keep_blanks else stripped) or None

    return text_array(normal(text) for text in distinct.to_pylist())


def _nan_to_null(values: pa.Array) -> pa.Array:
    if pt.is_floating(values.type) and pc.any(pc.is_nan(values)).as_py():
        return pc.if_else(pc.is_nan(values), None, values)
    return values


def _parse_floats(text: pa.StringArray) -> pa.DoubleArray:
    return _nan_to_null(text.cast(pa.float64()))


def _parse_integers(text: pa.StringArray) -> pa.Int64Array:
    floats = _parse_floats(text)
    largest = pc.max(pc.abs(floats)).as_py() or 0.0
    if largest < EXACT_FLOAT:
        return floats.cast(pa.int64())
    if largest > 2.0**63:
        raise ValueError("beyond INT64")
    return pa.array([_exact_integer(value) for value in text.to_pylist()], pa.int64())


def _exact_integer(text: str | None) -> int | None:
    number = Decimal(text or "NaN")
    if number.is_nan():
        return None
    if number != number.to_integral_value() or not -(2**63) <= number < 2**63:
        raise ValueError(f"{text} is no INT64")
    return int(number)


def _parse_booleans(text: pa.StringArray) -> pa.BooleanArray:
    return text_array(None if word is None else _parse_boolean(word) for word in text.to_pylist()).cast(pa.bool_())


def _parse_boolean(word: str) -> str:
    if word.lower() not in _BOOLEANS:
        raise ValueError(f"{word} is neither true nor false")
    return _BOOLEANS[word.lower()]


def _parse_datetimes(text: pa.StringArray) -> pa.TimestampArray:
    return _parse_times(text, None)


def _parse_timestamps(text: pa.StringArray) -> pa.TimestampArray:
    try:
        return _parse_times(text, "UTC")
    except pa.ArrowInvalid:  # without an offset a time is UTC, as BigQuery reads it
        return _parse_times(text, None).cast(ARROW_TYPES[ColumnType.TIMESTAMP])


def _parse_times(text: pa.StringArray, zone: str | None) -> pa.TimestampArray:
    try:
        return text.cast(pa.timestamp("us", zone))
    except pa.ArrowInvalid:
        return _in_microseconds(text.cast(pa.timestamp("ns", zone)))


def _in_microseconds(times: pa.TimestampArray) -> pa.TimestampArray:
    return pc.cast(times, options=pc.CastOptions(pa.timestamp("us", times.type.tz), allow_time_truncate=True))


def _parse_dates(text: pa.StringArray) -> pa.Date32Array:
    try:
        return text.cast(pa.date32())
    except pa.ArrowInvalid:  # a day may be told as the time at which it begins
        times = _parse_times(text, None)
        days = times.cast(pa.date32())
        if not pc.all(pc.equal(days.cast(times.type), times)).as_py():
            raise ValueError("a time within a day is no DATE") from None
        return days


def _parse_by_arrow(type_: ColumnType) -> Parser:
    return lambda text: text.cast(ARROW_TYPES[type_])


_PARSERS: dict[ColumnType, Parser] = {
    ColumnType.STRING: lambda text: text,
    ColumnType.INT64: _parse_integers,
    ColumnType.FLOAT64: _parse_floats,
    ColumnType.NUMERIC: _parse_by_arrow(ColumnType.NUMERIC),
    ColumnType.BOOL: _parse_booleans,
    ColumnType.DATE: _parse_dates,
    ColumnType.DATETIME: _parse_datetimes,
    ColumnType.TIMESTAMP: _parse_timestamps,
}
