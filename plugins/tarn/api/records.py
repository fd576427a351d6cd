"""The records in an answer."""

import datetime as dt
from typing import Any

from tarn.api.answers import Number, at_path
from tarn.errors import FileRefused
from tarn.partition import Partition
from tarn.source import ApiSource, Series

Record = dict[str, Any]
_MILLISECONDS = dt.timedelta(milliseconds=1)
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def records_in(data: Any, source: ApiSource, partition: Partition, values: dict[str, str]) -> list[Record]:
    """An answer's records, each with the values that it was asked for.

    Raises FileRefused where the answer holds no list of records, or not the series.
    """
    found = _of_series(data, source.series, partition) if source.series else _listed(data, source.records)
    return [record | values for record in found] if values else found


def _listed(data: Any, path: str) -> list[Record]:
    found = at_path(data, path)
    where = f"at {path!r}" if path else "as the answer"
    if not isinstance(found, list):
        what = "an empty object" if found == {} else "nothing" if found is None else type(found).__name__
        raise FileRefused(f"the answer should have a list of records {where}, and has {what}: {_shown(data)}")
    for record in found:
        if not isinstance(record, dict):
            raise FileRefused(f"the records {where} should be objects, and one is: {_shown(record)}")
    return found


def _of_series(data: Any, series: Series, partition: Partition) -> list[Record]:
    first, end = (_milliseconds(day) for day in (partition.start, partition.next().start))
    records: dict[int, Record] = {}
    for path, field in series.values.items():
        for time, value in _points(data, path):
            if first <= time < end:
                record = records.setdefault(time, {series.time: Number(time)})
                record[field] = value
    return [records[time] for time in sorted(records)]


def _points(data: Any, path: str) -> list[tuple[int, Any]]:
    points = at_path(data, path)
    if not isinstance(points, list):
        what = "an empty object" if data == {} else _shown(data)
        raise FileRefused(f"the answer should have a series at {path!r}, and is {what}")
    try:
        return [(int(time), value) for time, value in points]
    except (TypeError, ValueError):
        raise FileRefused(f"the series at {path!r} should be of [milliseconds, value]: {_shown(points)}") from None


def _milliseconds(day: dt.date) -> int:
    return (dt.datetime.combine(day, dt.time(), dt.UTC) - _EPOCH) // _MILLISECONDS


def _shown(data: Any) -> str:
    text = str(data)
    return text if len(text) <= 200 else f"{text[:200]}..."
