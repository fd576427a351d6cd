"""``tarn demo`` from an empty state folder, again while all is up, and again after ``tarn down``.

The state folder is a temporary one and the ports are free ones, so a running lake is left alone.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from _ports import free_port

TARN = Path(sys.executable).with_name("tarn")
SERVICES = ("AIRFLOW", "BIGQUERY", "GCS", "PUBLISHERS")
LIMITS = {"from nothing": 180, "again": 90, "after down": 90}


def main() -> None:
    """Measure and print each kind of start beside its limit, in seconds."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"TARN_HOME": home} | {f"TARN_{name}_PORT": str(free_port()) for name in SERVICES}
        try:
            print(f"{'tarn demo':<16}{'seconds':>9}{'limit':>7}{'Airflow up':>12}")
            for kind, limit in LIMITS.items():
                if kind == "after down":
                    run("down", environment)
                seconds, printed = run("demo", environment)
                started = re.findall(r"up  airflow +\S+ +([\d.]+) s", printed)
                print(f"{kind:<16}{seconds:>9.1f}{limit:>7}{started[0] if started else '':>12}", flush=True)
        finally:
            run("down", environment)


def run(command: str, environment: dict[str, str]) -> tuple[float, str]:
    """How long a command of ``tarn`` took, in seconds, and what it printed."""
    begun = time.perf_counter()
    done = subprocess.run([TARN, command], env=environment, check=True, capture_output=True, text=True)
    return time.perf_counter() - begun, done.stdout


if __name__ == "__main__":
    main()
