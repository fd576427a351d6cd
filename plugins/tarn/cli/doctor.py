"""``tarn doctor``: what this machine lacks for the lake, and how to get it."""

import os
import shutil
import socket
import sys
from collections.abc import Iterator
from typing import Annotated

import psutil
import typer
from rich.markup import escape

from tarn.cli.console import results
from tarn.dataset import dataset_names, load_dataset
from tarn.errors import TarnError
from tarn.finding import Finding
from tarn.local import processes
from tarn.local.lake import lake_services
from tarn.local.supervisor import State, Supervisor
from tarn.settings import Settings, Target, current_settings, read_settings

NEEDED_DISK_GIB = 4
NEEDED_MEMORY_GIB = 4
GIB = 1 << 30


def doctor(
    target: Annotated[Target | None, typer.Option(help="Check for this target, whatever TARN_TARGET says.")] = None,
) -> None:
    """Check the machine, the settings, the datasets and the ports; on gcp credentials, APIs and permissions too.

    Says what is missing and how to get it.
    """
    settings = read_settings(target) if target else current_settings()
    findings = []
    for finding in examine(settings):
        findings.append(finding)
        mark = "[red]no[/]" if finding.remedy else "[green]ok[/]"
        results.print(f"{mark}  {finding.subject:<14} {escape(finding.fact)}", highlight=False)
        if finding.remedy:
            results.print(f"    {'':<14} -> {escape(finding.remedy)}", highlight=False)
    if any(finding.remedy for finding in findings):
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, the most basic first."""
    yield _python()
    for program, use in {"git": "to get the project", "make": "for the make commands"}.items():
        yield _program(program, use)
    yield _memory()
    yield _disk(settings)
    yield from _datasets(settings)
    yield from _ports(settings)
    if settings.target is Target.GCP:
        # Google's libraries take a second to load, which the local lake's doctor does not need.
        from tarn.gcp.examination import examine_gcp

        yield from examine_gcp(settings)


def _python() -> Finding:
    version = ".".join(map(str, sys.version_info[:3]))
    return Finding("python", version, "" if sys.version_info >= (3, 11) else "install Python 3.11 or newer")


def _program(name: str, use: str) -> Finding:
    path = shutil.which(name)
    return Finding(name, path or "not found", "" if path else f"install {name}, {use}")


def _memory() -> Finding:
    free = psutil.virtual_memory().available / GIB
    remedy = "" if free >= NEEDED_MEMORY_GIB else f"end other programs: Airflow wants {NEEDED_MEMORY_GIB} GiB"
    return Finding("memory", f"{free:.1f} GiB free", remedy)


def _disk(settings: Settings) -> Finding:
    free = shutil.disk_usage(settings.home).free / GIB
    if not os.access(settings.home, os.W_OK):
        return Finding("state folder", f"{settings.home} cannot be written", "set TARN_HOME to a folder of yours")
    remedy = "" if free >= NEEDED_DISK_GIB else "make room, or set TARN_HOME to a folder on another disk"
    return Finding("state folder", f"{settings.home}, {free:.0f} GiB free", remedy)


def _datasets(settings: Settings) -> Iterator[Finding]:
    names = dataset_names(settings.datasets_folder)
    broken = 0
    for name in names:
        try:
            load_dataset(settings.datasets_folder / f"{name}.yaml")
        except TarnError as error:
            broken += 1
            yield Finding("dataset", str(error), "correct the file")
    yield Finding("datasets", f"{len(names) - broken} of {len(names)} are valid")


def _ports(settings: Settings) -> Iterator[Finding]:
    supervisor = Supervisor(settings.home)
    for service in lake_services(settings):
        endpoint = service.endpoint
        if endpoint is None:
            continue
        subject = f"port {endpoint.port}"
        if supervisor.status(service).state is not State.STOPPED:
            yield Finding(subject, f"{service.name} is running")
        elif _is_taken(endpoint.host, endpoint.port):
            holder = processes.holder_of(endpoint.port) or "another program"
            yield Finding(subject, f"taken by {holder}", f"end it, or set {endpoint.setting} to a free port")
        else:
            yield Finding(subject, f"free for {service.name}")


def _is_taken(host: str, port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((host, port)) == 0
