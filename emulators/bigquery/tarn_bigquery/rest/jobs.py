"""jobs.*"""

import asyncio
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from tarn_bigquery.catalog import resources
from tarn_bigquery.catalog.labels import check_labels
from tarn_bigquery.catalog.resources import LOCATION
from tarn_bigquery.engine.jobs import Job
from tarn_bigquery.engine.results import NoRows
from tarn_bigquery.engine.runner import new_job_id
from tarn_bigquery.errors import ApiError, invalid, not_found, unsupported
from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page
from tarn_bigquery.rest.rows import rows_page, wants_int64

Later = Callable[[], dict[str, Any]]

_DEFAULT_TIMEOUT_MS = 10_000
_LONGEST_TIMEOUT_MS = 200_000
_QUERY_RESPONSE = "bigquery#queryResponse"


async def insert(call: Call) -> dict[str, Any]:
    job = new_job(call, call.body)
    if job.configuration.get("dryRun"):
        if job.kind != "query":
            raise unsupported(f"the dry run of a {job.kind} job")
        return await _dry_run(call, job)
    call.engine.runner.submit(job)
    # A job that is over in no time is told as done at once, as a client that polls would learn a second later.
    await wait_for(job, 50)
    return job.resource()


_KINDS = {"query", "load", "copy", "extract"}
_WORDS = {
    "createDisposition": {"CREATE_IF_NEEDED", "CREATE_NEVER"},
    "priority": {"INTERACTIVE", "BATCH"},
    "writeDisposition": {"WRITE_TRUNCATE", "WRITE_TRUNCATE_DATA", "WRITE_APPEND", "WRITE_EMPTY"},
}
"""Members that the discovery document takes for any text."""

_JOB_ID = re.compile(r"[\w-]{1,1024}", re.ASCII)


def new_job(call: Call, body: dict[str, Any]) -> Job:
    """The job that a body describes. Raises ApiError for one that cannot be."""
    configuration = body.get("configuration")
    if not isinstance(configuration, dict):
        raise ApiError("required", "Required parameter is missing: configuration", location="configuration")
    configuration = _with_numbers(resources.without_nulls(configuration))
    kinds = [kind for kind in configuration if kind in _KINDS]
    if len(kinds) != 1:
        raise invalid(
            "Job configuration must contain exactly one job-specific configuration object (e.g., query, load, extract, "
            f"spreadsheetExtract), but there were {len(kinds)}: {', '.join(kinds)}",
            "configuration",
        )
    _check_words(configuration[kinds[0]])
    check_labels(configuration.get("labels"))
    reference = call.reference("jobReference")
    job_id = reference.get("jobId") or new_job_id()
    if not _JOB_ID.fullmatch(job_id):
        raise invalid(
            f'Invalid job ID "{job_id}". Job IDs must be alphanumeric (plus underscores and dashes) '
            "and must be at most 1024 characters long.",
            "jobReference.jobId",
        )
    return Job(call.path["project"], job_id, configuration, reference.get("location") or LOCATION)


def _check_words(configuration: dict[str, Any]) -> None:
    for name, words in _WORDS.items():
        if configuration.get(name, "") not in {"", *words}:
            raise invalid(f"Invalid value for {name}: {configuration[name]} is not a valid value", name)


async def _dry_run(call: Call, job: Job) -> dict[str, Any]:
    await _run_unregistered(call, job)
    return job.resource() | {"jobReference": _dry_reference(job)}


def _dry_reference(job: Job) -> dict[str, str]:
    """The reference of a job that nobody can ask about."""
    return {**job.reference(), "jobId": ""}


async def _run_unregistered(call: Call, job: Job) -> None:
    """Do a dry run here and now: it is no job that anyone can ask about."""
    await asyncio.to_thread(call.engine.runner.run, job, call.engine.query_jobs.run)
    if job.error is not None:
        raise job.error


async def query(call: Call) -> dict[str, Any] | Later:
    if "query" not in call.body:
        raise ApiError("required", "Required parameter is missing: query", location="query")
    _check_form(call)
    job = call.engine.requests.job(call.path["project"], call.body.get("requestId"))
    if job is None:
        job = _query_job(call)
        if job.configuration.get("dryRun"):
            await _run_unregistered(call, job)
            return _query_response(call, job, with_rows=False) | {"jobReference": _dry_reference(job)}
        call.engine.requests.remember(job, call.body.get("requestId"))
        call.engine.runner.submit(job)
    await wait_for(job, _timeout(call.body.get("timeoutMs")))
    if job.error is not None:
        raise job.error
    return partial(_query_response, call, job, with_rows=True)


def _check_form(call: Call) -> None:
    """Raises ApiError, before anything is run, for rows in a form or number that is not served."""
    wants_int64(call)
    if int(call.body.get("maxResults", 0)) < 0:
        raise invalid(f"Invalid value at 'maxResults' (TYPE_UINT32), {call.body['maxResults']}", "maxResults")
    form = call.body.get("queryResultsFormat", "STRUCT_ENCODING")
    if form not in {"STRUCT_ENCODING", "QUERY_RESULTS_FORMAT_UNSPECIFIED"}:
        raise unsupported(f"queryResultsFormat {form}")


_INT32 = {"load": ("skipLeadingRows", "maxBadRecords")}
"""Members that are numbers in an answer, as whichever a client sends them; others are texts of whole numbers."""


def _with_numbers(configuration: dict[str, Any]) -> dict[str, Any]:
    changed = {}
    for kind in _INT32.keys() & configuration.keys():
        given = configuration[kind]
        texts = {name: given[name] for name in _INT32[kind] if isinstance(given.get(name), str)}
        try:
            changed[kind] = given | {name: int(text) for name, text in texts.items()}
        except ValueError as error:
            raise invalid(f"Invalid value at 'job.configuration.{kind}': {error}") from error
    return configuration | changed


