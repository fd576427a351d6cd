"""The command line ``tarn``."""

import logging
import sys

from rich.markup import escape

from tarn.errors import TarnError
from tarn.logs import JsonFormatter


def main() -> None:
    """Run the command line; an error meant for people is printed without a traceback, and exits with 1."""
    from tarn.cli.app import app
    from tarn.cli.console import errors

    try:
        app()
    except TarnError as error:
        if _logs_are_json():
            logging.getLogger("tarn").error("%s", error)
        else:
            errors.print(f"[bold red]error[/]  {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)


def _logs_are_json() -> bool:
    # Whatever the error was, even settings that cannot be read, it is told in the form that was asked for.
    return any(isinstance(handler.formatter, JsonFormatter) for handler in logging.getLogger().handlers)
