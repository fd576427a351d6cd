"""How Airflow finds what Tarn adds to its command line. Every Airflow process imports this: keep it small."""

from typing import Any


def get_provider_info() -> dict[str, Any]:
    """Tarn as Airflow's provider discovery wants it described."""
    return {
        "package-name": "tarn",
        "name": "Tarn",
        "description": "A GCS + BigQuery data lake; puts `airflow dags backfill` back.",
        "cli": ["tarn.airflow.cli.get_cli_commands"],
    }
