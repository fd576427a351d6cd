"""Time zones: BigQuery takes names and offsets, DuckDB names only."""

import re

from tarn_bigquery.sql.compiler.values import Value, text

_OFFSET = re.compile(r"([+-])?(\d{1,2})(?::?(\d{2}))?")


def local(moment: str, zone: Value | None) -> str:
    """SQL for the civil time of a TIMESTAMP in a zone, UTC where none is given."""
    shift = offset_interval(zone)
    if shift is not None:
        return f"(({moment} AT TIME ZONE 'UTC') + {shift})"
    return (
        f"({moment} AT TIME ZONE {_name(zone)})" if _is_constant(zone) else f"googlesql.local({moment}, {_name(zone)})"
    )


def instant(civil: str, zone: Value | None) -> str:
    """SQL for the TIMESTAMP of a civil time in a zone, UTC where none is given."""
    shift = offset_interval(zone)
    if shift is not None:
        return f"(({civil} - {shift}) AT TIME ZONE 'UTC')"
    if not _is_constant(zone):
        return f"googlesql.instant({civil}, {_name(zone)})"
    moment = f"({civil} AT TIME ZONE {_name(zone)})"
    return moment if _is_utc(zone) else f"googlesql.first_instant({moment}, {civil}, {_name(zone)})"


def _is_utc(zone: Value | None) -> bool:
    return zone is None or zone.literal in {"UTC", "Etc/UTC"}


def offset_interval(zone: Value | None) -> str | None:
    """The interval that a zone such as '+05:30' is ahead of UTC; None for a zone that has a name."""
    if zone is None or not isinstance(zone.literal, str):
        return None
    found = _OFFSET.fullmatch(zone.literal)
    if found is None:
        return None
    minutes = int(found[2]) * 60 + int(found[3] or 0)
    return f"to_minutes({-minutes if found[1] == '-' else minutes})"


def _is_constant(zone: Value | None) -> bool:
    return zone is None or isinstance(zone.literal, str)


def _name(zone: Value | None) -> str:
    if zone is None:
        return "'UTC'"
    return text(zone.literal) if isinstance(zone.literal, str) else zone.sql
