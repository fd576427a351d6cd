"""Who the lake is on Google Cloud: a key of its own, a connection of Airflow's, or what the machine has."""

import json
import os
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.oauth2 import service_account

from tarn.errors import CredentialsMissing
from tarn.settings import Settings

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)
OWN_CONNECTION = "google_cloud_default"


@dataclass(frozen=True)
class Identity:
    """Credentials, and who they are for people: never a secret."""

    credentials: Credentials
    description: str


def find_identity(settings: Settings) -> Identity:
    """The identity that the settings lead to.

    Looked for in this order: the key in ``credentials/``; the Airflow connection of TARN_CONNECTION, where it is a
    variable of the environment; the default credentials of the machine, which workload identity gives too. Raises
    CredentialsMissing telling what to do.
    """
    if settings.key_file:
        return _of_key(str(settings.key_file))
    extra = _connection(settings.connection)
    if key_file := extra.get("key_path"):
        return _of_key(str(key_file))
    if key := extra.get("keyfile_dict"):
        return _of_key_content(key, f"the connection {settings.connection}")
    try:
        credentials, _ = google.auth.default(scopes=SCOPES)
    except DefaultCredentialsError:
        raise CredentialsMissing(
            f"There are no credentials for Google Cloud: put a service account's key (*.json) into"
            f" {settings.credentials}, run `gcloud auth application-default login`, or give the machine a service"
            " account (workload identity)."
        ) from None
    except GoogleAuthError as error:
        raise CredentialsMissing(f"The machine's default credentials cannot be used: {error}.") from None
    return Identity(credentials, _describe(credentials, "the machine's default credentials"))


def _of_key(path: str) -> Identity:
    try:
        credentials = service_account.Credentials.from_service_account_file(path, scopes=SCOPES)
    except (OSError, ValueError, KeyError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no service account's key"
        raise CredentialsMissing(f"{path} cannot be used: {reason}. Make a new key, or take the file away.") from None
    return Identity(credentials, _describe(credentials, path))


def _of_key_content(key: Any, source: str) -> Identity:
    try:
        content = json.loads(key) if isinstance(key, str) else key
        credentials = service_account.Credentials.from_service_account_info(content, scopes=SCOPES)
    except (ValueError, KeyError, TypeError):
        raise CredentialsMissing(f"The key in {source} is no service account's key.") from None
    return Identity(credentials, _describe(credentials, source))


def _connection(name: str) -> dict[str, Any]:
    """The extras of a connection that the environment gives, as JSON or as a URI; of any other, nothing."""
    text = os.environ.get(f"AIRFLOW_CONN_{name.upper()}", "")
    try:
        given = json.loads(text).get("extra", {}) if text.startswith("{") else dict(parse_qsl(urlsplit(text).query))
        found = json.loads(given) if isinstance(given, str) else given
    except ValueError:
        raise CredentialsMissing(f"AIRFLOW_CONN_{name.upper()} is neither JSON nor a URI.") from None
    return {key.removeprefix("extra__google_cloud_platform__"): value for key, value in found.items()}


def _describe(credentials: Credentials, source: str) -> str:
    account = getattr(credentials, "service_account_email", None)
    return f"{account} ({source})" if account and account != "default" else source
