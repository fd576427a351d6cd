"""The command line ``tarn``."""

import sys

from rich.markup import escape

from tarn.errors import TarnError


def main() -> None:
    """Run the command line; an error meant for people is printed without a traceback, and exits with 1."""
    from tarn.cli.app import app
    from tarn.cli.console import errors

    try:
        app()
    except TarnError as error:
        errors.print(f"[bold red]error[/]  {escape(str(error))}", highlight=False, soft_wrap=True)
        sys.exit(1)
