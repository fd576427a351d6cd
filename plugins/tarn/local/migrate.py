"""``python -m tarn.local.migrate``: bring Airflow's database up to date, if this version of Airflow has not yet."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

from tarn import durable


def main() -> int:
    """Run ``airflow db migrate`` unless it is known to be done; its exit code."""
    home = Path(os.environ["AIRFLOW_HOME"])
    done, installed = home / "migrated", version("apache-airflow-core")
    # Asking Airflow itself takes as long as the migration: seven seconds of each start.
    if (home / "airflow.db").exists() and done.exists() and done.read_text(encoding="utf-8") == installed:
        return 0
    code = subprocess.run([Path(sys.executable).with_name("airflow"), "db", "migrate"], check=False).returncode
    if code == 0:
        durable.write_text(done, installed)
    return code


if __name__ == "__main__":
    sys.exit(main())
