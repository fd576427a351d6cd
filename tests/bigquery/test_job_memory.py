"""What the program remembers of jobs that are over is bounded."""

from tarn_bigquery.engine.jobs import KEPT_JOBS, Job
from tarn_bigquery.engine.requests import Requests

PROJECT = "lake"


def test_a_request_is_the_same_job_until_a_thousand_others_came() -> None:
    requests = Requests()
    first, latest = Job(PROJECT, "first", {}), Job(PROJECT, "latest", {})
    requests.remember(first, "first")
    for number in range(KEPT_JOBS - 1):
        requests.remember(Job(PROJECT, str(number), {}), str(number))
    assert requests.job(PROJECT, "first") is first
    requests.remember(latest, "latest")
    assert requests.job(PROJECT, "first") is None
    assert requests.job(PROJECT, "latest") is latest


def test_who_waits_for_a_job_and_who_asks_later_both_learn_that_it_is_over() -> None:
    job, other = Job(PROJECT, "one", {}), Job(PROJECT, "other", {})
    waited = job.done
    job.tell_done()
    assert waited.done()
    assert job.done.done()
    assert not other.done.done()
