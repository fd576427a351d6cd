"""The lake's one notifier: failures, successes after a failure, and missed deadlines."""

import datetime as dt
from typing import Any

from airflow.sdk import BaseNotifier, Variable
from airflow.sdk.configuration import conf
from airflow.sdk.definitions.callback import SyncCallback
from airflow.sdk.definitions.deadline import DeadlineAlert, DeadlineReference

from tarn.airflow.alerts.channels import Message, send

LAST_FAILURE = "tarn_last_failure_{dag}"
"""Airflow's variable that names a DAG's failed run until the DAG has worked again."""


def alerts(within: dt.timedelta) -> dict[str, Any]:
    """Arguments of a DAG that tells of failures, of its recovery, and of each run that takes longer than ``within``."""
    deadline = DeadlineAlert(DeadlineReference.DAGRUN_QUEUED_AT, within, SyncCallback(tell_of_deadline))
    return {"on_failure_callback": FailureNotifier(), "on_success_callback": RecoveryNotifier(), "deadline": deadline}


class FailureNotifier(BaseNotifier):
    """Tells that a run has failed, and why."""

    def notify(self, context: Any) -> None:
        """Called by Airflow once a run has failed."""
        dag, run = context["dag"].dag_id, context["run_id"]
        Variable.set(LAST_FAILURE.format(dag=dag), run)
        send(Message(f"{dag} failed", f"The run {run} failed: {_reason(context)}", _page(dag, run)))


class RecoveryNotifier(BaseNotifier):
    """Tells that a DAG works again: the first success after a failure, and no other."""

    def notify(self, context: Any) -> None:
        """Called by Airflow once a run has succeeded."""
        dag, run = context["dag"].dag_id, context["run_id"]
        failed = Variable.get(LAST_FAILURE.format(dag=dag), default=None)
        if failed is None:
            return
        Variable.delete(LAST_FAILURE.format(dag=dag))
        send(Message(f"{dag} works again", f"The run {run} succeeded; the last failure was {failed}.", _page(dag, run)))


def tell_of_deadline(context: dict[str, Any]) -> None:
    """Called by Airflow once a run has taken longer than its DAG allows."""
    run = context["dag_run"]
    dag, run_id, deadline = run["dag_id"], run["dag_run_id"], context["deadline"]["deadline_time"]
    text = f"The run {run_id} should have ended by {deadline} and is {run['state']}."
    send(Message(f"{dag} is late", text, _page(dag, run_id)))


def _reason(context: Any) -> str:
    last = context.get("ti")
    reason = str(context.get("reason") or "no reason is known")
    return f"{reason} (last task: {last.task_id})" if last is not None else reason


def _page(dag: str, run: str) -> str:
    return f"{conf.get('api', 'base_url', fallback='http://localhost:8080').rstrip('/')}/dags/{dag}/runs/{run}"
