"""Which services make up the lake that the settings describe."""

from tarn.local.airflow import airflow_services
from tarn.local.emulators import emulators
from tarn.local.service import Service
from tarn.settings import Settings


def lake_services(settings: Settings) -> list[Service]:
    """Every service of the lake, in the order in which people read them."""
    return [*emulators(settings), *airflow_services(settings)]
