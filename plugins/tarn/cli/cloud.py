"""``tarn up``, ``down``, ``status``, ``logs`` and ``environment``: the local cloud's services."""

import shlex
import subprocess
from typing import Annotated

import typer
from rich.table import Table

from tarn.cli.console import results, seconds, size
from tarn.errors import StagingFailed, TarnError
from tarn.inventory import take_inventory
from tarn.local.airflow import airflow_environment, airflow_services, login
from tarn.local.emulators import emulators
from tarn.local.lake import lake_services
from tarn.local.service import Service
from tarn.local.supervisor import State, Supervisor
from tarn.settings import Settings, current_settings

COLOURS = {State.READY: "green", State.STARTING: "yellow", State.STOPPED: "dim"}


def up(airflow: Annotated[bool, typer.Option(help="Start Airflow too.")] = True) -> None:
    """Start the local cloud: GCS, BigQuery, the publishers' stand-in and Airflow."""
    settings = current_settings()
    start(settings, airflow=airflow)
    print_addresses(settings, airflow=airflow)


def down() -> None:
    """Stop everything that ``up`` started; no process stays behind."""
    settings = current_settings()
    stopped = Supervisor(settings.home).stop(lake_services(settings))
    names = ", ".join(service.name for service in stopped)
    results.print(f"stopped {names}" if names else "nothing was running")


def status() -> None:
    """Show each service, and what the lake holds of each dataset."""
    settings = current_settings()
    _print_services(settings)
    results.print()
    try:
        _print_datasets(settings)
    except StagingFailed as error:  # in a bucket that may be as stopped as the services that were told
        results.print(str(error), highlight=False, soft_wrap=True)


def _print_services(settings: Settings) -> None:
    supervisor = Supervisor(settings.home)
    table = Table("service", "state", "address", "pid", "since (UTC)", box=None, pad_edge=False)
    for service in lake_services(settings):
        now = supervisor.status(service)
        table.add_row(
            service.name,
            f"[{COLOURS[now.state]}]{now.state}[/]",
            service.endpoint.address if service.endpoint else "",
            str(now.pid or ""),
            f"{now.since:%Y-%m-%d %H:%M:%S}" if now.since else "",
        )
    results.print(table)
    results.print(f"logs in {supervisor.logs}", highlight=False, soft_wrap=True)


def _print_datasets(settings: Settings) -> None:
    table = Table("dataset", "partitions", "from", "to", "rows", "bytes", "quarantined", "last run (UTC)")
    table.box, table.pad_edge = None, False
    for name in ("partitions", "rows", "bytes", "quarantined"):
        next(column for column in table.columns if column.header == name).justify = "right"
    for one in take_inventory(settings):
        first, last = (str(one.partitions[edge].partition) if one.partitions else "" for edge in (0, -1))
        table.add_row(
            one.dataset.name,
            str(len(one.partitions)),
            first,
            last,
            f"{one.rows:,}",
            size(one.bytes),
            f"{one.quarantined:,}",
            f"{one.last_run:%Y-%m-%d %H:%M:%S}" if one.last_run else "",
        )
    results.print(table)


def logs(
    service: Annotated[str, typer.Argument(help="A service's name, as `tarn status` gives it; all by default.")] = "",
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on printing what comes.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=1, help="How many lines of each log.")] = 20,
) -> None:
    """Print the end of the services' logs."""
    settings = current_settings()
    supervisor = Supervisor(settings.home)
    known = {one.name: supervisor.log(one) for one in lake_services(settings)}
    if service and service not in known:
        raise TarnError(f"There is no service {service!r}; there are: {', '.join(known)}.")
    files = [str(log) for name, log in known.items() if service in ("", name) and log.exists()]
    if not files:
        raise TarnError("There is no log yet: start the local cloud with `tarn up`.")
    subprocess.run(["tail", "-n", str(lines), *(["-f"] if follow else []), *files], check=False)


def environment() -> None:
    """Print what leads Google's clients, Airflow and dbt to this lake, for ``eval "$(tarn environment)"``."""
    for name, value in sorted(airflow_environment(current_settings()).items()):
        typer.echo(f"export {name}={shlex.quote(value)}")


def start(settings: Settings, *, airflow: bool) -> None:
    """Start the services, telling of each how long it took."""

    def report(service: Service, took: float) -> None:
        address = service.endpoint.address if service.endpoint else ""
        results.print(f"  [green]up[/]  {service.name:<22}{address:<26}{seconds(took):>8}", highlight=False)

    supervisor = Supervisor(settings.home)
    supervisor.start(emulators(settings), report)
    if airflow:
        supervisor.start(airflow_services(settings), report)


def print_addresses(settings: Settings, *, airflow: bool) -> None:
    """Tell where a person goes on."""
    lines = []
    if airflow:
        name, password = login(settings)
        lines.append(f"Airflow    http://{settings.host}:{settings.airflow_port}   user {name}, password {password}")
    lines.append(f"BigQuery   {settings.bigquery_url or 'Google Cloud'}   project {settings.project}")
    lines.append(f"GCS        {settings.gcs_url or 'Google Cloud'}   bucket {settings.bucket}")
    if settings.publishers_url:
        lines.append(f"Publisher  {settings.publishers_url}")
    results.print("\n" + "\n".join(lines), highlight=False)
