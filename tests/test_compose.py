"""The compose file, its image and its scripts keep the rules that no engine is needed to see."""

import base64
import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from tarn.local.airflow import airflow_environment
from tarn.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
FILE = ROOT / "docker-compose.yml"
COMPOSE: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
AIRFLOWS = [name for name, service in SERVICES.items() if service["image"].startswith("tarn-airflow:")]
LASTING = [name for name in SERVICES if name != "init"]
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
MEMORY_MIB = 4096
GRAFANA = "472"
"""The user of Grafana's own image: https://grafana.com/docs/grafana/latest/setup-grafana/configure-docker/"""
PROFILES = {profile for service in SERVICES.values() for profile in service.get("profiles", ())}
LOOPBACK_PORT = r"127\.0\.0\.1:\$\{TARN_\w+_PORT:-\d+\}:\d+"


def run(script: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(ROOT / script), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_it_is_what_the_compose_specification_allows() -> None:
    program = Path(sys.executable).with_name("check-jsonschema")
    done = subprocess.run(
        [program, "--builtin-schema", "vendor.compose-spec", FILE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout


def test_it_uses_nothing_that_the_first_compose_does_not_know() -> None:
    # docker-compose 1.29 refuses a name, and would ignore limits under `deploy`.
    assert set(COMPOSE) == {"services", "volumes"} | {key for key in COMPOSE if key.startswith("x-")}
    assert [name for name, service in SERVICES.items() if "deploy" in service] == []


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_and_bears_no_privilege(name: str) -> None:
    service = SERVICES[name]
    assert re.fullmatch(r"[\w./-]+:v?\d+(\.\d+)+(-\w+)?(@sha256:\w{64})?", service["image"])
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("user") in (["postgres", "redis", "nobody", GRAFANA] if "build" not in service else [None])


@pytest.mark.parametrize("name", LASTING)
def test_a_service_tells_its_health_and_is_reached_from_this_machine_only(name: str) -> None:
    service = SERVICES[name]
    assert service["healthcheck"]["test"][0] == "CMD"
    assert all(re.fullmatch(LOOPBACK_PORT, port) for port in service.get("ports", ()))
    assert "network_mode" not in service


def test_state_is_kept_in_named_volumes() -> None:
    used = {volume.split(":")[0] for service in SERVICES.values() for volume in service["volumes"]}
    assert {source for source in used if not source.startswith("./")} == set(COMPOSE["volumes"])


def test_files_of_the_checkout_are_lent_for_reading() -> None:
    lent = [volume.split(":") for one in SERVICES.values() for volume in one["volumes"] if volume.startswith("./")]
    assert [source for source, _, mode in lent if mode != "ro" or not (ROOT / source).exists()] == []


@pytest.mark.parametrize("name", LASTING)
def test_a_service_has_a_limit_of_memory(name: str) -> None:
    assert re.fullmatch(r"\d+m", SERVICES[name]["mem_limit"])


def test_the_workers_share_no_folder_with_anyone() -> None:
    for name in ("worker-1", "worker-2"):
        [volume] = SERVICES[name]["volumes"]
        assert [other for other in SERVICES if volume in SERVICES[other]["volumes"]] == [name]


def test_a_service_waits_until_those_that_it_needs_are_healthy_or_done() -> None:
    for service in SERVICES.values():
        for other, wait in service.get("depends_on", {}).items():
            done = other == "init"
            assert wait["condition"] == ("service_completed_successfully" if done else "service_healthy")


def test_no_service_needs_one_of_a_profile_that_may_be_off() -> None:
    for service in SERVICES.values():
        for other in service.get("depends_on", {}):
            assert set(SERVICES[other].get("profiles", ())) <= set(service.get("profiles", ()))


def test_the_services_without_workers_fit_into_4_gib() -> None:
    limits = [int(SERVICES[name]["mem_limit"].removesuffix("m")) for name in LASTING if is_on(name, "publishers")]
    assert sum(limits) <= MEMORY_MIB


def test_every_worker_gets_as_many_tasks_as_it_takes() -> None:
    workers = [name for name in SERVICES if is_on(name, "celery") and name.startswith("worker-")]
    each = int(SERVICES["scheduler"]["environment"]["AIRFLOW__CELERY__WORKER_CONCURRENCY"])
    assert f"TARN_PARALLELISM=${{TARN_PARALLELISM:-{each * len(workers)}}}" in made("compose-up", "PROFILES=celery")
    assert "TARN_PARALLELISM" not in made("compose-up", "PROFILES=publishers")


def test_airflow_sends_metrics_only_where_make_starts_what_takes_them() -> None:
    for profile, sent in (("publishers", False), ("publishers,observability", True)):
        assert ("TARN_METRICS=True" in made("compose-up", f"PROFILES={profile}")) is sent
    variables = SERVICES["scheduler"]["environment"]
    assert variables["AIRFLOW__METRICS__OTEL_ON"] == "${TARN_METRICS:-False}"
    assert "--web.enable-otlp-receiver" in SERVICES["prometheus"]["command"]


def test_what_leads_metrics_is_what_the_local_lake_sets(tmp_path: Path) -> None:
    address = "http://prometheus:9090/api/v1/otlp"
    variables = SERVICES["scheduler"]["environment"]
    local = airflow_environment(Settings(home=tmp_path, otlp=address))
    led = {name: value.replace(f"${{TARN_OTLP:-{address}}}", address) for name, value in variables.items()}
    assert {name: led.get(name) for name in local if "OTEL_" in name} == {
        name: value for name, value in local.items() if "OTEL_" in name
    } | {"AIRFLOW__METRICS__OTEL_ON": "${TARN_METRICS:-False}"}


def test_cosmos_tells_nobody_and_writes_where_it_may() -> None:
    for name in AIRFLOWS:
        variables = SERVICES[name]["environment"]
        assert variables["AIRFLOW__COSMOS__ENABLE_TELEMETRY"] == "False"
        folder = variables["AIRFLOW__COSMOS__CACHE_DIR"]
        assert any(folder.startswith(f"{volume.split(':')[1]}/") for volume in SERVICES[name]["volumes"])


def test_make_stops_every_profile() -> None:
    [found] = re.findall(r"COMPOSE_PROFILES=(\S+)", made("compose-down"))
    assert set(found.split(",")) == PROFILES


def made(*words: str) -> str:
    """What make would run."""
    command = ["make", "--dry-run", "--directory", str(ROOT), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def is_on(name: str, profile: str) -> bool:
    return profile in SERVICES[name].get("profiles", [profile])


def test_secrets_have_no_default_and_are_those_that_are_made(tmp_path: Path) -> None:
    text = FILE.read_text(encoding="utf-8")
    wanted = set(re.findall(r"\$\{(\w+):\?", text))
    assert run("scripts/compose_env.py", str(tmp_path / ".env")).returncode == 0
    assert set(variables(tmp_path / ".env")) == wanted | {"COMPOSE_PROJECT_NAME"}
    secret = re.compile(r"PASSWORD|SECRET|KEY")
    assert [name for name in re.findall(r"\$\{(\w+)", text) if secret.search(name) and name not in wanted] == []


def test_secrets_are_made_once_for_the_owner_s_eyes_only(tmp_path: Path) -> None:
    file, other = tmp_path / ".env", tmp_path / "other.env"
    file.write_text("TARN_AIRFLOW_PASSWORD=mine")
    for path in (file, other):
        assert run("scripts/compose_env.py", str(path)).returncode == 0
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made, others = variables(file), variables(other)
    assert made["TARN_AIRFLOW_PASSWORD"] == "mine"
    assert [name for name in made if made[name] == others[name]] == ["COMPOSE_PROJECT_NAME"]
    assert len(base64.urlsafe_b64decode(made["TARN_FERNET_KEY"])) == 32
    assert min(len(made["TARN_API_SECRET"]), len(made["TARN_JWT_SECRET"])) >= hashlib.sha512().digest_size
    before = file.read_bytes()
    assert run("scripts/compose_env.py", str(file)).stdout == ""
    assert file.read_bytes() == before


def variables(file: Path) -> dict[str, str]:
    lines = file.read_text(encoding="utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines if not line.startswith("#"))


@pytest.mark.parametrize(
    "target", sorted({service["build"]["target"] for service in SERVICES.values() if "build" in service})
)
def test_an_image_of_ours_runs_as_no_root_and_is_built_elsewhere(target: str) -> None:
    stage = DOCKERFILE.split(f" AS {target}\n")[1].split("\nFROM ")[0]
    assert re.search(r"^USER (?!root|0)\w+", stage, re.MULTILINE)
    assert not re.search(r"apt|gcc|build-essential|pip install", stage)


def test_the_base_images_of_the_dockerfile_are_pinned() -> None:
    stages = re.findall(r"^FROM (\S+) AS (\S+)$", DOCKERFILE, re.MULTILINE)
    bases = {base for base, _ in stages} - {name for _, name in stages}
    assert bases
    assert all(re.fullmatch(r"[\w./-]+:\d+(\.\d+)+(-\w+)*(@sha256:\w{64})?", base) for base in bases)


def test_the_builder_gets_no_state_and_no_credentials() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    assert patterns[0] == "*"
    taken = {pattern.removeprefix("!") for pattern in patterns if pattern.startswith("!")}
    assert taken.isdisjoint({".", ".env", ".git", ".tarn", "credentials"})
    copied = {
        source.split("/")[0]
        for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.MULTILINE)
        for source in words.replace("--chown=tarn ", "").split()[:-1]
    }
    assert copied <= {path.split("/")[0] for path in taken}


class Airflow(BaseHTTPRequestHandler):
    """Answers as the API server's health page does."""

    status = "healthy"

    def do_GET(self) -> None:
        known = self.path in ("/api/v2/monitor/health", "/healthz")
        self.send_response(200 if known else 404)
        self.end_headers()
        self.wfile.write(json.dumps({"triggerer": {"status": self.status}}).encode())

    def log_message(self, *_: Any) -> None:
        return


@pytest.fixture
def address() -> Any:
    with ThreadingHTTPServer(("127.0.0.1", 0), Airflow) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_health_check_tells_sick_from_sound(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("deploy/compose/health.py", f"{address}/healthz").returncode == 0
    assert run("deploy/compose/health.py", address, "triggerer").returncode == 0
    assert "404" in run("deploy/compose/health.py", f"{address}/nowhere").stderr
    assert "refused" in run("deploy/compose/health.py", "http://127.0.0.1:1/").stderr
    monkeypatch.setattr(Airflow, "status", "unhealthy")
    sick = run("deploy/compose/health.py", address, "triggerer")
    assert (sick.returncode, sick.stderr.strip()) == (1, "triggerer: unhealthy")


ENGINE = """#!/bin/sh
[ "$1" = ps ] && echo one two
[ "$1" = inspect ] && cat "$(dirname "$0")/state"
[ "$1" = logs ] && echo out of memory
true
"""


def described(service: str, status: str, **state: Any) -> dict[str, Any]:
    labels = {"com.docker.compose.service": service}
    return {"Id": service, "Config": {"Labels": labels}, "State": {"Status": status, "ExitCode": 0} | state}


@pytest.mark.parametrize(
    ("second", "code", "told"),
    [
        (described("gcs", "running", Health={"Status": "healthy"}), 0, "healthy gcs"),
        (described("gcs", "exited", ExitCode=137), 1, "gcs is ended with 137. The end of its log:\nout of memory"),
        (described("gcs", "running", Health={"Status": "unhealthy"}), 1, "gcs is unhealthy"),
        (described("gcs", "running", Health={"Status": "starting"}), 1, "not ready after 0 s: gcs."),
    ],
)
def test_waiting_ends_with_health_or_with_the_reason(
    second: dict[str, Any], code: int, told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "docker").write_text(ENGINE)
    (tmp_path / "docker").chmod(0o700)
    (tmp_path / "state").write_text(json.dumps([described("init", "exited"), second]))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    done = run("scripts/compose_wait.py", "--patience", "0")
    assert done.returncode == code
    assert "done    init" in done.stdout
    assert told in done.stdout + done.stderr
