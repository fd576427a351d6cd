"""Whether a project of Google Cloud is ready for the lake, asked of Google itself.

Asked are, each with its own endpoint: Service Usage for the APIs, Resource Manager, Cloud Storage and BigQuery for the
permissions (``testIamPermissions``). Nothing is made, changed or charged.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import requests
from google.auth.exceptions import GoogleAuthError, RefreshError, TransportError
from google.auth.transport.requests import AuthorizedSession

from tarn.errors import CredentialsMissing
from tarn.finding import Finding
from tarn.gcp.identity import Identity, find_identity
from tarn.gcp.roles import APIS, Scope, lake_datasets, permissions_on
from tarn.settings import Settings

SECONDS = 20


@dataclass(frozen=True)
class Endpoints:
    """Where Google's APIs are."""

    service_usage: str = "https://serviceusage.googleapis.com"
    resource_manager: str = "https://cloudresourcemanager.googleapis.com"
    storage: str = "https://storage.googleapis.com"
    bigquery: str = "https://bigquery.googleapis.com"


class _Refused(Exception):
    """Google answered with an error."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def examine_gcp(settings: Settings, endpoints: Endpoints = Endpoints()) -> Iterator[Finding]:
    """Credentials, APIs, bucket, datasets and each needed permission, the most basic first.

    Ends early where there are no credentials or no network: all else would only fail too.
    """
    try:
        identity = find_identity(settings)
    except CredentialsMissing as error:
        yield Finding("credentials", "not usable", str(error))
        return
    yield Finding("credentials", identity.description)
    examination = _Examination(settings, endpoints, identity)
    try:
        yield from examination.findings()
    except RefreshError as error:
        yield Finding("credentials", f"Google refuses them: {_first_words(error)}", "make a new key, or log in again")
    except (requests.RequestException, TransportError) as error:
        host = getattr(getattr(error, "request", None), "url", None) or "Google"
        yield Finding("network", f"{host} does not answer", "see that this machine reaches *.googleapis.com")
    except GoogleAuthError as error:
        yield Finding("credentials", f"not usable: {_first_words(error)}", "make a new key, or log in again")


class _Examination:
    def __init__(self, settings: Settings, endpoints: Endpoints, identity: Identity) -> None:
        self._settings = settings
        self._endpoints = endpoints
        self._identity = identity
        self._session = AuthorizedSession(identity.credentials)

    def findings(self) -> Iterator[Finding]:
        yield from self._apis()
        yield from self._project()
        yield from self._bucket()
        for dataset in lake_datasets(self._settings):
            yield from self._dataset(dataset)

    def _apis(self) -> Iterator[Finding]:
        names = [f"projects/{self._settings.project}/services/{api}" for api in APIS]
        url = f"{self._endpoints.service_usage}/v1/projects/{self._settings.project}/services:batchGet"
        try:
            answer = self._ask("GET", url, params={"names": names})
        except _Refused as error:
            grant = _grant("serviceusage.services.get", "roles/serviceusage.serviceUsageViewer", "the project")
            yield Finding("APIs", f"cannot be told: {error}", grant)
            return
        enabled = {one["name"].rpartition("/")[2] for one in answer.get("services", []) if one["state"] == "ENABLED"}
        for api in APIS:
            remedy = f"gcloud services enable {api} --project {self._settings.project}"
            yield Finding("API", f"{api} is on") if api in enabled else Finding("API", f"{api} is off", remedy)

    def _project(self) -> Iterator[Finding]:
        project = self._settings.project
        url = f"{self._endpoints.resource_manager}/v1/projects/{project}:testIamPermissions"
        yield from self._permissions(f"project {project}", Scope.PROJECT, url)

    def _bucket(self) -> Iterator[Finding]:
        name = self._settings.bucket
        subject = f"bucket {name}"
        url = f"{self._endpoints.storage}/storage/v1/b/{name}"
        try:
            bucket = self._ask("GET", url)
        except _Refused as error:
            yield _missing(subject, error, f"make it in {self._settings.location} with deploy/terraform")
            if error.status == HTTPStatus.NOT_FOUND:
                return
        else:
            yield self._location(subject, bucket.get("location", ""))
        needed = permissions_on(Scope.BUCKET)
        try:
            answer = self._ask("GET", f"{url}/iam/testPermissions", params={"permissions": list(needed)})
        except _Refused as error:
            yield Finding(subject, f"its permissions cannot be told: {error}", "see the name of the bucket")
            return
        yield from self._judged(subject, needed, answer.get("permissions", []))

    def _dataset(self, name: str) -> Iterator[Finding]:
        subject = f"dataset {name}"
        url = f"{self._endpoints.bigquery}/bigquery/v2/projects/{self._settings.project}/datasets/{name}"
        try:
            dataset = self._ask("GET", url)
        except _Refused as error:
            yield _missing(subject, error, f"make it in {self._settings.location} with deploy/terraform")
            return
        yield self._location(subject, dataset.get("location", ""))
        yield from self._may_create(name, subject)
        # A dataset itself cannot be asked for permissions; a table of it can, and answers for the others too.
        for table in self._tables(url):
            yield from self._permissions(subject, Scope.DATASET, f"{url}/tables/{table}:testIamPermissions")

    def _may_create(self, name: str, subject: str) -> Iterator[Finding]:
        """Whether a table could be made: a dry run makes nothing, but is refused as the statement itself would be."""
        statement = f"CREATE TABLE `{self._settings.project}.{name}.tarn_doctor` (x INT64)"
        job = {
            "jobReference": {"projectId": self._settings.project, "location": self._settings.location},
            "configuration": {"dryRun": True, "query": {"query": statement, "useLegacySql": False}},
        }
        url = f"{self._endpoints.bigquery}/bigquery/v2/projects/{self._settings.project}/jobs"
        try:
            self._ask("POST", url, json=job)
        except _Refused as error:
            grant = _grant("bigquery.tables.create", "roles/bigquery.dataEditor", subject)
            yield Finding(subject, f"no table may be made in it: {error}", grant)
        else:
            yield Finding(subject, "tables may be made in it")

    def _tables(self, url: str) -> list[str]:
        """The name of one of a dataset's tables, or nothing."""
        try:
            found = self._ask("GET", f"{url}/tables", params={"maxResults": 1}).get("tables", [])
        except _Refused:
            return []
        return [one["tableReference"]["tableId"] for one in found]

    def _permissions(self, subject: str, scope: Scope, url: str) -> Iterator[Finding]:
        needed = {name: role for name, role in permissions_on(scope).items() if name not in OF_DATASETS_ALONE}
        try:
            answer = self._ask("POST", url, json={"permissions": list(needed)})
        except _Refused as error:
            yield Finding(subject, f"its permissions cannot be told: {error}", "see the name, and that the API is on")
            return
        yield from self._judged(subject, needed, answer.get("permissions", []))

    def _judged(self, subject: str, needed: Mapping[str, str], given: Iterable[str]) -> Iterator[Finding]:
        held = set(given) & needed.keys()
        if held == needed.keys():
            yield Finding(subject, f"all {len(needed)} permissions are held")
            return
        for permission in sorted(needed.keys() - held):
            yield Finding(subject, f"{permission} is not held", _grant(permission, needed[permission], subject))

    def _location(self, subject: str, location: str) -> Finding:
        if location.lower() == self._settings.location.lower():
            return Finding(subject, f"lies in {location}")
        remedy = f"set TARN_LOCATION={location}, or another name: bucket and datasets must lie together"
        return Finding(
            subject, f"lies in {location or 'an unknown place'}, the lake in {self._settings.location}", remedy
        )

    def _ask(self, method: str, url: str, **options: Any) -> dict[str, Any]:
        answer = self._session.request(method, url, timeout=SECONDS, **options)
        if answer.ok:
            resource: dict[str, Any] = answer.json()
            return resource
        raise _Refused(answer.status_code, f"{answer.status_code} {_message_of(answer)}")


OF_DATASETS_ALONE = frozenset({"bigquery.datasets.get", "bigquery.tables.create", "bigquery.tables.list"})
"""Permissions that a table cannot be asked for: a dataset shows them by what it answers."""


def _missing(subject: str, error: _Refused, remedy: str) -> Finding:
    if error.status == HTTPStatus.NOT_FOUND:
        return Finding(subject, "does not exist", remedy)
    return Finding(subject, f"cannot be seen: {error}", "grant the roles of docs/gcp.md, or correct the name")


def _grant(permission: str, role: str, subject: str) -> str:
    return f"grant {role} on {subject}, which gives {permission}"


def _message_of(answer: requests.Response) -> str:
    try:
        return " ".join(str(answer.json()["error"]["message"]).split())[:200]
    except (ValueError, KeyError, TypeError):
        return answer.reason


def _first_words(error: Exception) -> str:
    # Only the first argument: a later one may carry the token server's whole answer.
    return " ".join(str(error.args[0] if error.args else error).split())[:200]
