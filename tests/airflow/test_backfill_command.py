"""``airflow dags backfill`` on Airflow's command line: there, with the flags of 2.11, and harmless."""

import datetime as dt
import subprocess
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

FLAGS = """
-s --start-date -e --end-date -c --conf -n --dry-run -v --verbose -B --run-backwards -y --yes -t --task-regex
-i --ignore-dependencies -I --ignore-first-depends-on-past -m --mark-success -l --local -x --donot-pickle -S --subdir
--pool --delay-on-limit --reset-dagruns --rerun-failed-tasks --continue-on-failures --disable-retry
--treat-dag-id-as-regex --max-active-runs
"""


@pytest.fixture
def parser(airflow_home: Path) -> ArgumentParser:
    from airflow.cli import cli_parser

    return cli_parser.get_parser()


def test_the_command_is_there_beside_all_others_of_its_group(parser: ArgumentParser) -> None:
    from airflow.cli.cli_config import DAGS_COMMANDS
    from airflow.cli.cli_parser import ALL_COMMANDS_DICT

    names = [command.name for command in ALL_COMMANDS_DICT["dags"].subcommands]  # type: ignore[union-attr]
    assert names == [*(command.name for command in DAGS_COMMANDS), "backfill"]


def test_it_has_the_flags_of_airflow_2(airflow_home: Path) -> None:
    from tarn.airflow.cli import with_backfill

    [command] = with_backfill(_group()).subcommands
    assert {flag for argument in command.args for flag in argument.flags} == {"dag_id", *FLAGS.split()}


def test_it_reads_dates_as_utc(parser: ArgumentParser) -> None:
    arguments = parser.parse_args(["dags", "backfill", "taxi", "-s", "2020-04-01", "-e", "2020-06-30"])
    assert (arguments.start_date.isoformat(), arguments.dag_id) == ("2020-04-01T00:00:00+00:00", "taxi")
    assert arguments.end_date.isoformat() == "2020-06-30T00:00:00+00:00"


def test_the_last_date_is_included_at_whatever_hour_the_dag_runs(airflow_home: Path) -> None:
    from tarn.airflow.backfill import _end_of_day

    midnight = dt.datetime(2024, 4, 12, tzinfo=dt.UTC)
    assert midnight.replace(hour=1) < _end_of_day(midnight) < midnight + dt.timedelta(days=1)
    assert _end_of_day(midnight.replace(hour=2)) == midnight.replace(hour=2)


def test_other_commands_still_parse(parser: ArgumentParser) -> None:
    assert parser.parse_args(["dags", "list"]).subcommand == "list"
    assert parser.parse_args(
        ["backfill", "create", "--dag-id", "x", "--from-date", "2020-01-01", "--to-date", "2020-01-01"]
    )


@pytest.mark.parametrize(
    "parser_module",
    [
        None,
        SimpleNamespace(),
        SimpleNamespace(airflow_commands=None),
        SimpleNamespace(airflow_commands=[]),
        SimpleNamespace(airflow_commands=[SimpleNamespace(title="dags")]),
        SimpleNamespace(airflow_commands=[SimpleNamespace(name="dags")]),
        SimpleNamespace(airflow_commands=[SimpleNamespace(name="dags", subcommands=())]),
        SimpleNamespace(airflow_commands=(SimpleNamespace(name="dags", subcommands=()),)),
    ],
)
def test_nothing_happens_where_airflow_keeps_its_commands_otherwise(
    parser_module: Any, airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tarn.airflow import cli

    before = repr(parser_module)
    monkeypatch.setitem(sys.modules, cli.PARSER, parser_module)
    assert cli.get_cli_commands() == []
    assert repr(parser_module) == before


def test_a_backfill_of_airflows_own_is_left_alone(airflow_home: Path) -> None:
    from tarn.airflow.cli import with_backfill

    group = _group(SimpleNamespace(name="backfill"))
    assert with_backfill(group) is group


def test_it_names_the_way_out_where_airflows_backfill_has_changed(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tarn.airflow import cli

    monkeypatch.delitem(sys.modules, "tarn.airflow.backfill", raising=False)
    monkeypatch.setitem(sys.modules, "airflow.models.backfill", None)
    with pytest.raises(SystemExit, match="use `airflow backfill create`"):
        cli.backfill(Namespace())


def test_airflow_starts_where_the_hook_cannot_do_its_work(airflow_home: Path) -> None:
    code = "import tarn.airflow.cli as c; c.PARSER = 'gone'; from airflow.__main__ import main; main()"
    done = subprocess.run([sys.executable, "-c", code, "dags", "--help"], capture_output=True, text=True, check=True)
    assert "next-execution" in done.stdout
    assert "backfill" not in done.stdout
    assert not done.stderr


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["-s", "2020-04-01", "-t", "load"], "--task-regex is not possible in Airflow 3: a backfill is of whole runs"),
        (["-s", "2020-04-01", "--mark-success"], "--mark-success is not possible in Airflow 3"),
        ([], "give --start-date, --end-date or both"),
        (["-s", "2020-04-01", "-c", "{"], "--conf is not JSON"),
        (["-s", "2020-04-01", "-c", "[]"], "--conf must be a JSON object"),
    ],
)
def test_what_it_cannot_do_is_refused_in_words(
    words: list[str], message: str, parser: ArgumentParser, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = parser.parse_args(["dags", "backfill", "taxi", *words])
    with pytest.raises(SystemExit) as ended:
        arguments.func(arguments)
    assert ended.value.code == 1
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("job", "message"),
    [
        (None, "has never run here"),
        (
            SimpleNamespace(is_alive=lambda: False, latest_heartbeat=dt.datetime(2026, 1, 2, 3, 4, 5, tzinfo=dt.UTC)),
            "was last seen at 2026-01-02 03:04:05 UTC",
        ),
    ],
)
def test_without_a_scheduler_it_does_not_begin(
    job: Any, message: str, airflow_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tarn.airflow import backfill

    monkeypatch.setattr(backfill, "most_recent_job", lambda _type: job)
    with pytest.raises(backfill.BackfillRefused, match=f"no scheduler is running.*{message}.*start Airflow first"):
        backfill._require_scheduler()


@pytest.mark.parametrize(
    ("states", "gives_up", "code"),
    [
        (["success", "success"], False, 0),
        (["failed", "queued"], True, 1),
        (["failed", "running"], False, 1),
        (["running", "queued"], False, 1),
    ],
)
def test_a_failed_run_gives_up_those_that_wait_and_decides_the_exit_code(
    states: list[str], gives_up: bool, code: int, airflow_home: Path
) -> None:
    from airflow.utils.state import DagRunState

    from tarn.airflow import backfill

    runs = [backfill.Run(n, "2020-04", f"run {n}", DagRunState(state), own=True) for n, state in enumerate(states)]
    assert backfill._must_give_up(runs) is gives_up
    assert backfill._conclude(runs, cancelled=False) == code


def test_a_run_that_had_failed_before_stops_nothing_but_is_no_success(
    airflow_home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from airflow.utils.state import DagRunState

    from tarn.airflow import backfill

    before = backfill.Run(1, "2020-04", "run", DagRunState.FAILED, own=False)
    waiting = backfill.Run(2, "2020-05", "run", DagRunState.QUEUED, own=True)
    assert not backfill._must_give_up([before, waiting])
    assert backfill._conclude([before], cancelled=False) == 1
    assert "--rerun-failed-tasks" in capsys.readouterr().out


def _group(*commands: Any) -> Any:
    from airflow.cli.cli_config import GroupCommand

    return GroupCommand(name="dags", help="Manage DAGs", subcommands=commands)
