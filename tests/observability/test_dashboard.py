"""Every metric that the dashboard asks for is one that the BigQuery emulator or Airflow really gives."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from google.api_core.exceptions import BadRequest
from google.auth.credentials import AnonymousCredentials
from google.cloud import bigquery

from tarn.local.airflow import airflow_environment
from tarn.settings import CHECKOUT, Settings

FOLDER = CHECKOUT / "deploy" / "observability"
DASHBOARD = FOLDER / "grafana" / "dashboards" / "tarn.json"
SUFFIX = {"counter": "_total", "gauge": ""}
"""What Prometheus adds to a name: https://prometheus.io/docs/guides/opentelemetry/#utf-8"""

SEND = """
import json, sys
from airflow._shared.observability.metrics import stats
from airflow._shared.observability.metrics.otel_logger import flush_otel_metrics
from airflow.observability.metrics.stats_utils import get_stats_factory
stats.initialize(factory=get_stats_factory(), export_legacy_names=False)
for name, kind, tags in json.loads(sys.argv[1]):
    stats.incr(name, tags=tags) if kind == "counter" else stats.gauge(name, 1, tags=tags)
flush_otel_metrics()
"""


def expressions() -> list[str]:
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def asked(prefix: str) -> set[str]:
    """The metrics of one program that the dashboard asks for."""
    return {name for one in expressions() for name in re.findall(rf"\b{prefix}_\w+", one)}


def labels_of(metric: str) -> set[str]:
    """The labels by which the dashboard groups or picks a metric."""
    found: set[str] = set()
    for one in expressions():
        if re.search(rf"\b{metric}\b", one):
            found |= {name for group in re.findall(r"by \(([^)]*)\)", one) for name in re.split(r",\s*", group)}
            found |= set(re.findall(r"(\w+)=\"", one))
    return found


def airflow_metrics() -> dict[str, dict[str, Any]]:
    """Airflow's own register of its metrics, by the names that they have in Prometheus."""
    import airflow

    file = Path(airflow.__path__[0]) / "_shared" / "observability" / "metrics" / "metrics_template.yaml"
    registered = yaml.safe_load(file.read_text(encoding="utf-8"))["metrics"]
    return {
        f"airflow_{one['name'].replace('.', '_')}{SUFFIX[one['type']]}": one
        for one in registered
        if one["type"] in SUFFIX
    }


@pytest.fixture(scope="module")
def samples(bigquery_url: str) -> dict[str, set[str]]:
    """The emulator's metrics and their labels, after jobs of which one failed."""
    client = bigquery.Client("lake", AnonymousCredentials(), client_options={"api_endpoint": bigquery_url})
    client.query_and_wait("SELECT 1 AS one")
    with pytest.raises(BadRequest):
        client.query_and_wait("SELECT nothing")
    found: dict[str, set[str]] = {}
    for line in requests.get(f"{bigquery_url}/metrics", timeout=60).text.splitlines():
        if typed := re.fullmatch(r"# TYPE (\w+) \w+", line):
            found.setdefault(typed[1], set())
        elif sample := re.fullmatch(r"(\w+){(.*)} \S+", line):
            found[sample[1]] |= set(re.findall(r'(\w+)="', sample[2]))
    return found


def test_the_dashboard_asks_both_programs() -> None:
    assert len(asked("tarn_bigquery")) >= 7
    assert len(asked("airflow")) >= 8


def test_the_emulator_gives_what_is_asked_of_it(samples: dict[str, set[str]]) -> None:
    assert asked("tarn_bigquery") <= samples.keys()
    # Jobs under way are over by now: their labels are those of the family, which has no sample.
    grouped = {name: labels_of(name) - samples[name] for name in asked("tarn_bigquery") if samples[name]}
    assert not {name: labels for name, labels in grouped.items() if labels}


def test_airflow_has_what_is_asked_of_it() -> None:
    known = airflow_metrics()
    assert asked("airflow") <= known.keys()
    for name in asked("airflow"):
        assert labels_of(name) <= set(known[name].get("name_variables") or []), name


class _Receiver(BaseHTTPRequestHandler):
    kept: list[bytes]
    paths: list[str]

    def do_POST(self) -> None:
        self.paths.append(self.path)
        self.kept.append(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: what comes is kept."""


@pytest.fixture
def receiver() -> Iterator[tuple[str, type[_Receiver]]]:
    """An OpenTelemetry receiver, as Prometheus has one."""
    handler = type("Receiver", (_Receiver,), {"kept": [], "paths": []})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/api/v1/otlp", handler
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.slow
def test_airflow_s_own_sender_gives_these_names(receiver: tuple[str, type[_Receiver]], settings: Settings) -> None:
    from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest

    url, handler = receiver
    known = airflow_metrics()
    wanted = [
        (known[name]["name"], known[name]["type"], dict.fromkeys(labels_of(name), "x")) for name in asked("airflow")
    ]
    environment = os.environ | airflow_environment(settings.model_copy(update={"otlp": url}))
    done = subprocess.run(
        [sys.executable, "-c", SEND, json.dumps(wanted)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert set(handler.paths) == {"/api/v1/otlp/v1/metrics"}
    sent = set()
    for content in handler.kept:
        for resource in ExportMetricsServiceRequest.FromString(content).resource_metrics:
            for scope in resource.scope_metrics:
                for metric in scope.metrics:
                    is_counter = metric.WhichOneof("data") == "sum" and metric.sum.is_monotonic
                    sent.add(metric.name.replace(".", "_") + ("_total" if is_counter else ""))
    assert asked("airflow") <= sent


def test_the_files_fit_each_other() -> None:
    provisioning = FOLDER / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    panels = json.loads(DASHBOARD.read_text(encoding="utf-8"))["panels"]
    assert {panel["datasource"]["uid"] for panel in panels if "datasource" in panel} == {source["uid"]}
    assert len({panel["id"] for panel in panels}) == len(panels)
    jobs = yaml.safe_load((FOLDER / "prometheus.yml").read_text())["scrape_configs"]
    assert "tarn-bigquery" in {job["job_name"] for job in jobs}
