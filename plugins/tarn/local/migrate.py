"""``python -m tarn.local.migrate``: bring Airflow's database up to date, if this version of Airflow has not yet.

The pools are made with it: a task of a pool that is not there is never run.
"""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tarn import durable
from tarn.airflow.pools import needed_pools
from tarn.errors import TarnError
from tarn.settings import current_settings


def main() -> int:
    """Run ``airflow db migrate`` and make the pools, unless both are known to be done; the exit code."""
    home = Path(os.environ["AIRFLOW_HOME"])
    done = home / "migrated"
    try:
        wanted = " ".join([version("apache-airflow-core"), *needed_pools(current_settings())])
    except TarnError as error:
        print(error, file=sys.stderr)  # noqa: T201 - a command of its own
        return 1
    # Asking Airflow itself takes as long as the migration: seven seconds of each start.
    if (home / "airflow.db").exists() and done.exists() and done.read_text(encoding="utf-8") == wanted:
        return 0
    airflow = str(Path(sys.executable).with_name("airflow"))
    for command in ([airflow, "db", "migrate"], [sys.executable, "-m", "tarn.airflow.pools"]):
        code = subprocess.run(command, check=False).returncode
        if code != 0:
            return code
    durable.write_text(done, wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
