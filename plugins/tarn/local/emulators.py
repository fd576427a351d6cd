"""The services that stand in for Google Cloud and for the publishers. They are programs: none is imported."""

import sys
from collections.abc import Mapping
from pathlib import Path

from tarn.local.service import Endpoint, Service
from tarn.settings import Settings, Target


def emulators(settings: Settings) -> list[Service]:
    """The stand-ins that these settings need; none on gcp, and none for an address that was given."""
    services = []
    if settings.publishers == "offline":
        services.append(_publishers(settings))
    if settings.target is Target.LOCAL and settings.gcs_endpoint is None:
        services.append(_gcs(settings))
    if settings.target is Target.LOCAL and settings.bigquery_endpoint is None:
        services.append(_bigquery(settings))
    return services


def _publishers(settings: Settings) -> Service:
    endpoint = Endpoint(settings.host, settings.publishers_port, "TARN_PUBLISHERS_PORT", "/healthz")
    options = {"--data-dir": settings.home / "publishers", "--rows": settings.sample_rows}
    return Service("publishers", _command("tarn-publishers", endpoint, options), endpoint=endpoint)


def _gcs(settings: Settings) -> Service:
    endpoint = Endpoint(settings.host, settings.gcs_port, "TARN_GCS_PORT", "/storage/v1/b?project=local")
    command = (sys.executable, "-m", "tarn.local.gcs_server", *_options(endpoint, {"--dir": settings.home / "gcs"}))
    return Service("gcs", command, endpoint=endpoint)


def _bigquery(settings: Settings) -> Service:
    endpoint = Endpoint(settings.host, settings.bigquery_port, "TARN_BIGQUERY_PORT", "/healthz")
    options = {
        "--data-dir": settings.home / "bigquery",
        "--storage-endpoint": settings.gcs_url,
        "--project": settings.project,
    }
    return Service("bigquery", _command("tarn-bigquery", endpoint, options), endpoint=endpoint)


def _command(program: str, endpoint: Endpoint, options: Mapping[str, object]) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name(program)), *_options(endpoint, options))


def _options(endpoint: Endpoint, options: Mapping[str, object]) -> tuple[str, ...]:
    all_options = {"--host": endpoint.host, "--port": endpoint.port, **options}
    return tuple(str(word) for option in all_options.items() for word in option)