_JOB_MEMBERS = ("labels", "dryRun", "jobTimeoutMs", "reservation")
_RESPONSE_MEMBERS = {"kind", "maxResults", "timeoutMs", "requestId", "location", "formatOptions", "jobCreationMode",
                     "queryResultsFormat", "arrowSerializationOptions"}  # fmt: skip


def _query_job(call: Call) -> Job:
    given = {name: value for name, value in call.body.items() if name not in _RESPONSE_MEMBERS}
    configuration = {name: given.pop(name) for name in _JOB_MEMBERS if name in given}
    # The REST default is legacy SQL; no client in use relies on it, and the emulator has only GoogleSQL.
    job = new_job(call, {"configuration": {**configuration, "query": given}})
    job.location = call.body.get("location") or job.location
    return job


def _query_response(call: Call, job: Job, *, with_rows: bool) -> dict[str, Any]:
    limit = call.body.get("maxResults")
    return _results(call, job, _QUERY_RESPONSE, int(limit) if limit is not None else None, with_rows)


async def get_query_results(call: Call) -> Later:
    job = _find(call)
    if job.kind != "query":
        raise invalid(f"Job {job.job_id} is not a query job.")
    await wait_for(job, _timeout(call.query.get("timeoutMs")))
    if job.error is not None:
        raise job.error
    return partial(_results, call, job, "bigquery#getQueryResultsResponse", call.integer("maxResults"), True)


def _results(call: Call, job: Job, kind: str, limit: int | None, with_rows: bool) -> dict[str, Any]:
    body: dict[str, Any] = {"kind": kind, "jobReference": job.reference(), "jobComplete": job.state == "DONE"}
    if job.state != "DONE":
        return body
    query_statistics = job.statistics.get("query", {})
    result = job.result or NoRows([])
    body |= {
        "schema": {"fields": result.schema},
        "totalBytesProcessed": job.statistics.get("totalBytesProcessed", "0"),
        "cacheHit": query_statistics.get("cacheHit", False),
        "totalRows": "0",
    }
    if "numDmlAffectedRows" in query_statistics:
        body["numDmlAffectedRows"] = query_statistics["numDmlAffectedRows"]
    body |= _of_the_query(job) if kind == _QUERY_RESPONSE else {"etag": OF_CONTENT}
    if with_rows and result.schema:
        body |= rows_page(call, result, result.schema, limit)
    return body


def _of_the_query(job: Job) -> dict[str, Any]:
    """What jobs.query tells and getQueryResults does not."""
    members = {"queryId": job.job_id}
    if "sessionInfo" in job.statistics:
        members["sessionInfo"] = job.statistics["sessionInfo"]
    if "dmlStats" in job.statistics.get("query", {}):
        members["dmlStats"] = job.statistics["query"]["dmlStats"]
    return members


def get(call: Call) -> dict[str, Any]:
    return _find(call).resource()


_STATES = {"PENDING", "RUNNING", "DONE"}
_NOT_LISTED = {"etag", "selfLink"}
"""Members of a job that jobs.get tells and jobs.list does not."""


def list_jobs(call: Call) -> dict[str, Any]:
    states = {word.upper() for word in call.words("stateFilter")}
    if unknown := states - _STATES:
        raise invalid(f"Invalid value for stateFilter: {', '.join(sorted(unknown))}", "stateFilter")
    parent = call.query.get("parentJobId")
    earliest, latest = call.integer("minCreationTime", 0) or 0, call.integer("maxCreationTime")
    jobs = [
        job
        for job in call.engine.jobs.of_project(call.path["project"])
        if (not states or job.state in states)
        and (job.parent == parent if parent else job.parent is None)
        and earliest <= job.created
        and (latest is None or job.created <= latest)
    ]
    found, more = page(call, jobs)
    full = call.choice("projection", ("MINIMAL", "FULL"), "MINIMAL") == "FULL"
    items = []
    for job in found:
        body = {name: value for name, value in job.resource().items() if name not in _NOT_LISTED}
        body["state"] = job.state
        if "errorResult" in body["status"]:
            body["errorResult"] = body["status"]["errorResult"]
        if not full:
            body["configuration"] = {"jobType": job.kind.upper()} | {job.kind: job.configuration.get(job.kind, {})}
        items.append(body)
    return {"kind": "bigquery#jobList", "etag": OF_CONTENT, "jobs": items, **more}


async def cancel(call: Call) -> dict[str, Any]:
    job = _find(call)
    job.cancel()
    await wait_for(job, 1_000)
    return {"kind": "bigquery#jobCancelResponse", "job": job.resource()}


def delete(call: Call) -> None:
    call.engine.jobs.delete(call.path["project"], _find(call).job_id)


async def wait_for(job: Job, milliseconds: int) -> None:
    """Wait until the job is over, or so long."""
    await asyncio.wait([asyncio.wrap_future(job.done)], timeout=milliseconds / 1000)


def _find(call: Call) -> Job:
    """The job of the path. Raises ApiError `notFound` where there is none, or none at the place that is named."""
    project, job_id, place = call.path["project"], call.path["job"], call.query.get("location")
    job = call.engine.jobs.get(project, job_id)
    if place and place.upper() != job.location.upper():
        raise not_found("Job", f"{project}:{place}.{job_id}")
    return job


def _timeout(value: str | int | None) -> int:
    if value is None:
        return _DEFAULT_TIMEOUT_MS
    try:
        return max(0, min(int(value), _LONGEST_TIMEOUT_MS))
    except ValueError as error:
        raise invalid(f"Invalid value '{value}' for timeoutMs: a whole number is needed.", "timeoutMs") from error
