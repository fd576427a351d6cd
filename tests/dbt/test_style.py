"""How the lake's SQL is written: sqlfluff finds nothing to say."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tarn.marts import dbt_variables
from tarn.settings import CHECKOUT, Settings

pytestmark = pytest.mark.slow


def test_the_models_are_clean(bigquery_url: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, bigquery_endpoint=bigquery_url)
    command = [Path(sys.executable).with_name("sqlfluff"), "lint", "--disable-progress-bar", "dbt/models", "dbt/tests"]
    environment = os.environ | dbt_variables(settings)
    done = subprocess.run(command, cwd=CHECKOUT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
