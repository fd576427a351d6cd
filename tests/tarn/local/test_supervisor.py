"""The supervisor with real processes: started, found again, restarted, and ended with all that they started."""

import os
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tarn.errors import ServiceFailed
from tarn.local import processes
from tarn.local.service import Endpoint, Service
from tarn.local.supervisor import State, Supervisor
from tests.ports import free_port

SERVER = """
import http.server, subprocess, sys
child = [sys.executable, "-c", "import time; time.sleep(600)"]
subprocess.Popen(child)
subprocess.Popen(child, start_new_session=True)
http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), http.server.SimpleHTTPRequestHandler).serve_forever()
"""


def server(script: str = SERVER, *, port: int | None = None, start_seconds: float = 30) -> Service:
    endpoint = Endpoint("127.0.0.1", port or free_port(), "TARN_TEST_PORT", "/")
    command = (sys.executable, "-c", script, str(endpoint.port))
    return Service("web", command, endpoint=endpoint, start_seconds=start_seconds)


@pytest.fixture
def supervisor(tmp_path: Path) -> Iterator[Supervisor]:
    supervisor = Supervisor(tmp_path)
    yield supervisor
    supervisor.stop([server()])


def start(supervisor: Supervisor, service: Service) -> int:
    supervisor.start([service], lambda _service, _seconds: None)
    pid = supervisor.status(service).pid
    assert pid is not None
    return pid


def family(supervisor: Supervisor) -> list[psutil.Process]:
    return processes.family(None, processes.mark(supervisor.home, "web"))


def test_stop_ends_the_service_with_children_that_left_its_session(supervisor: Supervisor) -> None:
    service = server()
    start(supervisor, service)
    assert supervisor.status(service).state is State.READY
    assert len(family(supervisor)) == 3

    assert supervisor.stop([service]) == [service]
    assert family(supervisor) == []
    assert supervisor.status(service).state is State.STOPPED
    assert supervisor.stop([service]) == []


def test_starting_twice_keeps_the_process(supervisor: Supervisor) -> None:
    service = server()
    first = start(supervisor, service)
    assert start(Supervisor(supervisor.home), service) == first


def test_other_settings_restart_the_service(supervisor: Supervisor) -> None:
    first = start(supervisor, server())
    second = start(supervisor, server())
    assert first != second
    assert not psutil.pid_exists(first)


def test_a_killed_leader_leaves_no_child_behind(supervisor: Supervisor) -> None:
    service = server()
    leader = psutil.Process(start(supervisor, service))
    leader.kill()
    leader.wait()
    assert supervisor.status(service).state is State.STOPPED
    start(supervisor, service)
    assert len(family(supervisor)) == 3


def test_a_start_that_was_killed_before_it_was_recorded_is_cleaned_up(supervisor: Supervisor) -> None:
    service = server()
    start(supervisor, service)
    (supervisor.home / "run" / "web.json").unlink()
    start(supervisor, service)
    assert len(family(supervisor)) == 3


def test_a_taken_port_is_named_with_its_setting(supervisor: Supervisor) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(ServiceFailed, match=rf"Port {port} .*pid {os.getpid()}.*set TARN_TEST_PORT"):
            start(supervisor, server(port=port))


def test_a_service_that_gives_up_is_quoted(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceFailed, match=r"web ended while starting(.|\n)*no such lake"):
        start(supervisor, server("import sys; sys.exit('no such lake')"))


def test_a_service_that_never_gets_ready_is_ended(supervisor: Supervisor) -> None:
    with pytest.raises(ServiceFailed, match="web was not ready within"):
        start(supervisor, server("import time; time.sleep(600)", start_seconds=0.3))
    assert family(supervisor) == []


def test_a_failing_preparation_is_named(supervisor: Supervisor) -> None:
    prepare = ((sys.executable, "-c", "import sys; sys.exit('no database')"),)
    with pytest.raises(ServiceFailed, match=r"failed\.(.|\n)*no database"):
        start(supervisor, Service("web", server().command, prepare=prepare))


def test_a_record_of_a_pid_that_went_to_another_process_ends_nobody(supervisor: Supervisor) -> None:
    record = f'{{"pid": {os.getpid()}, "started": 1.0, "command": []}}'
    (supervisor.home / "run").mkdir()
    (supervisor.home / "run" / "web.json").write_text(record)
    assert supervisor.stop([server()]) == []
