"""Airflow as a service of the local cloud: its settings, its user and its processes. Airflow is never imported here."""

import json
import os
import secrets
import sys
from pathlib import Path
from typing import NamedTuple

from tarn import durable
from tarn.local.service import Endpoint, Service
from tarn.settings import LogFormat, Settings, Target

USER = "admin"
START_SECONDS = 180.0
METRICS_MILLISECONDS = 15_000


class Login(NamedTuple):
    """The one user of the local Airflow."""

    name: str
    password: str


def airflow_services(settings: Settings) -> list[Service]:
    """Airflow's processes; the scheduler comes first, because it brings the database up to date for the others."""
    environment = airflow_environment(settings)
    # The first call of the execution API takes seconds, longer than a task waits: the health check makes it.
    endpoint = Endpoint(settings.host, settings.airflow_port, "TARN_AIRFLOW_PORT", "/execution/health")
    prepare = [(sys.executable, "-m", "tarn.local.migrate")]
    if settings.keeps_remote_logs and settings.target is Target.LOCAL:
        # The first log is written before the first upload would make the bucket.
        prepare.append((sys.executable, "-m", "tarn.local.bucket"))
    return [
        # Task logs lie in a folder that the UI reads; a server for them would only take another port.
        Service(
            "airflow-scheduler",
            _airflow("scheduler", "--skip-serve-logs"),
            environment=environment,
            prepare=tuple(prepare),
        ),
        Service("airflow-dag-processor", _airflow("dag-processor"), environment=environment),
        Service(
            "airflow",
            _airflow("api-server"),
            environment=environment,
            endpoint=endpoint,
            start_seconds=START_SECONDS,
        ),
    ]


def airflow_environment(settings: Settings) -> dict[str, str]:
    """The variables that lead Airflow, and whatever it starts, to this lake. Makes the secrets that it lacks."""
    login(settings)
    return {
        **settings.environment(),
        "TARN_HOME": str(settings.home.resolve()),
        "TARN_ROOT": str(settings.root.resolve()),
        "AIRFLOW_HOME": str(_home(settings)),
        "AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT": _connection(settings),
        **{f"AIRFLOW__{name}": value for name, value in _configuration(settings).items()},
        **_metrics(settings),
        # Airflow imports thousands of modules in each process: where bytecode is not kept, a task takes twice as long.
        "PYTHONDONTWRITEBYTECODE": "",
    }


def login(settings: Settings) -> Login:
    """The local user and their password, which is made up once."""
    passwords = json.loads(_secret(_passwords_file(settings), json.dumps({USER: secrets.token_urlsafe(12)})))
    return Login(USER, passwords[USER])


def _configuration(settings: Settings) -> dict[str, str]:
    address = f"http://{settings.host}:{settings.airflow_port}"
    root = settings.root.resolve()
    return {
        "API__BASE_URL": address,
        "API__HOST": settings.host,
        "API__PORT": str(settings.airflow_port),
        "API_AUTH__JWT_SECRET": _secret(_home(settings) / "jwt_secret", secrets.token_urlsafe(48)),
        "CORE__DAGS_FOLDER": str(root / "dags"),
        "CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
        "CORE__EXECUTION_API_SERVER_URL": f"{address}/execution/",
        "CORE__EXECUTOR": "tarn.airflow.executor.PreloadingLocalExecutor",
        "CORE__HOSTNAME_CALLABLE": "socket.gethostname",
        "CORE__LOAD_EXAMPLES": "False",
        "CORE__MAX_MAP_LENGTH": "8192",  # lanes of one run: four datasets by month since 2009 are under a thousand
        "CORE__PARALLELISM": str(max(8, 2 * (os.cpu_count() or 1))),
        "CORE__PLUGINS_FOLDER": str(root / "plugins"),
        "CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(_passwords_file(settings)),
        "CORE__SIMPLE_AUTH_MANAGER_USERS": f"{USER}:admin",
        "COSMOS__CACHE_DIR": str(_home(settings) / "cosmos"),
        "COSMOS__ENABLE_TELEMETRY": "False",
        "DAG_PROCESSOR__PARSING_PROCESSES": "1",
        "DAG_PROCESSOR__REFRESH_INTERVAL": "15",
        "LOGGING__COLORED_CONSOLE_LOG": "False",
        "LOGGING__JSON_LOGS": str(settings.log_format is LogFormat.JSON),
        "LOGGING__NAMESPACE_LEVELS": "http.access=WARNING",
        **(_remote_logs(settings) if settings.keeps_remote_logs else {}),
        "SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.1",
        # A worker notices at the next heartbeat that its task has ended: with the default, up to 5 s later.
        "WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
    }


def _remote_logs(settings: Settings) -> dict[str, str]:
    return {
        "LOGGING__REMOTE_LOGGING": "True",
        "LOGGING__REMOTE_BASE_LOG_FOLDER": settings.remote_log_folder,
        "LOGGING__REMOTE_LOG_CONN_ID": settings.airflow_connection,
    }


def _metrics(settings: Settings) -> dict[str, str]:
    """What has Airflow send its metrics; the other names are OpenTelemetry's own."""
    if not settings.otlp:
        return {}
    return {
        "AIRFLOW__METRICS__OTEL_ON": "True",
        "OTEL_EXPORTER_OTLP_METRICS_ENDPOINT": f"{settings.otlp.rstrip('/')}/v1/metrics",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_METRIC_EXPORT_INTERVAL": str(METRICS_MILLISECONDS),
        "OTEL_SERVICE_NAME": "airflow",
    }


def _connection(settings: Settings) -> str:
    extra: dict[str, object] = {"project": settings.project}
    if settings.target is Target.LOCAL:
        extra["is_anonymous"] = True
    elif settings.key_file:
        extra["key_path"] = str(settings.key_file.resolve())
    return json.dumps({"conn_type": "google_cloud_platform", "extra": extra})


def _airflow(*arguments: str) -> tuple[str, ...]:
    return (str(Path(sys.executable).with_name("airflow")), *arguments)


def _home(settings: Settings) -> Path:
    return settings.home.resolve() / "airflow"


def _passwords_file(settings: Settings) -> Path:
    return _home(settings) / "passwords.json"


def _secret(path: Path, fresh: str) -> str:
    """What the file says; where there is none, ``fresh`` is written to it for this user's eyes only."""
    if not path.exists():
        with durable.replacing(path) as temporary:
            temporary.touch(mode=0o600)
            temporary.write_text(fresh, encoding="utf-8")
    return path.read_text(encoding="utf-8")
