"""The compose file keeps the rules that no engine is needed to see."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_healthy_and_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:\d+(\.\d+)+(@sha256:\w{64})?", service["image"])
    assert service["healthcheck"]["test"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_volumes_are_named() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert used == set(COMPOSE["volumes"])


def test_a_service_waits_for_the_health_of_those_that_it_needs() -> None:
    waits = [wait for service in SERVICES.values() for wait in service.get("depends_on", {}).values()]
    assert [wait["condition"] for wait in waits] == ["service_healthy"]


def test_the_image_runs_as_no_root() -> None:
    last_stage = (ROOT / "Dockerfile").read_text(encoding="utf-8").split("FROM ")[-1]
    assert re.search(r"^USER (?!root)\w+$", last_stage, re.MULTILINE)
