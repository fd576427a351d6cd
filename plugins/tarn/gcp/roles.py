"""What the lake's account must be allowed on Google Cloud, and the least roles that allow it.

``deploy/terraform`` grants these roles, ``docs/gcp.md`` lists them and ``tarn doctor`` asks for each permission; a test
holds the three together. Which role has which permission: https://cloud.google.com/iam/docs/roles-permissions
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import yaml

from tarn.settings import Settings

APIS = (
    "bigquery.googleapis.com",
    "cloudresourcemanager.googleapis.com",
    "serviceusage.googleapis.com",
    "storage.googleapis.com",
)
"""The APIs that must be enabled: the first and the last for the lake, the others for ``tarn doctor``."""


class Scope(StrEnum):
    """What a role is granted on."""

    PROJECT = "project"
    BUCKET = "bucket"
    DATASET = "dataset"


@dataclass(frozen=True)
class Role:
    """A role, and of its permissions those that the lake uses."""

    name: str
    scope: Scope
    permissions: tuple[str, ...]
    purpose: str


ROLES = (
    Role("roles/bigquery.jobUser", Scope.PROJECT, ("bigquery.jobs.create",), "run queries and loads"),
    Role(
        "roles/serviceusage.serviceUsageViewer",
        Scope.PROJECT,
        ("serviceusage.services.get",),
        "see which APIs are enabled",
    ),
    Role(
        "roles/storage.objectUser",
        Scope.BUCKET,
        ("storage.objects.create", "storage.objects.delete", "storage.objects.get", "storage.objects.list"),
        "replace a partition's objects, keep task logs, read the objects of external tables",
    ),
    Role(
        "roles/storage.legacyBucketReader",
        Scope.BUCKET,
        ("storage.buckets.get",),
        "find the bucket, as external tables must",
    ),
    Role(
        "roles/bigquery.dataEditor",
        Scope.DATASET,
        (
            "bigquery.datasets.get",
            "bigquery.tables.create",
            "bigquery.tables.delete",
            "bigquery.tables.get",
            "bigquery.tables.getData",
            "bigquery.tables.list",
            "bigquery.tables.update",
            "bigquery.tables.updateData",
        ),
        "make external tables and marts, and read them",
    ),
)


def permissions_on(scope: Scope) -> dict[str, str]:
    """Each permission that is needed on a kind of resource, with the role that gives it."""
    return {permission: role.name for role in ROLES if role.scope is scope for permission in role.permissions}


def lake_datasets(settings: Settings) -> list[str]:
    """The BigQuery datasets of the lake: the external tables', and each that dbt's project builds into."""
    project = yaml.safe_load((settings.dbt_folder / "dbt_project.yml").read_text(encoding="utf-8"))
    schemas = sorted(set(_schemas(project)))
    marts = [settings.marts_dataset, *(f"{settings.marts_dataset}_{schema}" for schema in schemas)]
    return [settings.lake_dataset, *marts]


def _schemas(node: Any) -> Iterator[str]:
    for name, value in node.items() if isinstance(node, dict) else ():
        if name in {"+schema", "schema"} and isinstance(value, str):
            yield value
        else:
            yield from _schemas(value)
