"""How Tarn's own programs write their logs: a line of text, or one JSON object a line for whatever collects them.

The members are those that Cloud Logging reads of a line by itself, and that ELK takes as they are:
https://cloud.google.com/logging/docs/structured-logging#structured_logging_special_fields
"""

import datetime as dt
import json
import logging
import sys

from tarn.settings import LogFormat

TEXT_FORMAT = "%(message)s"


class JsonFormatter(logging.Formatter):
    """Writes a record as one JSON object in one line."""

    def format(self, record: logging.LogRecord) -> str:
        """The record's time, severity, logger and message; its traceback where it has one."""
        line = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "severity": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configure_logging(log_format: LogFormat, level: int = logging.INFO, text_format: str = TEXT_FORMAT) -> None:
    """Have this process write its log to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_format is LogFormat.JSON else logging.Formatter(text_format))
    logging.basicConfig(level=level, handlers=[handler], force=True)
