"""Starts, watches and ends the local cloud's services. What it knows lies in ``TARN_HOME/run`` and survives it."""

import contextlib
import datetime as dt
import fcntl
import os
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

import psutil
import requests
from pydantic import BaseModel, ValidationError

from tarn import durable
from tarn.errors import ServiceFailed
from tarn.local import processes
from tarn.local.service import Endpoint, Service

END_PATIENCE_SECONDS = 5.0
POLL_SECONDS = 0.1
LOG_TAIL_LINES = 15


class State(StrEnum):
    """What a service is doing."""

    READY = "ready"
    STARTING = "starting"
    STOPPED = "stopped"


class Record(BaseModel):
    """What is remembered of a started service; ``started`` is in seconds since the epoch."""

    pid: int
    started: float
    command: tuple[str, ...]

    @property
    def leader(self) -> processes.Leader:
        """The process that was started."""
        return processes.Leader(self.pid, self.started)


@dataclass(frozen=True)
class Status:
    """A service as it is now."""

    service: Service
    state: State
    pid: int | None = None
    since: dt.datetime | None = None


class Supervisor:
    """The services under one TARN_HOME."""

    def __init__(self, home: Path) -> None:
        self.home = home.resolve()
        self.logs = self.home / "logs"
        self._run = self.home / "run"

    def log(self, service: Service) -> Path:
        """The file that a service's output goes to."""
        return self.logs / f"{service.name}.log"

    def start(self, services: Sequence[Service], report: Callable[[Service, float], None]) -> None:
        """Start what is not up yet, all at once, and wait until each is ready; ``report`` gets its start in seconds.

        A service that runs with other settings is restarted. Raises ServiceFailed naming a taken port and its
        setting, or quoting the end of the log of a service that gave up.
        """
        with self._alone():
            begun = time.monotonic()
            for service in services:
                self._launch(service)
            for service in services:
                self._await_ready(service)
                report(service, time.monotonic() - begun)

    def stop(self, services: Sequence[Service]) -> list[Service]:
        """End the services with everything they started; tells which of them were running."""
        with self._alone():
            return self._stop(*services)

    def status(self, service: Service) -> Status:
        """How a service is."""
        record = self._record(service)
        if not record or not record.leader.alive():
            return Status(service, State.STOPPED)
        state = State.READY if _is_ready(service.endpoint) else State.STARTING
        return Status(service, state, record.pid, dt.datetime.fromtimestamp(record.started, dt.UTC))

    def _launch(self, service: Service) -> None:
        record = self._record(service)
        if record and record.leader.alive() and record.command == service.command:
            return
        self._stop(service)
        if service.endpoint:
            _require_free(service.endpoint)
        for command in service.prepare:
            self._prepare(service, command)
        process = self._spawn(service, service.command)
        started = psutil.Process(process.pid).create_time()
        record = Record(pid=process.pid, started=started, command=service.command)
        durable.write_text(self._record_path(service), record.model_dump_json())

    def _spawn(self, service: Service, command: tuple[str, ...]) -> subprocess.Popen[bytes]:
        log = self.log(service)
        log.parent.mkdir(parents=True, exist_ok=True)
        marked = {processes.MARK: processes.mark(self.home, service.name)}
        with log.open("ab") as output:
            return subprocess.Popen(
                command,
                env=os.environ | dict(service.environment) | marked,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _prepare(self, service: Service, command: tuple[str, ...]) -> None:
        if self._spawn(service, command).wait() != 0:
            raise ServiceFailed(f"{service.name}: `{' '.join(command)}` failed.\n{self._tail(service)}")

    def _await_ready(self, service: Service) -> None:
        deadline = time.monotonic() + service.start_seconds
        while self.status(service).state is not State.READY:
            if self.status(service).state is State.STOPPED:
                raise ServiceFailed(f"{service.name} ended while starting.\n{self._tail(service)}")
            if time.monotonic() > deadline:
                self._stop(service)
                patience = f"{service.start_seconds:.0f} s"
                raise ServiceFailed(f"{service.name} was not ready within {patience}.\n{self._tail(service)}")
            time.sleep(POLL_SECONDS)

    def _stop(self, *services: Service) -> list[Service]:
        families = {service.name: self._family(service) for service in services}
        processes.end([process for family in families.values() for process in family], END_PATIENCE_SECONDS)
        for service in services:
            self._record_path(service).unlink(missing_ok=True)
        return [service for service in services if families[service.name]]

    def _family(self, service: Service) -> list[psutil.Process]:
        record = self._record(service)
        return processes.family(record.leader if record else None, processes.mark(self.home, service.name))

    def _record_path(self, service: Service) -> Path:
        return self._run / f"{service.name}.json"

    def _record(self, service: Service) -> Record | None:
        try:
            return Record.model_validate_json(self._record_path(service).read_bytes())
        except (FileNotFoundError, ValidationError):
            return None

    def _tail(self, service: Service) -> str:
        log = self.log(service)
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines() if log.exists() else []
        return "\n".join([f"The end of {log}:", *(f"  {line}" for line in lines[-LOG_TAIL_LINES:])])

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        self._run.mkdir(parents=True, exist_ok=True)
        with (self._run / "lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _is_ready(endpoint: Endpoint | None) -> bool:
    if endpoint is None:
        return True
    try:
        return requests.get(endpoint.health_url, timeout=5).ok
    except requests.RequestException:
        return False


def _require_free(endpoint: Endpoint) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((endpoint.host, endpoint.port))
        except OSError:
            holder = processes.holder_of(endpoint.port)
            by = f" by {holder}" if holder else ""
            raise ServiceFailed(
                f"Port {endpoint.port} on {endpoint.host} is taken{by}: end that program, "
                f"or set {endpoint.setting} to a free port."
            ) from None
