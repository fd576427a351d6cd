"""What ``airflow dags backfill`` does: make a backfill by Airflow's own means, then follow its runs to their end."""

import argparse
import datetime as dt
import json
import logging
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from airflow.jobs.job import most_recent_job
from airflow.models import DagModel, DagRun, TaskInstance
from airflow.models.backfill import Backfill, BackfillDagRun, ReprocessBehavior, _create_backfill, _do_dry_run
from airflow.sdk.exceptions import AirflowException
from airflow.utils.platform import getuser
from airflow.utils.providers_configuration_loader import providers_configuration_loaded
from airflow.utils.session import create_session
from airflow.utils.state import DagRunState, State
from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tarn.airflow.refused_flags import REFUSED
from tarn.errors import TarnError

POLL_SECONDS = 1.0
STYLES = {DagRunState.SUCCESS: "green", DagRunState.FAILED: "red", DagRunState.RUNNING: "cyan"}
INTERRUPTED = 130

console = Console(highlight=False, soft_wrap=True)


class BackfillRefused(TarnError):
    """The backfill as it was asked for cannot be made."""


@dataclass(frozen=True)
class Run:
    """A run that a backfill waits for: its own, or the one that was there before."""

    id: int
    date: str
    run_id: str
    state: DagRunState
    own: bool

    @property
    def ended(self) -> bool:
        """Whether it will not change any more by itself."""
        return self.state in State.finished_dr_states

    @property
    def line(self) -> str:
        """The run in one line, in rich's markup."""
        before = "" if self.own else "  [dim]made before this backfill[/]"
        return f"  {self.date:<12} [{STYLES.get(self.state, 'dim')}]{self.state.value:<8}[/] {self.run_id}{before}"


@providers_configuration_loaded
def main(arguments: argparse.Namespace) -> None:
    """Run the command; exits with 0 where every date has succeeded, 1 where one has not or nothing could be done."""
    # What Airflow logs while it makes runs tells nothing that is not printed below.
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    try:
        code = _backfill(arguments)
    except (TarnError, AirflowException, ValueError) as error:
        console.print(f"airflow dags backfill: {error}", style="red", markup=False)
        code = 1
    sys.exit(code)


def _backfill(arguments: argparse.Namespace) -> int:
    _refuse_flags(arguments)
    request = _request(arguments)
    behavior = _reprocess_behavior(arguments)
    if arguments.dry_run:
        return _dry_run(request, behavior)
    dag = _require_dag(request["dag_id"])
    _require_scheduler()
    _confirm(arguments)
    with create_session() as session:
        _close_ended(request["dag_id"], session)
    backfill = _create_backfill(
        **request,
        # Airflow holds a backfill to this number alone, and not to the DAG's.
        max_active_runs=arguments.max_active_runs or dag.max_active_runs or 1,
        triggering_user_name=getuser(),
        reprocess_behavior=behavior,
        run_on_latest_version=True,
    )
    try:
        return _follow(backfill.id, arguments)
    except KeyboardInterrupt:
        console.print("No longer watching; the runs go on. Watch them, or cancel the backfill, in the UI.")
        return INTERRUPTED


def _refuse_flags(arguments: argparse.Namespace) -> None:
    for name, instead in REFUSED.items():
        if getattr(arguments, name):
            raise BackfillRefused(f"--{name.replace('_', '-')} is not possible in Airflow 3: {instead}.")


def _request(arguments: argparse.Namespace) -> dict[str, Any]:
    start, end = arguments.start_date or arguments.end_date, arguments.end_date or arguments.start_date
    if start is None:
        raise BackfillRefused("give --start-date, --end-date or both.")
    return {
        "dag_id": arguments.dag_id,
        "from_date": start,
        "to_date": _end_of_day(end),
        "reverse": arguments.run_backwards,
        "dag_run_conf": _configuration(arguments.conf),
    }


def _end_of_day(end: dt.datetime) -> dt.datetime:
    """A date stands for the whole day: a DAG that runs at one has its partition of that day after midnight."""
    return end + dt.timedelta(days=1, microseconds=-1) if end.time() == dt.time() else end


def _configuration(text: str | None) -> dict[str, Any] | None:
    if text is None:
        return None
    try:
        configuration = json.loads(text)
    except json.JSONDecodeError as error:
        raise BackfillRefused(f"--conf is not JSON: {error}.") from None
    if not isinstance(configuration, dict):
        raise BackfillRefused("--conf must be a JSON object, such as '{\"force\": true}'.")
    return configuration


def _reprocess_behavior(arguments: argparse.Namespace) -> ReprocessBehavior:
    if arguments.reset_dagruns:
        return ReprocessBehavior.COMPLETED
    return ReprocessBehavior.FAILED if arguments.rerun_failed_tasks else ReprocessBehavior.NONE


def _dry_run(request: dict[str, Any], behavior: ReprocessBehavior) -> int:
    with create_session() as session:
        infos = list(_do_dry_run(**request, reprocess_behavior=behavior, session=session))
    console.print(f"Runs of {request['dag_id']} that would be made: {len(infos)}")
    for info in infos:
        console.print(f"  {info.partition_key or info.logical_date}")
    return 0


