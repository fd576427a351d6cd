#!/usr/bin/env python3
"""Wait until every container of a compose project is healthy, or has done what it was for; tell how long each took.

Both generations of compose can start containers, but only the second can wait for them all: this works with either.
"""

import argparse
import json
import subprocess
import sys
import time
from typing import Any, NamedTuple

PROJECT_LABEL = "com.docker.compose.project"
SERVICE_LABEL = "com.docker.compose.service"
POLL_SECONDS = 1.0
LOG_LINES = "20"


class Container(NamedTuple):
    """A container as the engine describes it now."""

    id: str
    service: str
    state: str

    @classmethod
    def of(cls, described: dict[str, Any]) -> "Container":
        """Read what ``docker inspect`` says of one; a state is healthy, done, starting, or what is wrong."""
        state = described["State"]
        match state["Status"]:
            case "exited" if state["ExitCode"] == 0:
                word = "done"
            case "exited" | "dead":
                word = f"ended with {state['ExitCode']}"
            case "running":
                word = state["Health"]["Status"] if "Health" in state else "healthy"
            case _:
                word = "starting"
        return cls(described["Id"], described["Config"]["Labels"][SERVICE_LABEL], word)

    @property
    def ready(self) -> bool:
        """Whether those that wait for it may go on."""
        return self.state in ("healthy", "done")

    @property
    def failed(self) -> bool:
        """Whether waiting longer would not help."""
        return not self.ready and self.state != "starting"


def containers(project: str) -> list[Container]:
    """Every container of a project."""
    ids = _docker("ps", "--all", "--quiet", "--filter", f"label={PROJECT_LABEL}={project}").split()
    return [Container.of(described) for described in json.loads(_docker("inspect", *ids))] if ids else []


def wait(project: str, patience: float) -> str | None:
    """Wait, telling of each container that is ready; what is wrong, where one is not ready within ``patience`` s."""
    begun, told = time.monotonic(), set[str]()
    while True:
        found = containers(project)
        for one in sorted(found, key=lambda one: one.service):
            if one.ready and one.service not in told:
                told.add(one.service)
                print(f"  {one.state:<8}{one.service:<16}{time.monotonic() - begun:6.1f} s", flush=True)
        if failed := [one for one in found if one.failed]:
            return "\n".join(f"{one.service} is {one.state}. The end of its log:\n{_log(one)}" for one in failed)
        if found and all(one.ready for one in found):
            return None
        if time.monotonic() - begun > patience:
            late = ", ".join(one.service for one in found if not one.ready) or "nothing was started"
            return f"not ready after {patience:.0f} s: {late}. `make compose-logs` shows what they do."
        time.sleep(POLL_SECONDS)


def _log(container: Container) -> str:
    done = subprocess.run(
        ["docker", "logs", "--tail", LOG_LINES, container.id],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _docker(*words: str) -> str:
    return subprocess.run(["docker", *words], stdout=subprocess.PIPE, text=True, check=True).stdout


def main() -> str | None:
    """Run; the exit code, or what is wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--project", default="tarn", help="name of the compose project")
    parser.add_argument("--patience", type=float, default=600.0, help="seconds")
    options = parser.parse_args()
    return wait(options.project, options.patience)


if __name__ == "__main__":
    sys.exit(main())
