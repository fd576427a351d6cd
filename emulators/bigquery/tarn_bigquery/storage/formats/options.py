"""Options of files that are known and not served: they are refused by name, so that no file is read another way.

Sources: https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#ExternalDataConfiguration and
https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#CsvOptions
"""

from collections.abc import Callable
from typing import Any

from tarn_bigquery.errors import unsupported
from tarn_bigquery.storage.errors import StorageError

_CSV_OPTIONS = {
    "allowJaggedRows", "allowQuotedNewlines", "encoding", "fieldDelimiter", "nullMarker", "nullMarkers",
    "preserveAsciiControlCharacters", "quote", "skipLeadingRows", "sourceColumnMatch",
}  # fmt: skip


def _never(value: Any) -> bool:
    return False


_SERVED: dict[str, Callable[[Any], bool]] = {
    "dateFormat": _never,
    "datetimeFormat": _never,
    "timeFormat": _never,
    "timestampFormat": _never,
    "jsonExtension": _never,
    "timeZone": lambda zone: str(zone).upper() in {"UTC", "ETC/UTC"},
    "fileSetSpecType": lambda kind: kind == "FILE_SET_SPEC_TYPE_FILE_SYSTEM_MATCH",
    "decimalTargetTypes": lambda kinds: {"NUMERIC", "BIGNUMERIC"}.issuperset(kinds),
    "sourceColumnMatch": lambda way: way in {"POSITION", "SOURCE_COLUMN_MATCH_UNSPECIFIED"},
}
"""The options of which some values are served, and which."""


def check_options(config: dict[str, Any]) -> None:
    """Hold an external table's configuration to what is served.

    Raises:
        ApiError: `notImplemented` for an option that BigQuery has and this emulator has not.
        StorageError: csvOptions has an option that BigQuery does not have.
    """
    csv_options = config.get("csvOptions") or {}
    if unknown := sorted(csv_options.keys() - _CSV_OPTIONS):
        raise StorageError(f"Unknown option in csvOptions: {', '.join(unknown)}.")
    for name, is_served in _SERVED.items():
        value = config.get(name) or csv_options.get(name)
        if value and not is_served(value):
            raise unsupported(f"the option {name} with the value {value!r}")
