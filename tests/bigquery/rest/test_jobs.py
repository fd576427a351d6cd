"""jobs.*: ids, locations, limits of time, lists, and the pages of results."""

import uuid
from typing import Any

import pytest

from .conftest import Api, make_table

SLOW = (
    "SELECT SUM(SQRT(x * y)) AS s FROM UNNEST(GENERATE_ARRAY(1, 100000)) AS x, UNNEST(GENERATE_ARRAY(1, 100000)) AS y"
)


def new_id() -> str:
    return f"j_{uuid.uuid4().hex[:12]}"


def query(sql: str, **members: Any) -> dict[str, Any]:
    return {"query": {"query": sql, "useLegacySql": False, **members}}


def insert(api: Api, job_id: str, sql: str = "SELECT 1 AS x", **reference: str) -> Any:
    return api.call("POST", "jobs", {"jobReference": {"jobId": job_id, **reference}, "configuration": query(sql)})


def test_an_id_is_of_one_job(api: Api) -> None:
    job_id = new_id()
    insert(api, job_id)
    error = api.refused("POST", "jobs", {"jobReference": {"jobId": job_id}, "configuration": query("SELECT 2")})
    assert (error["code"], error["errors"][0]["reason"]) == (409, "duplicate")
    assert error["message"] == f"Already Exists: Job lake:US.{job_id}"


@pytest.mark.parametrize("job_id", ["a b", "a.b", "é", "x" * 1025, "a/b"])
def test_ids_that_no_job_has(api: Api, job_id: str) -> None:
    error = api.refused("POST", "jobs", {"jobReference": {"jobId": job_id}, "configuration": query("SELECT 1")})
    assert (error["code"], error["errors"][0]["reason"]) == (400, "invalid")
    assert error["message"].startswith(f'Invalid job ID "{job_id}"')


def test_a_job_is_of_one_kind(api: Api) -> None:
    both = {**query("SELECT 1"), "load": {"sourceUris": ["gs://lake/x"]}}
    assert api.refused("POST", "jobs", {"configuration": both})["code"] == 400
    assert api.refused("POST", "jobs", {})["errors"][0]["reason"] == "required"
    assert api.refused("POST", "queries", {"useLegacySql": False})["message"] == "Required parameter is missing: query"


@pytest.mark.feature("REST", "jobs: location, of a job that is asked for elsewhere too")
def test_a_job_is_found_where_it_is(api: Api) -> None:
    job_id = new_id()
    assert insert(api, job_id, location="EU")["jobReference"]["location"] == "EU"
    for place in ("EU", "eu"):
        assert api.call("GET", f"jobs/{job_id}", location=place)["jobReference"]["jobId"] == job_id
    for method, path in (("GET", f"jobs/{job_id}"), ("GET", f"queries/{job_id}"), ("POST", f"jobs/{job_id}/cancel"),
                         ("DELETE", f"jobs/{job_id}/delete")):  # fmt: skip
        error = api.refused(method, path, location="US")
        assert (error["code"], error["message"]) == (404, f"Not found: Job lake:US.{job_id}")
    answer = api.call("POST", "queries", {"query": "SELECT 1", "useLegacySql": False, "location": "asia-east1"})
    assert answer["jobReference"]["location"] == "asia-east1"


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "jobs/{}"), ("POST", "jobs/{}/cancel"), ("DELETE", "jobs/{}/delete"),
                         ("GET", "queries/{}")],
)  # fmt: skip
def test_jobs_that_there_are_not(api: Api, method: str, path: str) -> None:
    job_id = new_id()
    error = api.refused(method, path.format(job_id))
    assert (error["code"], error["status"], error["errors"][0]["reason"]) == (404, "NOT_FOUND", "notFound")
    assert error["message"] == f"Not found: Job lake:US.{job_id}"


def test_a_job_that_is_over_is_cancelled_in_vain_and_deleted(api: Api) -> None:
    job_id = new_id()
    insert(api, job_id)
    answer = api.call("POST", f"jobs/{job_id}/cancel")
    assert (answer["kind"], answer["job"]["status"]["state"]) == ("bigquery#jobCancelResponse", "DONE")
    assert "errorResult" not in answer["job"]["status"]
    assert api.send("DELETE", f"jobs/{job_id}/delete").status_code == 204
    assert api.refused("GET", f"jobs/{job_id}")["code"] == 404