def _require_dag(dag_id: str) -> DagModel:
    with create_session() as session:
        dag = session.get(DagModel, dag_id)
    if dag is None or dag.is_stale:
        raise BackfillRefused(f"there is no DAG {dag_id!r}; `airflow dags list` shows those there are.")
    if dag.is_paused:
        raise BackfillRefused(f"{dag_id} is paused, so its runs would wait: `airflow dags unpause {dag_id}` first.")
    return dag


def _require_scheduler() -> None:
    job = most_recent_job("SchedulerJob")
    if job is None or not job.is_alive():
        last = f"was last seen at {job.latest_heartbeat:%Y-%m-%d %H:%M:%S} UTC" if job else "has never run here"
        raise BackfillRefused(f"no scheduler is running, so nothing would start (one {last}): start Airflow first.")


def _confirm(arguments: argparse.Namespace) -> None:
    if not arguments.reset_dagruns or arguments.yes:
        return
    if not sys.stdin.isatty():
        raise BackfillRefused("--reset-dagruns runs again what has succeeded: confirm that by --yes.")
    if input("Run dates again that have already succeeded? [y/N] ").strip().lower() not in ("y", "yes"):
        raise BackfillRefused("stopped, nothing was done.")


def _close_ended(dag_id: str, session: Session) -> None:
    # There may be one open backfill a DAG, and the scheduler closes those that have ended only every 30 s.
    for backfill in session.scalars(select(Backfill).where(Backfill.dag_id == dag_id, Backfill.completed_at.is_(None))):
        unfinished = select(func.count()).where(
            DagRun.backfill_id == backfill.id, DagRun.state.in_(State.unfinished_dr_states)
        )
        if backfill.backfill_dag_run_associations and session.scalar(unfinished) == 0:
            backfill.completed_at = func.now()


def _follow(backfill_id: int, arguments: argparse.Namespace) -> int:
    runs: Sequence[Run] = ()
    cancelled = False
    with console.status("") as status:
        for runs in _snapshots(backfill_id, verbose=arguments.verbose):
            counts = Counter(run.state.value for run in runs)
            status.update(", ".join(f"{count} {state}" for state, count in sorted(counts.items())))
            if _must_give_up(runs) and not arguments.continue_on_failures and not cancelled:
                cancelled = True
                _cancel(backfill_id)
    with create_session() as session:
        _close_ended(arguments.dag_id, session)
    return _conclude(runs, cancelled)


def _snapshots(backfill_id: int, *, verbose: bool) -> Iterator[Sequence[Run]]:
    """The runs of a backfill whenever one has changed, until all have ended."""
    shown: set[str] = set()
    while True:
        with create_session() as session:
            runs = _runs(backfill_id, session)
            tasks = _task_states(runs, session) if verbose else {}
        lines = [run.line + tasks.get(run.id, "") for run in runs]
        for line in lines:
            if line not in shown:
                console.print(line)
        shown |= set(lines)
        yield runs
        if all(run.ended for run in runs):
            return
        _require_scheduler()
        time.sleep(POLL_SECONDS)


def _runs(backfill_id: int, session: Session) -> list[Run]:
    backfill = session.get_one(Backfill, backfill_id)
    entries = session.scalars(
        select(BackfillDagRun).where(BackfillDagRun.backfill_id == backfill_id).order_by(BackfillDagRun.sort_ordinal)
    )
    runs = []
    for entry in entries:
        own = entry.dag_run_id is not None
        run = session.get_one(DagRun, entry.dag_run_id) if own else _latest_run(backfill.dag_id, entry, session)
        date = entry.partition_key or f"{entry.logical_date:%Y-%m-%d}"
        runs.append(Run(run.id, date, run.run_id, DagRunState(run.state), own))
    return runs


def _latest_run(dag_id: str, entry: BackfillDagRun, session: Session) -> DagRun:
    same_date = (
        DagRun.partition_key == entry.partition_key
        if entry.partition_key
        else DagRun.logical_date == entry.logical_date
    )
    latest = select(DagRun).where(DagRun.dag_id == dag_id, same_date).order_by(DagRun.start_date.desc()).limit(1)
    return session.scalars(latest).one()


def _task_states(runs: Sequence[Run], session: Session) -> dict[int, str]:
    texts = {}
    for run in runs:
        states = session.execute(
            select(TaskInstance.state, func.count())
            .join(TaskInstance.dag_run)
            .where(DagRun.id == run.id)
            .group_by(TaskInstance.state)
        )
        texts[run.id] = "  " + ", ".join(sorted(f"{count} {state or 'waiting'}" for state, count in states))
    return texts


def _must_give_up(runs: Sequence[Run]) -> bool:
    """Whether a run has failed while others still wait for their turn."""
    own = {run.state for run in runs if run.own}
    return own >= {DagRunState.FAILED, DagRunState.QUEUED}


def _cancel(backfill_id: int) -> None:
    """Give up the runs that have not started, as the UI's cancel does."""
    from airflow.api_fastapi.core_api.routes.public.backfills import cancel_backfill

    with create_session() as session:
        cancel_backfill(backfill_id, session)


def _conclude(runs: Sequence[Run], cancelled: bool) -> int:
    failed = [run for run in runs if run.state is not DagRunState.SUCCESS]
    console.print(f"{len(runs) - len(failed)} of {len(runs)} succeeded, {len(failed)} failed")
    if cancelled:
        console.print("One failed, so those that had not started were given up; --continue-on-failures runs them all.")
    if any(not run.own for run in failed):
        console.print("--rerun-failed-tasks runs again what had failed before.")
    return 1 if failed else 0
