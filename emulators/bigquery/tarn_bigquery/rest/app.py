"""The API's routes: https://cloud.google.com/bigquery/docs/reference/rest"""

from collections.abc import Iterable, Iterator

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Match, Mount, Route

from tarn_bigquery.errors import ApiError, unsupported
from tarn_bigquery.rest import (
    absent,
    batches,
    datasets,
    discovery,
    iam,
    jobs,
    monitoring,
    projects,
    routines,
    tabledata,
    tables,
    uploads,
)
from tarn_bigquery.rest.answers import error_response
from tarn_bigquery.rest.http import Call, Handler, endpoint, waiting_endpoint

_UPLOADS = ("/upload", "/resumable/upload")
_PROJECT = "/projects/{project}"
_DATASET = _PROJECT + "/datasets/{dataset}"
_TABLE = _DATASET + "/tables/{table}"
_ROUTINE = _DATASET + "/routines/{routine}"
_JOB = _PROJECT + "/jobs/{job}"
_POLICIES = _TABLE + "/rowAccessPolicies"
_TEST = ":testIamPermissions"

_UNSUPPORTED = {
    ("POST", _DATASET + ":undelete"): "datasets.undelete",
    ("POST", _TABLE + ":setIamPolicy"): "tables.setIamPolicy",
    ("POST", _ROUTINE + ":setIamPolicy"): "routines.setIamPolicy",
    ("POST", _POLICIES): "rowAccessPolicies.insert",
    ("POST", _POLICIES + ":batchDelete"): "rowAccessPolicies.batchDelete",
    ("PUT", _POLICIES + "/{policy}"): "rowAccessPolicies.update",
    ("POST", _POLICIES + "/{policy}:getIamPolicy"): "rowAccessPolicies.getIamPolicy",
    ("POST", _POLICIES + "/{policy}" + _TEST): "rowAccessPolicies.testIamPermissions",
}
"""Methods of the API that are refused by their names."""


def routes() -> list[BaseRoute]:
    api = list(_api())
    return [
        Route("/healthz", monitoring.health, methods=["GET"]),
        Route("/metrics", monitoring.metrics, methods=["GET"]),
        Mount("/bigquery/v2", routes=api),
        Route("/discovery/v1/apis/bigquery/{version}/rest", endpoint(discovery.document), methods=["GET"]),
        Route("/$discovery/rest", endpoint(discovery.document), methods=["GET"]),
        Route("/batch/bigquery/v2", batches.run, methods=["POST"]),
        Route("/batch", batches.run, methods=["POST"]),
        # The client for Node takes the emulator's address as that of the API itself, without a path.
        *api,
        *(
            Route(f"{prefix}/bigquery/v2/projects/{{project}}/jobs", act, methods=[method])
            for prefix in _UPLOADS
            for method, act in (("POST", uploads.start), ("PUT", uploads.resume), ("DELETE", uploads.cancel))
        ),
    ]