@pytest.mark.feature("REST", "jobs: jobTimeoutMs")
def test_a_job_ends_when_its_time_is_over(api: Api) -> None:
    configuration = {**query(SLOW), "jobTimeoutMs": "1000"}
    job_id = api.call("POST", "jobs", {"configuration": configuration})["jobReference"]["jobId"]
    error = api.refused("GET", f"queries/{job_id}", timeoutMs=30000)
    assert (error["errors"][0]["reason"], error["message"]) == (
        "stopped", "Job execution was cancelled: Job timed out after 1 sec",
    )  # fmt: skip
    status = api.call("GET", f"jobs/{job_id}")["status"]
    assert (status["state"], status["errorResult"]["reason"]) == ("DONE", "stopped")


def test_a_job_within_its_time_is_done(api: Api) -> None:
    answer = api.call("POST", "queries", {"query": "SELECT 1", "useLegacySql": False, "jobTimeoutMs": "60000"})
    assert answer["totalRows"] == "1"


def test_results_that_do_not_wait(api: Api) -> None:
    answer = api.call("POST", "queries", {"query": SLOW, "useLegacySql": False, "timeoutMs": 0})
    job = answer["jobReference"]["jobId"]
    assert (answer["jobComplete"], "rows" in answer, "schema" in answer) == (False, False, False)
    assert api.call("GET", f"queries/{job}", timeoutMs=0)["jobComplete"] is False
    api.call("POST", f"jobs/{job}/cancel")
    error = api.refused("GET", f"queries/{job}", timeoutMs=30000)
    assert error["message"] == "Job execution was cancelled: User requested cancellation"


def test_the_same_request_is_the_same_job(api: Api) -> None:
    body = {"query": "SELECT RAND() AS r", "useLegacySql": False, "requestId": new_id()}
    first, second = (api.call("POST", "queries", body) for _ in range(2))
    assert (first["jobReference"], first["rows"]) == (second["jobReference"], second["rows"])


@pytest.mark.parametrize("mode", ["JOB_CREATION_OPTIONAL", "JOB_CREATION_REQUIRED"])
def test_a_query_has_a_job_in_either_mode(api: Api, mode: str) -> None:
    body = {"query": "SELECT 1", "useLegacySql": False, "jobCreationMode": mode}
    answer = api.call("POST", "queries", body)
    assert answer["jobReference"]["jobId"]
    assert answer["queryId"]


def test_a_dry_run_leaves_no_job(api: Api) -> None:
    answer = api.call("POST", "queries", {"query": "SELECT 1 AS x", "useLegacySql": False, "dryRun": True})
    assert (answer["jobReference"]["jobId"], answer["jobComplete"]) == ("", True)
    assert answer["schema"]["fields"][0]["name"] == "x"
    answer = api.call("POST", "jobs", {"configuration": {**query("SELECT 1 AS x"), "dryRun": True}})
    assert answer["jobReference"]["jobId"] == ""


def test_pages_of_a_result(api: Api) -> None:
    numbers = "SELECT x FROM UNNEST(GENERATE_ARRAY(1, 5)) AS x ORDER BY x"
    answer = api.call("POST", "queries", {"query": numbers, "useLegacySql": False, "maxResults": 2})
    path = f"queries/{answer['jobReference']['jobId']}"
    found = [row["f"][0]["v"] for row in answer["rows"]]
    while token := answer.get("pageToken"):
        answer = api.call("GET", path, pageToken=token, maxResults=2)
        found += [row["f"][0]["v"] for row in answer["rows"]]
    assert found == ["1", "2", "3", "4", "5"]
    assert answer["totalRows"] == "5"
    nothing = api.call("GET", path, maxResults=0)
    assert (nothing["totalRows"], "rows" in nothing, "pageToken" in nothing) == ("5", False, False)
    beyond = api.call("GET", path, startIndex=9)
    assert (beyond["totalRows"], "rows" in beyond, "pageToken" in beyond) == ("5", False, False)
    assert [row["f"][0]["v"] for row in api.call("GET", path, startIndex=3)["rows"]] == ["4", "5"]


@pytest.mark.parametrize("query", [
    {"pageToken": "x"}, {"pageToken": "YXQ6"}, {"maxResults": "-1"}, {"maxResults": "x"}, {"maxResults": "1.5"},
])  # fmt: skip
@pytest.mark.parametrize("path", ["datasets", "{}/tables", "{}/routines", "jobs", "/bigquery/v2/projects",
                                  "{}/tables/t/data"])  # fmt: skip
def test_pages_that_there_are_not(api: Api, home: str, path: str, query: Any) -> None:
    make_table(api, home, "t")
    error = api.refused("GET", path.format(home), **query)
    [name] = query
    assert (error["code"], error["errors"][0]["reason"]) == (400, "invalid")
    assert (error["errors"][0]["location"], error["errors"][0]["locationType"]) == (name, "parameter")


