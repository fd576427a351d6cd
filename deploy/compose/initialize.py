"""What Airflow needs before its services start: its user's password, its database brought up to date, and its pools."""

import json
import os
import sys
from pathlib import Path

from tarn import durable
from tarn.local import migrate

USER = "admin"


def main() -> int:
    """Do it; the exit code of the first part that fails."""
    password, file = (
        os.environ["TARN_AIRFLOW_PASSWORD"],
        os.environ["AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE"],
    )
    with durable.replacing(Path(file)) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(json.dumps({USER: password}), encoding="utf-8")
    return migrate.main()


if __name__ == "__main__":
    sys.exit(main())
