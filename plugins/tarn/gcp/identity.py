"""Who the lake is on Google Cloud: a key of its own, a connection of Airflow's, or what the machine has."""

from dataclasses import dataclass

import google.auth
from google.auth.credentials import Credentials
from google.auth.exceptions import DefaultCredentialsError, GoogleAuthError
from google.oauth2 import service_account

from tarn.errors import CredentialsMissing
from tarn.settings import Settings

SCOPES = ("https://www.googleapis.com/auth/cloud-platform",)


@dataclass(frozen=True)
class Identity:
    """Credentials, and who they are for people: never a secret."""

    credentials: Credentials
    description: str


def find_identity(settings: Settings) -> Identity:
    """The identity that the settings lead to.

    Looked for in this order: the key in ``credentials/``; the key of the Airflow connection that TARN_CONNECTION names;
    the default credentials of the machine, which workload identity gives too. Raises CredentialsMissing telling what to
    do.
    """
    if settings.key_file:
        return _of_key(str(settings.key_file))
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


def _describe(credentials: Credentials, source: str) -> str:
    account = getattr(credentials, "service_account_email", None)
    return f"{account} ({source})" if account and account != "default" else source
