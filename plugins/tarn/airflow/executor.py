"""The local executor, with what the tasks import loaded before its workers are forked."""

import importlib

from airflow.executors.local_executor import LocalExecutor

from tarn.pipeline import STEPS

# What the lanes' tasks import. A task runs in a fork of a worker, which is a fork of the scheduler: here it is loaded
# once, there once for every task.
PRELOADED = (
    "airflow.providers.google.cloud.hooks.bigquery",
    "airflow.providers.standard.decorators.python",
    "cosmos.operators.local",
    "dbt.adapters.bigquery",
    "dbt.cli.main",
    "dbt.task.build",
    *(f"tarn.steps.{step}" for step in STEPS),
)


class PreloadingLocalExecutor(LocalExecutor):
    """Airflow's local executor; its tasks start without the imports of the lanes."""

    def start(self) -> None:
        """Load what the tasks will need, then fork the workers."""
        for module in PRELOADED:
            importlib.import_module(module)
        super().start()
