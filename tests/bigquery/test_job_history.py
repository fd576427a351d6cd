"""Jobs that are over can be asked about after the process was killed."""

import json
from pathlib import Path

import pytest
from google.api_core.exceptions import BadRequest, Conflict, NotFound
from google.cloud import bigquery

from tarn_bigquery.engine.database import Database
from tarn_bigquery.engine.job_history import JobHistory
from tarn_bigquery.engine.jobs import Job

from .conftest import start_emulator


@pytest.mark.feature("Operation", "the history of jobs survives kill -9", lacks="the rows of their results")
def test_jobs_survive_a_kill(tmp_path: Path) -> None:
    first = start_emulator("--data-dir", str(tmp_path / "data"), log=tmp_path / "first.txt")
    client = first.client()
    client.create_dataset("d")
    client.query("CREATE TABLE d.t AS SELECT 1 AS a", job_id="made", job_retry=None).result()
    client.query("SELECT a FROM d.t", job_id="asked", job_retry=None).result()
    client.query("SELECT 1 AS x; SELECT 2 AS y", job_id="script", job_retry=None).result()
    with pytest.raises(BadRequest):
        client.query("SELECT nothing", job_id="failed", job_retry=None).result()
    into = bigquery.QueryJobConfig(destination=f"{client.project}.d.kept")
    client.query("SELECT 5 AS b", job_config=into, job_id="stored", job_retry=None).result()
    client.query("SELECT 3 AS z", job_id="dropped", job_retry=None).result()
    client.delete_job_metadata("dropped", location="US")
    before = {job.job_id: job.to_api_repr() for job in client.list_jobs(all_users=True)}
    first.process.kill()
    first.process.wait()
    with (tmp_path / "data" / "jobs.jsonl").open("a") as file:
        file.write('{"project": "lake", "job')

    second = start_emulator("--data-dir", str(tmp_path / "data"), log=tmp_path / "second.txt")
    try:
        client = second.client()
        after = {job.job_id: job.to_api_repr() for job in client.list_jobs(all_users=True)}
        assert after == before
        assert {"made", "asked", "script", "stored", "failed"} == set(after)
        assert client.get_job("failed").error_result["reason"] == "invalidQuery"
        assert client.get_job("script").num_child_jobs == 2
        assert len(list(client.list_jobs(parent_job="script"))) == 2
        assert list(client.get_job("made").result()) == []
        asked = client.get_job("asked")
        assert isinstance(asked, bigquery.QueryJob)
        assert asked.statement_type == "SELECT"
        assert [tuple(row.values()) for row in client.get_job("stored").result()] == [(5,)]
        with pytest.raises(NotFound, match="ended with the process that ran it"):
            asked.result()
        with pytest.raises(Conflict):
            client.query("SELECT 1", job_id="asked", job_retry=None)
        listed = client.query_and_wait("SELECT job_id FROM `region-us`.INFORMATION_SCHEMA.JOBS")
        assert {"made", "asked"} <= {row["job_id"] for row in listed}
    finally:
        second.stop()


def test_the_file_does_not_grow_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "jobs.jsonl"
    database = Database(None, tmp_path / "spill")
    history = JobHistory(path, 3, tmp_path, database)
    for number in range(20):
        history.add(Job("p", f"j{number}", {"query": {"query": "SELECT 1"}}, state="DONE"))
        assert len(path.read_text().splitlines()) <= 6
    history.close()
    again = JobHistory(path, 3, tmp_path, database)
    assert [job.job_id for job in again.jobs()] == ["j17", "j18", "j19"]
    again.forget(again.jobs()[1].key)
    assert [json.loads(line)["job_id"] for line in path.read_text().splitlines()] == ["j17", "j19"]
    again.close()
    database.close()
