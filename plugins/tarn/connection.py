"""An Airflow connection to Google as the environment gives it, read without Airflow: ``AIRFLOW_CONN_<ID>``.

Its forms: https://airflow.apache.org/docs/apache-airflow-providers-google/stable/connections/gcp.html
"""

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tarn.errors import CredentialsMissing

OLD_PREFIX = "extra__google_cloud_platform__"


def connection_key_file(name: str) -> Path | None:
    """The key file that a connection names; None where there is no such variable, or the connection has no key.

    Raises CredentialsMissing where the variable cannot be read, or holds the key itself.
    """
    variable = f"AIRFLOW_CONN_{name.upper()}"
    extra = _extra(variable)
    if extra.get("keyfile_dict"):
        raise CredentialsMissing(
            f"{variable} holds a key itself, which other programs than Airflow cannot use: keep the key in a file and"
            " give its path as key_path."
        )
    return Path(extra["key_path"]) if extra.get("key_path") else None


def _extra(variable: str) -> dict[str, Any]:
    text = os.environ.get(variable, "").strip()
    try:
        given = json.loads(text).get("extra") or {} if text.startswith("{") else dict(parse_qsl(urlsplit(text).query))
        found = json.loads(given) if isinstance(given, str) else given
        return {key.removeprefix(OLD_PREFIX): value for key, value in found.items()}
    except (ValueError, AttributeError):
        raise CredentialsMissing(f"{variable} is no connection of Airflow's: neither JSON nor a URI.") from None
