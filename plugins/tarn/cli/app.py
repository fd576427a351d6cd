"""The commands of ``tarn``, one module each."""

import typer

from tarn.cli import cloud, demo, docs, doctor, query, report, run, show
from tarn.errors import TarnError
from tarn.logs import configure_logging
from tarn.settings import LogFormat, current_settings

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
)


@app.callback()
def require_home() -> None:
    """A GCS + BigQuery data lake on one machine, and on Google Cloud with nothing changed but the credentials."""
    settings = current_settings()
    if settings.log_format is LogFormat.JSON:
        configure_logging(settings.log_format)
    home = settings.home
    try:
        home.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise TarnError(f"{home} cannot be made ({error.strerror}): set TARN_HOME to a folder of yours.") from None


app.command()(cloud.up)
app.command()(cloud.down)
app.command()(cloud.status)
app.command()(cloud.logs)
app.command()(run.run)
app.command()(query.query)
app.command()(show.show)
app.command()(report.report)
app.command()(docs.docs)
app.command()(doctor.doctor)
app.command()(demo.demo)
app.command()(cloud.environment)
