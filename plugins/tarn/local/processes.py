"""Processes of a service: found again after any crash, and ended with everything that they started."""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass

import psutil

MARK = "TARN_SERVICE"


def mark(home: os.PathLike[str], name: str) -> str:
    """The value of the ``TARN_SERVICE`` variable that every process of a service inherits."""
    return f"{os.fspath(home)}#{name}"


@dataclass(frozen=True)
class Leader:
    """The first process of a service: it leads a session of its own, which outlives it."""

    pid: int
    started: float

    def alive(self) -> psutil.Process | None:
        """The process, if it still runs and its number has not gone to another."""
        process = self._holder_of_pid()
        return process if process and process.status() != psutil.STATUS_ZOMBIE else None

    def session(self) -> Iterable[psutil.Process]:
        """The living processes of its session."""
        if not self._pid_was_reused():
            for process in psutil.process_iter():
                if _session_id(process) == self.pid:
                    yield process

    def descendants(self) -> list[psutil.Process]:
        """It and all that it started, whatever session they have moved to."""
        process = self.alive()
        try:
            return [process, *process.children(recursive=True)] if process else []
        except psutil.NoSuchProcess:
            return []

    def _holder_of_pid(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if abs(process.create_time() - self.started) < 1 else None
        except psutil.NoSuchProcess:
            return None

    def _pid_was_reused(self) -> bool:
        return psutil.pid_exists(self.pid) and self._holder_of_pid() is None


def family(leader: Leader | None, service_mark: str) -> list[psutil.Process]:
    """Every living process of a service: its leader's session and descendants, and whatever carries its mark."""
    found = {process.pid: process for process in _marked(service_mark)}
    if leader:
        found |= {process.pid: process for process in leader.session()}
        found |= {process.pid: process for process in leader.descendants()}
    found.pop(os.getpid(), None)
    return list(found.values())


def end(processes: Iterable[psutil.Process], patience: float) -> None:
    """Ask the processes to end, and kill those that have not within ``patience`` seconds."""
    alive = list(processes)
    _signal(alive, signal.SIGTERM)
    _, alive = psutil.wait_procs(alive, timeout=patience)
    _signal(alive, signal.SIGKILL)
    psutil.wait_procs(alive, timeout=patience)


def holder_of(port: int) -> str:
    """Who listens on a port, for people: ``python (pid 123)``; empty where this user may not know."""
    try:
        for connection in psutil.net_connections("tcp"):
            listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:2] == (port,)
            if listens and connection.pid:
                return f"{psutil.Process(connection.pid).name()} (pid {connection.pid})"
    except (psutil.AccessDenied, psutil.NoSuchProcess):
        return ""
    return ""


def _marked(service_mark: str) -> Iterable[psutil.Process]:
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == service_mark:
                yield process
        except (psutil.AccessDenied, psutil.NoSuchProcess, OSError):
            continue


def _session_id(process: psutil.Process) -> int | None:
    try:
        return os.getsid(process.pid)
    except (ProcessLookupError, PermissionError):
        return None


def _signal(processes: Iterable[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        try:
            process.send_signal(number)
        except psutil.NoSuchProcess:
            continue