def test_lists_in_pages(api: Api, home: str) -> None:
    for name in "abc":
        make_table(api, home, name)
    names, token = [], ""
    while True:
        answer = api.call("GET", f"{home}/tables", maxResults=1, pageToken=token)
        assert (len(answer["tables"]), answer["totalItems"]) == (1, 3)
        names.append(answer["tables"][0]["tableReference"]["tableId"])
        token = answer.get("nextPageToken", "")
        if not token:
            break
    assert names == ["a", "b", "c"]


def test_lists_of_jobs(api: Api) -> None:
    job_id = new_id()
    made = insert(api, job_id)
    created = int(made["statistics"]["creationTime"])

    def ids(**parameters: Any) -> list[str]:
        return [job["jobReference"]["jobId"] for job in api.call("GET", "jobs", **parameters)["jobs"]]

    assert job_id in ids(stateFilter="done", minCreationTime=created, maxCreationTime=created, allUsers="true")
    assert job_id in ids(stateFilter=["pending", "done"])
    assert job_id not in ids(stateFilter="running")
    assert job_id not in ids(maxCreationTime=created - 1)
    assert ids(minCreationTime=created + 1000000) == []
    listed = next(j for j in api.call("GET", "jobs", projection="full")["jobs"] if j["id"] == made["id"])
    assert (listed["state"], "statistics" in listed, "configuration" in listed) == ("DONE", True, True)
    for wrong in ({"stateFilter": "over"}, {"projection": "some"}, {"minCreationTime": "yesterday"}):
        assert api.refused("GET", "jobs", **wrong)["errors"][0]["reason"] == "invalid"


@pytest.mark.feature("REST", "datasets.list: all, filter by labels")
def test_lists_of_datasets(api: Api, home: str) -> None:
    name = home.partition("/")[2]
    api.call("PATCH", home, {"labels": {"kind": name, "other": ""}})

    def ids(**parameters: Any) -> list[str]:
        return [d["datasetReference"]["datasetId"] for d in api.call("GET", "datasets", **parameters)["datasets"]]

    assert ids(filter=f"labels.kind:{name}") == [name]
    assert ids(filter=f"labels.kind:{name} labels.other") == [name]
    assert ids(filter=f"labels.kind:{name} labels.other:x") == []
    assert ids(filter="labels.none") == []
    assert api.refused("GET", "datasets", filter="kind:x")["errors"][0]["location"] == "filter"
    api.rows("SELECT 1")
    assert not any(dataset.startswith("_") for dataset in ids())
    assert any(dataset.startswith("_") for dataset in ids(all="true"))


def test_results_of_what_is_no_query(api: Api, home: str) -> None:
    copied = make_table(api, home, "t").partition("/")[2].partition("/")[0]
    table = {"projectId": "lake", "datasetId": copied}
    copy = {"sourceTable": {**table, "tableId": "t"}, "destinationTable": {**table, "tableId": "u"}}
    job_id = api.call("POST", "jobs", {"configuration": {"copy": copy}})["jobReference"]["jobId"]
    error = api.refused("GET", f"queries/{job_id}")
    assert (error["code"], error["message"]) == (400, f"Job {job_id} is not a query job.")


@pytest.mark.parametrize(("wanted", "value"), [("true", "1704067200000000"), ("false", "1.7040672E9")])
def test_timestamps_as_whole_numbers(api: Api, wanted: str, value: str) -> None:
    body = {"query": "SELECT TIMESTAMP '2024-01-01'", "useLegacySql": False}
    job_id = api.call("POST", "queries", body)["jobReference"]["jobId"]
    answer = api.call("GET", f"queries/{job_id}", **{"formatOptions.useInt64Timestamp": wanted})
    assert float(answer["rows"][0]["f"][0]["v"]) == float(value)
    answer = api.call("POST", "queries", {**body, "formatOptions": {"useInt64Timestamp": wanted == "true"}})
    assert float(answer["rows"][0]["f"][0]["v"]) == float(value)


@pytest.mark.parametrize("name", ["writeDisposition", "createDisposition", "priority"])
def test_words_that_no_job_takes(api: Api, name: str) -> None:
    error = api.refused("POST", "jobs", {"configuration": query("SELECT 1", **{name: "SOMEHOW"})})
    assert (error["code"], error["message"]) == (400, f"Invalid value for {name}: SOMEHOW is not a valid value")


def test_fewer_rows_than_none(api: Api) -> None:
    error = api.refused("POST", "queries", {"query": "SELECT 1", "useLegacySql": False, "maxResults": -1})
    assert (error["code"], error["errors"][0]["location"]) == (400, "maxResults")
