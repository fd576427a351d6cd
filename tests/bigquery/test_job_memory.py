"""What the program remembers of jobs that are over is bounded."""

import gc
import weakref
from collections.abc import Iterator

import pytest

from tarn_bigquery.config import Settings
from tarn_bigquery.engine.engine import Engine
from tarn_bigquery.engine.jobs import KEPT_JOBS, Job
from tarn_bigquery.errors import ApiError

PROJECT = "lake"


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = Engine(Settings(data_dir=None))
    yield engine
    engine.close()


def run(engine: Engine, job_id: str, sql: str = "SELECT 1 AS a") -> Job:
    job = Job(PROJECT, job_id, {"query": {"query": sql}})
    engine.jobs.add(job)
    engine.runner.run(job, engine.query_jobs.run)
    return job


def test_a_request_is_the_same_job_until_a_thousand_others_came(engine: Engine) -> None:
    first = run(engine, "first")
    engine.requests.remember(first, "first")
    for number in range(KEPT_JOBS - 1):
        engine.requests.remember(Job(PROJECT, str(number), {}), str(number))
    assert engine.requests.job(PROJECT, "first") is first
    engine.requests.remember(run(engine, "latest"), "latest")
    assert engine.requests.job(PROJECT, "first") is None
    assert engine.requests.job(PROJECT, "latest") is not None


def test_a_thousand_jobs_can_be_asked_about_and_few_of_them_are_in_memory(engine: Engine) -> None:
    jobs = [weakref.ref(run(engine, f"j{number}", f"SELECT {number} AS a")) for number in range(KEPT_JOBS)]
    gc.collect()
    assert sum(job() is not None for job in jobs) <= 101
    for number in (0, 500, KEPT_JOBS - 1):
        found = engine.jobs.get(PROJECT, f"j{number}")
        assert found.result is not None
        assert found.result.page(0, 10).to_pylist() == [{"a": number}]
        assert found.statistics["query"]["statementType"] == "SELECT"
    listed = [job.job_id for job in engine.jobs.of_project(PROJECT)]
    assert listed == [f"j{number}" for number in reversed(range(KEPT_JOBS))]
    run(engine, "one more")
    with pytest.raises(ApiError, match="Not found: Job"):
        engine.jobs.get(PROJECT, "j0")
    assert [job.job_id for job in engine.jobs.of_project(PROJECT)] == ["one more", *listed[:-1]]


def test_a_job_that_memory_has_put_away_is_no_other_and_can_be_deleted(engine: Engine) -> None:
    for number in range(150):
        run(engine, f"j{number}")
    with pytest.raises(ApiError, match="Already Exists"):
        engine.jobs.add(Job(PROJECT, "j0", {"query": {}}))
    engine.jobs.delete(PROJECT, "j0")
    engine.jobs.delete(PROJECT, "j149")
    for gone in ("j0", "j149"):
        with pytest.raises(ApiError, match="Not found: Job"):
            engine.jobs.get(PROJECT, gone)
    assert len(engine.jobs.of_project(PROJECT)) == 148
    assert run(engine, "j0").error is None


def test_who_waits_for_a_job_and_who_asks_later_both_learn_that_it_is_over() -> None:
    job, other = Job(PROJECT, "one", {}), Job(PROJECT, "other", {})
    waited = job.done
    job.tell_done()
    assert waited.done()
    assert job.done.done()
    assert not other.done.done()
