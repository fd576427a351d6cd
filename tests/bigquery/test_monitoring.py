"""The token that a shared machine asks for, and what Prometheus is told."""

from collections.abc import Iterator

import grpc
import pytest
import requests
from google.api_core.client_options import ClientOptions
from google.api_core.exceptions import BadRequest
from google.cloud import bigquery
from google.oauth2.credentials import Credentials
from prometheus_client.parser import text_string_to_metric_families

from .conftest import PROJECT, START_SECONDS, Emulator, start_emulator

TOKEN = "open sesame"
METHOD = "/google.cloud.bigquery.storage.v1.BigQueryRead/CreateReadSession"


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    log = tmp_path_factory.mktemp("guarded") / "log.txt"
    started = start_emulator("--ephemeral", "--require-token", TOKEN, log=log)
    yield started
    started.stop()


def metrics(emulator: Emulator) -> dict[tuple[str, tuple[str, ...]], float]:
    """Every sample by its name and the values of its labels."""
    answer = requests.get(f"{emulator.url}/metrics", timeout=10)
    answer.raise_for_status()
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def test_the_official_client_with_the_token_is_served(guarded: Emulator) -> None:
    client = bigquery.Client(PROJECT, Credentials(TOKEN), client_options=ClientOptions(api_endpoint=guarded.url))
    assert [row.x for row in client.query("SELECT 1 AS x").result()] == [1]


@pytest.mark.feature("Operation", "`--require-token`")
@pytest.mark.parametrize(
    ("header", "reason"), [(None, "required"), ("Bearer other", "authError"), (f"Basic {TOKEN}", "authError")]
)
@pytest.mark.parametrize("path", ["/bigquery/v2/projects", "/metrics", "/upload/bigquery/v2/projects/p/jobs", "/no"])
def test_others_are_turned_away(guarded: Emulator, path: str, header: str | None, reason: str) -> None:
    headers = {"Authorization": header} if header else {}
    answer = requests.get(guarded.url + path, headers=headers, timeout=10)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    error = answer.json()["error"]
    assert (error["code"], error["status"]) == (401, "UNAUTHENTICATED")
    assert (error["errors"][0]["reason"], error["errors"][0]["locationType"]) == (reason, "header")


def test_health_needs_no_token(guarded: Emulator) -> None:
    assert requests.get(f"{guarded.url}/healthz", timeout=10).text == "ok\n"


@pytest.mark.parametrize(("metadata", "code"), [((), "UNAUTHENTICATED"), ((("authorization", f"Bearer {TOKEN}"),), "")])
def test_the_storage_api_asks_for_the_token_too(
    guarded: Emulator, metadata: tuple[tuple[str, str], ...], code: str
) -> None:
    with grpc.insecure_channel(guarded.grpc_address) as channel:
        grpc.channel_ready_future(channel).result(START_SECONDS)
        with pytest.raises(grpc.RpcError) as refused:
            channel.unary_unary(METHOD)(b"", metadata=metadata, timeout=START_SECONDS)
    assert (refused.value.code().name == "UNAUTHENTICATED") == bool(code)


@pytest.mark.feature("Operation", "Prometheus metrics")
def test_jobs_and_answers_are_counted(emulator: Emulator, client: bigquery.Client, dataset: str) -> None:
    before = metrics(emulator)
    client.query(f"CREATE TABLE `{dataset}.t` AS SELECT n FROM UNNEST([1, 2, 3]) AS n").result()
    client.query(f"SELECT * FROM `{dataset}.t`").result()
    client.copy_table(f"{dataset}.t", f"{dataset}.u").result()
    client.query(f"SELECT * FROM `{dataset}.t`", bigquery.QueryJobConfig(dry_run=True))
    with pytest.raises(BadRequest, match="division by zero"):
        client.query("SELECT 1 / 0").result()
    after = metrics(emulator)

    def grown(name: str, *labels: str) -> float:
        return after[name, labels] - before.get((name, labels), 0)

    assert grown("tarn_bigquery_jobs_total", "query", "ok") == 2
    assert grown("tarn_bigquery_jobs_total", "query", "invalidQuery") == 1
    assert grown("tarn_bigquery_job_rows_total", "query") == 3
    assert grown("tarn_bigquery_job_rows_total", "copy") == 3
    assert grown("tarn_bigquery_job_processed_bytes_total", "query") == 24
    assert grown("tarn_bigquery_job_seconds_total", "query") > 0
    assert grown("tarn_bigquery_requests_total", "200") >= 6
    assert after["tarn_bigquery_cache_bytes", ()] <= after["tarn_bigquery_cache_limit_bytes", ()]
    assert after["tarn_bigquery_cache_limit_bytes", ()] > 0
