"""``airflow dags backfill``, which Airflow 3 took away: the flags of 2.11, put back among the commands of ``dags``.

A provider may only add groups of its own to Airflow's command line, so this reaches into the parser's list of
commands. Where that has moved, nothing happens: the command is missing, and everything else works.
"""

import argparse
import logging
import sys

from airflow.cli.cli_config import ActionCommand, Arg, CLICommand, GroupCommand, positive_int
from airflow.sdk.timezone import parse as parse_date

PARSER = "airflow.cli.cli_parser"
COMMAND = "backfill"

log = logging.getLogger(__name__)


def get_cli_commands() -> list[CLICommand]:
    """Called by Airflow while it builds its parser: adds the command to ``dags``, and nothing at the top level."""
    try:
        commands = sys.modules[PARSER].airflow_commands
        position = [command.name for command in commands].index("dags")
        commands[position] = with_backfill(commands[position])
    except (KeyError, AttributeError, TypeError, ValueError):
        log.debug("Airflow's command line has changed: `airflow dags %s` is not there", COMMAND, exc_info=True)
    return []


def with_backfill(group: GroupCommand) -> GroupCommand:
    """The group ``dags`` with the command; unchanged where Airflow has one of that name again."""
    if COMMAND in [command.name for command in group.subcommands]:
        return group
    return group._replace(subcommands=(*group.subcommands, _command()))


def backfill(arguments: argparse.Namespace) -> None:
    """Run the command, whose modules are loaded only now; says so where Airflow no longer has what it needs."""
    try:
        from tarn.airflow.backfill import main
    except ImportError as moved:
        sys.exit(
            f"airflow dags backfill does not know this version of Airflow ({moved}): use `airflow backfill create`."
        )
    main(arguments)


def _command() -> ActionCommand:
    return ActionCommand(
        name=COMMAND,
        help="Run a DAG for a range of dates, and wait for it",
        description=(
            "Run a DAG for each of its dates (or partitions) in a range, by Airflow's own backfill, and wait until "
            "all runs have ended, showing how they come along. Needs a scheduler that runs. Dates whose run has "
            "succeeded before are left alone; see --reset-dagruns and --rerun-failed-tasks. "
            "Exit code: 0 if every date has succeeded, else 1."
        ),
        func=backfill,
        args=_honoured() + _refused(),
    )


def _honoured() -> tuple[Arg, ...]:
    return (
        Arg(("dag_id",), help="The id of the DAG"),
        Arg(("-s", "--start-date"), type=parse_date, help="First date, YYYY-MM-DD; the last by default"),
        Arg(("-e", "--end-date"), type=parse_date, help="Last date, included; the first by default"),
        Arg(("-c", "--conf"), help="JSON object: the configuration of each run"),
        Arg(("-n", "--dry-run"), action="store_true", help="Only show which runs would be made"),
        Arg(("-v", "--verbose"), action="store_true", help="Also show the states of the runs' tasks"),
        Arg(("-y", "--yes"), action="store_true", help="Do not ask before running again what has succeeded"),
        Arg(("-B", "--run-backwards"), action="store_true", help="The latest date first"),
        Arg(("--reset-dagruns",), action="store_true", help="Run dates again that have ended, succeeded or failed"),
        Arg(("--rerun-failed-tasks",), action="store_true", help="Run dates again whose run has failed"),
        Arg(("--continue-on-failures",), action="store_true", help="Start the other runs even where one has failed"),
        Arg(
            ("--max-active-runs",),
            type=positive_int(allow_zero=False),
            help="Runs at a time; as many as the DAG itself may have by default",
        ),
        Arg(("-I", "--ignore-first-depends-on-past"), action="store_true", help="The default in Airflow 3"),
        Arg(("-x", "--donot-pickle"), action="store_true", help="Airflow 3 never pickles a DAG"),
    )


def _refused() -> tuple[Arg, ...]:
    gone = "Refused: gone in Airflow 3"
    with_a_value = (("-t", "--task-regex"), ("-S", "--subdir"), ("--pool",), ("--delay-on-limit",))
    without = (
        ("-i", "--ignore-dependencies"),
        ("-m", "--mark-success"),
        ("-l", "--local"),
        ("--disable-retry",),
        ("--treat-dag-id-as-regex",),
    )
    return (
        *(Arg(flags, help=gone) for flags in with_a_value),
        *(Arg(flags, help=gone, action="store_true") for flags in without),
    )