def _api() -> Iterator[Route]:
    at = Route
    yield at("/projects", endpoint(projects.list_projects), methods=["GET"])
    yield at(_PROJECT + "/serviceAccount", endpoint(projects.service_account), methods=["GET"])

    yield at(_PROJECT + "/datasets", endpoint(datasets.list_datasets), methods=["GET"])
    yield at(_PROJECT + "/datasets", endpoint(datasets.insert, "Dataset"), methods=["POST"])
    yield at(_DATASET, endpoint(datasets.get), methods=["GET"])
    yield at(_DATASET, endpoint(datasets.patch, "Dataset"), methods=["PATCH"])
    yield at(_DATASET, endpoint(datasets.put, "Dataset"), methods=["PUT"])
    yield at(_DATASET, endpoint(datasets.delete), methods=["DELETE"])

    yield at(_DATASET + "/tables", endpoint(tables.list_tables), methods=["GET"])
    yield at(_DATASET + "/tables", endpoint(tables.insert, "Table"), methods=["POST"])
    yield at(_TABLE, endpoint(tables.get), methods=["GET"])
    yield at(_TABLE, endpoint(tables.patch, "Table"), methods=["PATCH"])
    yield at(_TABLE, endpoint(tables.put, "Table"), methods=["PUT"])
    yield at(_TABLE, endpoint(tables.delete), methods=["DELETE"])
    yield at(_TABLE + "/data", endpoint(tabledata.list_rows), methods=["GET"])
    yield at(_TABLE + "/insertAll", endpoint(tabledata.insert_all, "TableDataInsertAllRequest"), methods=["POST"])

    yield at(_DATASET + "/routines", endpoint(routines.list_routines), methods=["GET"])
    yield at(_DATASET + "/routines", endpoint(routines.insert, "Routine"), methods=["POST"])
    yield at(_ROUTINE, endpoint(routines.get), methods=["GET"])
    yield at(_ROUTINE, endpoint(routines.put, "Routine"), methods=["PUT"])
    yield at(_ROUTINE, endpoint(routines.delete), methods=["DELETE"])

    yield at(_DATASET + "/models", endpoint(absent.list_models), methods=["GET"])
    yield at(_DATASET + "/models/{model}", endpoint(absent.model), methods=["GET", "PATCH", "DELETE"])
    yield at(_POLICIES, endpoint(absent.list_policies), methods=["GET"])
    yield at(_POLICIES + "/{policy}", endpoint(absent.policy), methods=["GET", "DELETE"])
    yield at(_TABLE + ":getIamPolicy", endpoint(iam.policy_of(tables.get), "GetIamPolicyRequest"), methods=["POST"])
    yield at(_TABLE + _TEST, endpoint(iam.permissions_of(tables.get), "TestIamPermissionsRequest"), methods=["POST"])
    yield at(_ROUTINE + ":getIamPolicy", endpoint(iam.policy_of(routines.get), "GetIamPolicyRequest"), methods=["POST"])
    yield at(
        _ROUTINE + _TEST, endpoint(iam.permissions_of(routines.get), "TestIamPermissionsRequest"), methods=["POST"]
    )
    for (method, path), name in _UNSUPPORTED.items():
        yield at(path, endpoint(_refusal(name)), methods=[method])

    yield at(_PROJECT + "/jobs", endpoint(jobs.list_jobs), methods=["GET"])
    yield at(_PROJECT + "/jobs", waiting_endpoint(jobs.insert, "Job"), methods=["POST"])
    yield at(_JOB, endpoint(jobs.get), methods=["GET"])
    yield at(_JOB + "/cancel", waiting_endpoint(jobs.cancel), methods=["POST"])
    yield at(_JOB + "/delete", endpoint(jobs.delete), methods=["DELETE"])
    yield at(_PROJECT + "/queries", waiting_endpoint(jobs.query, "QueryRequest"), methods=["POST"])
    yield at(_PROJECT + "/queries/{job}", waiting_endpoint(jobs.get_query_results), methods=["GET"])


def _refusal(name: str) -> Handler:
    def refuse(call: Call) -> None:
        raise unsupported(f"the method {name}")

    return refuse


async def no_such_method(request: Request, _: Exception) -> Response:
    """The answer where no route fits: 405 where the path is known with other methods, or else 404."""
    path = request.url.path
    allowed = sorted(_methods(request.app.routes, path))
    if not allowed:
        return error_response(ApiError("notFound", f"The emulator has no method {request.method} {path}."))
    if request.method == "OPTIONS":
        return Response(status_code=204, headers={"Allow": ", ".join(allowed)})
    refusal = error_response(ApiError("methodNotAllowed", f"{path} has no method {request.method}."))
    refusal.headers["Allow"] = ", ".join(allowed)
    return refusal


def _methods(routes: Iterable[BaseRoute], path: str) -> set[str]:
    """The HTTP methods that a path has."""
    found: set[str] = set()
    for route in routes:
        match, child = route.matches({"type": "http", "path": path, "method": "", "root_path": ""})
        if match == Match.NONE:
            continue
        if isinstance(route, Mount):
            found |= _methods(route.routes, path.removeprefix(child["root_path"]))
        elif isinstance(route, Route):
            found |= route.methods or set()
    return found
