"""The client of Airflow's REST API, before a server that answers as Airflow does, well or badly."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from tarn.airflow.client import AirflowClient
from tarn.errors import ServiceFailed

RUN = "/api/v2/dags/taxi/dagRuns/manual__2026%2B00%3A00"


class FakeAirflow(ThreadingHTTPServer):
    """Gives each path its answers in turn, the last for ever, and remembers what it was sent."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, list[tuple[int, Any]]] = {"/auth/token": [(201, {"access_token": "t"})]}
        self.asked: list[tuple[str, Any]] = []

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(BaseHTTPRequestHandler):
    server: FakeAirflow

    def do_GET(self) -> None:
        self._answer()

    def do_POST(self) -> None:
        self._answer()

    def _answer(self) -> None:
        url = urlsplit(self.path)
        length = int(self.headers.get("Content-Length", 0))
        self.server.asked.append((self.path, json.loads(self.rfile.read(length)) if length else None))
        answers = self.server.answers[url.path]
        status, answer = answers.pop(0) if len(answers) > 1 else answers[0]
        if callable(answer):
            answer = answer({name: int(value) for name, [value] in parse_qs(url.query).items()})
        body = answer.encode() if isinstance(answer, str) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words: object) -> None:
        """Keep quiet."""


@pytest.fixture
def airflow() -> Iterator[FakeAirflow]:
    with FakeAirflow() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def client(airflow: FakeAirflow) -> AirflowClient:
    return AirflowClient(airflow.address, "admin", "secret")


def instance(number: int, **facts: Any) -> dict[str, Any]:
    base = {"task_id": "lane.load", "map_index": number, "rendered_map_index": None, "state": None}
    return base | {"start_date": None, "duration": None} | facts


def test_a_run_is_triggered_with_its_configuration(airflow: FakeAirflow, client: AirflowClient) -> None:
    airflow.answers["/api/v2/dags/taxi/dagRuns"] = [(200, {"dag_run_id": "manual__1"})]
    assert client.trigger("taxi", {"force": True}) == "manual__1"
    assert airflow.asked[-1][1] == {"conf": {"force": True}, "logical_date": None, "partition_key": None}


def test_a_run_has_its_tasks_by_their_start_with_labels_and_durations(
    airflow: FakeAirflow, client: AirflowClient
) -> None:
    instances = [
        instance(1),
        instance(0, rendered_map_index="taxi_green 2020-04", state="success", start_date="2026-01-01T00:00:09Z"),
        instance(-1, task_id="plan", state="success", start_date="2026-01-01T00:00:01Z", duration=0.5),
    ]
    airflow.answers[RUN] = [(200, {"state": "running"})]
    airflow.answers[RUN + "/taskInstances"] = [(200, {"task_instances": instances, "total_entries": 3})]
    state = client.run("taxi", "manual__2026+00:00")
    assert [(task.task, task.label, task.state) for task in state.tasks] == [
        ("plan", "", "success"),
        ("lane.load", "taxi_green 2020-04", "success"),
        ("lane.load", "1", None),
    ]
    assert (state.tasks[0].seconds, state.ended) == (0.5, False)


def test_a_run_of_many_tasks_comes_in_pages(airflow: FakeAirflow, client: AirflowClient) -> None:
    def page(query: dict[str, int]) -> dict[str, Any]:
        numbers = range(query["offset"], min(query["offset"] + query["limit"], 250))
        return {"task_instances": [instance(number) for number in numbers], "total_entries": 250}

    airflow.answers[RUN] = [(200, {"state": "running"})]
    airflow.answers[RUN + "/taskInstances"] = [(200, page)]
    tasks = client.run("taxi", "manual__2026+00:00").tasks
    assert {task.label for task in tasks} == {str(number) for number in range(250)}


def test_following_ends_with_the_run(airflow: FakeAirflow, client: AirflowClient) -> None:
    airflow.answers[RUN] = [(200, {"state": state}) for state in ("queued", "running", "failed")]
    airflow.answers[RUN + "/taskInstances"] = [(200, {"task_instances": [], "total_entries": 0})]
    states = [state.state for state in client.follow("taxi", "manual__2026+00:00", interval=0)]
    assert states == ["queued", "running", "failed"]


def test_a_dag_may_take_a_while_to_be_known(airflow: FakeAirflow, client: AirflowClient) -> None:
    some, one_more = [{"dag_id": "taxi_too"}], [{"dag_id": "taxi_too"}, {"dag_id": "taxi"}]
    airflow.answers["/api/v2/dags"] = [
        (200, {"dags": [], "total_entries": 0}),
        (200, {"dags": some, "total_entries": 1}),
        (200, {"dags": one_more, "total_entries": 2}),
    ]
    airflow.answers["/api/v2/importErrors"] = [(200, {"import_errors": []})]
    client.await_dag("taxi")


@pytest.mark.parametrize(
    ("errors", "message"),
    [
        ([{"filename": "taxi.py", "stack_trace": "SyntaxError"}], "cannot import taxi.py:\nSyntaxError"),
        ([], "does not know the DAG 'taxi' after 0 s"),
    ],
)
def test_a_dag_that_does_not_come_is_told(
    airflow: FakeAirflow, client: AirflowClient, errors: list[Any], message: str
) -> None:
    airflow.answers["/api/v2/dags"] = [(200, {"dags": [], "total_entries": 0})]
    airflow.answers["/api/v2/importErrors"] = [(200, {"import_errors": errors})]
    with pytest.raises(ServiceFailed, match=message):
        client.await_dag("taxi", timeout=0)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ({"detail": "Invalid input for param start_month"}, "Invalid input for param start_month"),
        ({"detail": [{"msg": "field required"}]}, "field required"),
        ("<html>teapot", "<html>teapot"),
        ({}, "{}"),
    ],
)
def test_a_refusal_says_why(airflow: FakeAirflow, client: AirflowClient, answer: Any, reason: str) -> None:
    airflow.answers["/api/v2/dags/taxi/dagRuns"] = [(400, answer)]
    with pytest.raises(ServiceFailed, match=rf"refused POST /api/v2/dags/taxi/dagRuns \(400\): .*{reason}"):
        client.trigger("taxi", {})


def test_a_wrong_password_is_told(airflow: FakeAirflow) -> None:
    airflow.answers["/auth/token"] = [(401, {"detail": "Invalid credentials"})]
    with pytest.raises(ServiceFailed, match=r"\(401\): Invalid credentials"):
        AirflowClient(airflow.address, "admin", "guess")


def test_an_airflow_that_is_not_there_is_told_with_its_address() -> None:
    with pytest.raises(ServiceFailed, match=r"Airflow at http://127\.0\.0\.1:1 is not reached"):
        AirflowClient("http://127.0.0.1:1/", "admin", "secret")
