"""A container's health check: 0 where an address answers, or where Airflow hears a part of it, else 1 and why.

usage: health.py URL | health.py API_SERVER dag_processor|triggerer
"""

import json
import sys
from urllib.error import URLError
from urllib.request import urlopen

PATIENCE_SECONDS = 5.0
MONITOR = "/api/v2/monitor/health"


def main(address: str, component: str | None = None) -> int | str:
    """The exit code, or what is wrong."""
    try:
        with urlopen(address + MONITOR if component else address, timeout=PATIENCE_SECONDS) as answer:  # noqa: S310
            status = json.load(answer)[component]["status"] if component else "healthy"
    except (URLError, TimeoutError, ConnectionError) as error:
        return f"{address}: {error}"
    return 0 if status == "healthy" else f"{component}: {status}"


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
