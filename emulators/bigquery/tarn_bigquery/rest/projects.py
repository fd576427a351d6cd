"""projects.*"""

from typing import Any

from tarn_bigquery.rest.answers import OF_CONTENT
from tarn_bigquery.rest.http import Call
from tarn_bigquery.rest.pages import page


def list_projects(call: Call) -> dict[str, Any]:
    names = sorted({call.engine.settings.project, *call.engine.catalog.projects()})
    found, more = page(call, names)
    projects = [
        {
            "kind": "bigquery#project",
            "id": name,
            "numericId": "0",
            "friendlyName": name,
            "projectReference": {"projectId": name},
        }
        for name in found
    ]
    return {"kind": "bigquery#projectList", "etag": OF_CONTENT, "projects": projects, "totalItems": len(names), **more}


def service_account(call: Call) -> dict[str, Any]:
    email = f"bq-{call.path['project']}@bigquery-encryption.iam.gserviceaccount.com"
    return {"kind": "bigquery#getServiceAccountResponse", "email": email}
