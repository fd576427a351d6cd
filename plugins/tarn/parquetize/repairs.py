"""Apply a column's cleaning rules to text, a distinct value at a time."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.types as pt

from tarn.cleaning import NULL, QUARANTINE, Rule
from tarn.dataset import Column, ColumnType
from tarn.parquetize.casts import text_array

BLANK = "blank"
DECIMAL_ZERO = r"^[+-]?[0-9]+\.0+$"

Repair = Callable[[pa.StringArray], pa.StringArray]


@dataclass(frozen=True)
class Cleaned:
    """A column's values by position after its rules: which rows each rule changed, and which are blank and must not.

    ``repairs`` has the rules that changed a row, and no others.
    """

    values: list[pa.Array]
    repairs: dict[str, pa.BooleanArray] = field(default_factory=dict)
    refused: pa.BooleanArray | None = None


def clean(values: list[pa.Array], column: Column) -> Cleaned:
    """Apply a column's rules to its values; several positions of a file may hold them, best first."""
    if not values or not column.cleaned:
        return Cleaned(values)
    texts = [_as_text(one) for one in values]
    repairs: dict[str, pa.BooleanArray] = {}
    blank = _blank(texts) if column.blank is not None else None
    refused = None
    if blank is not None and pc.any(blank).as_py():
        if column.blank == QUARANTINE:
            refused = blank
        else:
            repairs[f"{column.name}: {BLANK}"] = blank
            default = None if column.blank == NULL else column.blank
            plain = texts[0].dictionary_decode()
            texts[0] = pc.if_else(blank, pa.scalar(default, pa.string()), plain).dictionary_encode()
    texts = [_repair(text, column, repairs) for text in texts]
    return Cleaned(list(texts), repairs, refused)


def _as_text(values: pa.Array) -> pa.DictionaryArray:
    if pt.is_dictionary(values.type):
        return values if pt.is_string(values.type.value_type) else values.cast(pa.dictionary(pa.int32(), pa.string()))
    return values.cast(pa.string()).dictionary_encode()


def _blank(texts: list[pa.DictionaryArray]) -> pa.BooleanArray:
    blank = None
    for text in texts:
        empty = pc.equal(pc.utf8_trim_whitespace(text.dictionary), "").fill_null(True)
        here = empty.take(text.indices).fill_null(True)
        blank = here if blank is None else pc.and_(blank, here)
    return blank


def _repair(text: pa.DictionaryArray, column: Column, repairs: dict[str, pa.BooleanArray]) -> pa.DictionaryArray:
    distinct = text.dictionary
    for rule in column.repair:
        repaired = _repair_of(rule, column)(distinct)
        changed = pc.or_(
            pc.not_equal(distinct, repaired).fill_null(False), pc.and_(distinct.is_valid(), repaired.is_null())
        )
        if not pc.any(changed).as_py():
            continue
        distinct = repaired
        rows = changed.take(text.indices).fill_null(False)
        name = f"{column.name}: {rule.label}"
        repairs[name] = pc.or_(repairs[name], rows) if name in repairs else rows
    return pa.DictionaryArray.from_arrays(text.indices, distinct)


def _repair_of(rule: Rule, column: Column) -> Repair:
    if rule.strip_prefix:
        return _prefix_stripper(rule.strip_prefix)
    if rule.words:
        return _replacer({_folded(word): value for word, value in rule.words.items()})
    if rule.null_when:
        return _replacer(dict.fromkeys(map(_folded, rule.null_when)))
    if rule.date_format:
        return _date_reader(rule.date_format, column.type)
    return lambda text: _where(text, DECIMAL_ZERO, lambda number: number.partition(".")[0])


def _prefix_stripper(prefix: str) -> Repair:
    def strip(text: pa.StringArray) -> pa.StringArray:
        trimmed = pc.utf8_trim_whitespace(text)
        return pc.if_else(pc.starts_with(trimmed, prefix), pc.utf8_slice_codeunits(trimmed, len(prefix)), text)

    return strip


def _replacer(values: dict[str, str] | dict[str, None]) -> Repair:
    def replace(text: pa.StringArray) -> pa.StringArray:
        folded = pc.replace_substring_regex(pc.utf8_lower(pc.utf8_trim_whitespace(text)), r"\s+", " ")
        found = pc.index_in(folded, text_array(values))
        return pc.if_else(found.is_valid(), text_array(values.values()).take(found), text)

    return replace


def _folded(word: str) -> str:
    return " ".join(word.lower().split())


def _date_reader(form: str, type_: ColumnType) -> Repair:
    def read(text: str) -> str:
        try:
            moment = dt.datetime.strptime(text.strip(), form)
        except ValueError:
            return text
        return moment.date().isoformat() if type_ is ColumnType.DATE else moment.isoformat(" ")

    # Most values have the usual form, which the cast reads: only others are worth a look.
    return lambda text: _map(text, read)


def _where(text: pa.StringArray, pattern: str, change: Callable[[str], str]) -> pa.StringArray:
    matches = pc.match_substring_regex(pc.utf8_trim_whitespace(text), pattern)
    if not pc.any(matches).as_py():
        return text
    changed = _map(text.filter(matches.fill_null(False)), lambda one: change(one.strip()))
    return pc.replace_with_mask(text, matches.fill_null(False), changed)


def _map(text: pa.StringArray, change: Callable[[str], str]) -> pa.StringArray:
    values: Iterable[str | None] = text.to_pylist()
    return text_array(None if value is None else change(value) for value in values)
