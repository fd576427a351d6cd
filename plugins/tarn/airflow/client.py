"""Triggers a DAG from outside and follows its run, through Airflow's REST API. Airflow itself is not imported."""

import datetime as dt
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import requests

from tarn.errors import ServiceFailed

CALL_SECONDS = 30.0
PAGE = 100
ENDED = frozenset({"success", "failed"})


@dataclass(frozen=True)
class TaskState:
    """A task instance as it is now; ``state`` is None until the scheduler has come to it."""

    task: str
    label: str
    state: str | None
    started: dt.datetime | None
    seconds: float | None


@dataclass(frozen=True)
class RunState:
    """A run as it is now, with its task instances in the order in which they started."""

    run_id: str
    state: str
    tasks: tuple[TaskState, ...]

    @property
    def ended(self) -> bool:
        """Whether nothing will happen any more by itself."""
        return self.state in ENDED


class AirflowClient:
    """One user's access to an Airflow.

    Every method raises ServiceFailed where Airflow is not reached, or refuses: the message tells what it says.
    """

    def __init__(self, address: str, user: str, password: str) -> None:
        self.address = address.rstrip("/")
        self._session = requests.Session()
        token = self._call("POST", "/auth/token", {"username": user, "password": password})["access_token"]
        self._session.headers["Authorization"] = f"Bearer {token}"

    def await_dag(self, dag_id: str, timeout: float = 60.0) -> None:
        """Wait until Airflow knows the DAG; tells of an import error, where that is why it does not."""
        deadline = time.monotonic() + timeout
        while not any(dag["dag_id"] == dag_id for dag in self._all("/api/v2/dags", "dags")):
            broken = self._get("/api/v2/importErrors")["import_errors"]
            if broken:
                raise ServiceFailed(f"Airflow cannot import {broken[0]['filename']}:\n{broken[0]['stack_trace']}")
            if time.monotonic() > deadline:
                raise ServiceFailed(f"Airflow does not know the DAG {dag_id!r} after {timeout:.0f} s.")
            time.sleep(0.2)

    def trigger(self, dag_id: str, conf: Mapping[str, Any], partition_key: str | None = None) -> str:
        """Start a run of a DAG; gives its id."""
        body = {"conf": dict(conf), "logical_date": None, "partition_key": partition_key}
        run_id: str = self._call("POST", f"/api/v2/dags/{_path(dag_id)}/dagRuns", body)["dag_run_id"]
        return run_id

    def run(self, dag_id: str, run_id: str) -> RunState:
        """A run and its task instances as they are now."""
        path = f"/api/v2/dags/{_path(dag_id)}/dagRuns/{_path(run_id)}"
        # The run first: once it has ended, so have the tasks that are asked for after it.
        state = self._get(path)["state"]
        tasks = sorted(map(_task_state, self._all(f"{path}/taskInstances", "task_instances")), key=_by_start)
        return RunState(run_id, state, tuple(tasks))

    def follow(self, dag_id: str, run_id: str, interval: float = 0.5) -> Iterator[RunState]:
        """The run again and again, every ``interval`` seconds, up to and including its end."""
        while True:
            state = self.run(dag_id, run_id)
            yield state
            if state.ended:
                return
            time.sleep(interval)

    def run_page(self, dag_id: str, run_id: str) -> str:
        """The address of a run in the UI."""
        return f"{self.address}/dags/{_path(dag_id)}/runs/{_path(run_id)}"

    def _all(self, path: str, key: str) -> Iterator[dict[str, Any]]:
        offset, total = 0, 1
        while offset < total:
            page = self._get(path, {"limit": PAGE, "offset": offset})
            total = page["total_entries"]
            offset += PAGE
            yield from page[key]

    def _get(self, path: str, query: Mapping[str, Any] | None = None) -> Any:
        return self._call("GET", path, query=query)

    def _call(self, method: str, path: str, body: Any = None, query: Mapping[str, Any] | None = None) -> Any:
        try:
            answer = self._session.request(method, self.address + path, json=body, params=query, timeout=CALL_SECONDS)
        except requests.RequestException as error:
            raise ServiceFailed(f"Airflow at {self.address} is not reached: {error}.") from None
        if not answer.ok:
            raise ServiceFailed(f"Airflow refused {method} {path} ({answer.status_code}): {_reason(answer)}")
        return answer.json()


def _path(name: str) -> str:
    return quote(name, safe="")


def _task_state(instance: Mapping[str, Any]) -> TaskState:
    label = instance["rendered_map_index"] or ("" if instance["map_index"] < 0 else str(instance["map_index"]))
    started = instance["start_date"]
    return TaskState(
        task=instance["task_id"],
        label=label,
        state=instance["state"],
        started=dt.datetime.fromisoformat(started) if started else None,
        seconds=instance["duration"],
    )


def _by_start(task: TaskState) -> tuple[bool, dt.datetime, str, str]:
    return task.started is None, task.started or dt.datetime.min.replace(tzinfo=dt.UTC), task.task, task.label


def _reason(answer: requests.Response) -> str:
    try:
        detail = answer.json()["detail"]
    except (ValueError, KeyError, TypeError):
        return answer.text[:500]
    return detail if isinstance(detail, str) else str(detail)
