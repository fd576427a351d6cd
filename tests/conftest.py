"""Real servers for the tests: the embedded object server and the BigQuery emulator, each a process of its own."""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tarn.settings import Settings
from tests.ports import free_port

# Without kept bytecode each program that a test starts compiles thousands of modules anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

START_SECONDS = 60
POLL_SECONDS = 0.1
SEARCH_PATH = os.pathsep.join((str(Path(sys.executable).parent), os.environ.get("PATH", "")))

EMBEDDED, FAKE_GCS_SERVER = "embedded", "fake-gcs-server"

RunningContext = contextlib.AbstractContextManager["RunningServer"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """What ``tests/gcp`` is told, and which object server the suites run against that need but one."""
    help_of_gcs = "run what needs an object server, and nothing else, against this one; the embedded one by default"
    parser.addoption("--gcs", choices=[EMBEDDED, FAKE_GCS_SERVER], default=EMBEDDED, help=help_of_gcs)
    group = parser.getgroup("gcp", "the lake's tests on Google Cloud (tests/gcp)")
    group.addoption("--target", choices=["emulators", "gcp"], default="emulators", help="emulators: a rehearsal")
    group.addoption("--project", help="the Google Cloud project; the credentials' own by default")
    group.addoption("--bucket", help="a bucket of yours, which stays; PROJECT-lake by default")
    group.addoption("--location", help="where the bucket lies; US by default")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Begin with the tests that keep an Airflow running: they take longest.

    With ``--gcs``, leave out what that object server has no part in, and what runs against each one anyway.
    """
    items.sort(key=lambda item: not _keeps_airflow_running(item.nodeid))
    if config.getoption("--gcs") != EMBEDDED:
        left_out = [item for item in items if "gcs_endpoint" not in getattr(item, "fixturenames", ())]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """``make test`` takes two processes."""
    return _ByModule(config, log)


class _ByModule(LoadScopeScheduling):
    """A module's tests stay in one process, and so do all those that keep an Airflow running: they share one."""

    def _split_scope(self, nodeid: str) -> str:
        return "airflow" if _keeps_airflow_running(nodeid) else nodeid.partition("::")[0]


def _keeps_airflow_running(nodeid: str) -> bool:
    return re.match(r"tests/(airflow/.*_run|test_readme)\.py", nodeid) is not None


class RunningServer:
    """A server that answers at ``url`` until the test ends, or ends it."""

    def __init__(self, command: list[str], url: str) -> None:
        self.url = url
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL)

    def await_ready(self, health: str) -> None:
        """Return once the server answers; fail where it ends, or takes too long."""
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                requests.get(self.url + health, timeout=START_SECONDS).raise_for_status()
                return
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(POLL_SECONDS)
        pytest.fail(f"{self.process.args} did not answer at {self.url}; its exit code is {self.process.poll()}")

    def kill(self) -> None:
        """End it without a chance to tidy up."""
        self.process.kill()
        self.process.wait()


@contextlib.contextmanager
def _running(program: list[str], health: str) -> Iterator[RunningServer]:
    port = free_port()
    server = RunningServer([*program, "--port", str(port)], f"http://127.0.0.1:{port}")
    try:
        server.await_ready(health)
        yield server
    finally:
        server.kill()


@pytest.fixture(scope="session")
def start_gcs() -> Callable[[Path], RunningContext]:
    """Starts an embedded object server on a folder."""

    def start(folder: Path) -> RunningContext:
        return _running(
            [sys.executable, "-m", "tarn.local.gcs_server", "--dir", str(folder)], "/storage/v1/b?project=p"
        )

    return start


@pytest.fixture(scope="session")
def embedded_gcs(
    start_gcs: Callable[[Path], RunningContext], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of an embedded object server."""
    with start_gcs(tmp_path_factory.mktemp("gcs")) as server:
        yield server.url


@pytest.fixture(scope="session")
def fake_gcs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a fake-gcs-server, or of whatever object server TARN_TEST_GCS_ENDPOINT names."""
    if given := os.environ.get("TARN_TEST_GCS_ENDPOINT"):
        yield given
        return
    program = os.environ.get("TARN_FAKE_GCS_SERVER") or shutil.which("fake-gcs-server", path=SEARCH_PATH)
    if not program:
        pytest.skip("there is no fake-gcs-server: `make fake-gcs-server` builds it, where Go is installed")
    folder = str(tmp_path_factory.mktemp("fake-gcs"))
    options = ["-scheme", "http", "-host", "127.0.0.1", "-backend", "filesystem", "-filesystem-root", folder]
    # It makes every bucket there, wherever it was asked to.
    options += ["-location", "US", "-log-level", "warn"]
    with _running([program, *options], "/_internal/healthcheck") as server:
        yield server.url


@pytest.fixture(scope="session", params=[EMBEDDED, FAKE_GCS_SERVER])
def gcs_url(request: pytest.FixtureRequest) -> str:
    """The address of each object server to test against."""
    return str(request.getfixturevalue({EMBEDDED: "embedded_gcs", FAKE_GCS_SERVER: "fake_gcs"}[request.param]))


@pytest.fixture(scope="session")
def gcs_endpoint(request: pytest.FixtureRequest) -> str | None:
    """A lake's setting of that name: the address of the server that ``--gcs`` names, or none for the embedded one."""
    if request.config.getoption("--gcs") == EMBEDDED:
        return None
    return str(request.getfixturevalue("fake_gcs"))


@pytest.fixture(scope="session")
def any_gcs(request: pytest.FixtureRequest, gcs_endpoint: str | None) -> str:
    """The address of an object server, for what needs one of them: the embedded one, or what ``--gcs`` names."""
    return gcs_endpoint or str(request.getfixturevalue("embedded_gcs"))


@pytest.fixture(scope="session")
def start_bigquery(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], RunningContext]:
    """Starts a BigQuery emulator that reads the object server at an address."""

    def start(gcs_url: str) -> RunningContext:
        program = str(Path(sys.executable).with_name("tarn-bigquery"))
        folder = str(tmp_path_factory.mktemp("bigquery"))
        return _running([program, "--data-dir", folder, "--storage-endpoint", gcs_url], "/healthz")

    return start


@pytest.fixture(scope="session")
def bigquery_url(any_gcs: str, start_bigquery: Callable[[str], RunningContext]) -> Iterator[str]:
    """The address of a BigQuery emulator that reads that object server."""
    with start_bigquery(any_gcs) as server:
        yield server.url


@pytest.fixture(scope="session")
def cloud(gcs_url: str, start_bigquery: Callable[[str], RunningContext]) -> Iterator[dict[str, str]]:
    """The settings that lead to each object server under test, and to a BigQuery emulator that reads it."""
    with start_bigquery(gcs_url) as server:
        yield {"gcs_endpoint": gcs_url, "bigquery_endpoint": server.url}


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a lake of the test's own; nothing listens at its addresses."""
    return Settings(
        home=tmp_path / "home",
        root=tmp_path / "root",
        bucket=f"lake-{uuid.uuid4().hex[:12]}",
        lake_dataset=f"lake_{uuid.uuid4().hex[:12]}",
        gcs_endpoint="http://127.0.0.1:1",
        bigquery_endpoint="http://127.0.0.1:1",
    )
