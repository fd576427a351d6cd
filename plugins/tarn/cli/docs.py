"""``tarn docs``: dbt's documentation of the sources, models and columns."""

import subprocess
from pathlib import Path

from tarn.cli.console import results
from tarn.dbt_parse import parse_handed_on
from tarn.errors import BuildFailed
from tarn.marts import dbt_command, dbt_environment
from tarn.settings import current_settings


def docs() -> None:
    """Generate dbt's docs from the running lake and serve them until Ctrl-C."""
    settings = current_settings()
    environment = dbt_environment(settings)
    with parse_handed_on(settings, Path(environment["DBT_TARGET_PATH"])):
        generate = subprocess.run(dbt_command(settings, "docs", "generate"), env=environment, check=False)
    if generate.returncode != 0:
        raise BuildFailed("dbt docs generate failed: is the lake up? Start it with `tarn up --no-airflow`.")
    where = ("--host", settings.host, "--port", str(settings.docs_port), "--no-browser")
    results.print(f"dbt docs at http://{settings.host}:{settings.docs_port} until Ctrl-C", highlight=False)
    try:
        subprocess.run(dbt_command(settings, "docs", "serve", *where), env=environment, check=False)
    except KeyboardInterrupt:
        results.print("stopped")
