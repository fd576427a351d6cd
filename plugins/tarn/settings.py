"""Every setting of Tarn, read from ``TARN_*`` environment variables; nothing else decides a name, port or folder."""

import json
import os
import re
from enum import StrEnum
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import Field, PositiveFloat, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from tarn.connection import connection_key_file
from tarn.errors import TarnError

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

CHECKOUT = Path(__file__).resolve().parents[2]
LOCAL_PROJECT = "tarn-local"
OWN_CONNECTION = "google_cloud_default"

# https://cloud.google.com/storage/docs/buckets#naming, without dots: those need a domain of one's own
BUCKET_NAME = r"^[a-z0-9][a-z0-9_\-]{1,61}[a-z0-9]$"
STAGING_BUCKET = re.compile(rf"gs://(?P<bucket>{BUCKET_NAME.strip('^$')})(/(?P<prefix>[^?#*]*))?")
# https://cloud.google.com/bigquery/docs/datasets#dataset-naming
DATASET_NAME = r"^[A-Za-z0-9_]{1,1024}$"
# https://cloud.google.com/bigquery/docs/labels-intro#requirements
LABEL = re.compile(r"([a-z][a-z0-9_\-]{0,62})=([a-z0-9_\-]{0,63})")


class Target(StrEnum):
    """Where the lake lives."""

    LOCAL = "local"
    GCP = "gcp"


class LogFormat(StrEnum):
    """How a line of a log is written."""

    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """What the lake is called, where it keeps things and whom it talks to."""

    model_config = SettingsConfigDict(env_prefix="TARN_", frozen=True, extra="ignore")

    target: Target = Field(Target.LOCAL, description="local: the emulators; gcp: Google Cloud")
    project: str = Field(
        LOCAL_PROJECT, description="Google Cloud project; on gcp GOOGLE_CLOUD_PROJECT's or the key's by default"
    )
    bucket: str = Field(
        "tarn-lake", pattern=BUCKET_NAME, description="bucket of the lake; on gcp PROJECT-lake by default"
    )
    labels: str = Field("", description="labels of all that the lake makes, such as team=data,env=prod")
    location: str = Field("US", description="location of the bucket and the BigQuery datasets")
    lake_dataset: str = Field("lake", pattern=DATASET_NAME, description="BigQuery dataset of the external tables")
    marts_dataset: str = Field("marts", pattern=DATASET_NAME, description="BigQuery dataset of dbt's models")
    credentials: Path = Field(
        CHECKOUT / "credentials", description="folder whose one *.json file is the service account's key on gcp"
    )
    connection: str = Field(
        OWN_CONNECTION,
        pattern=r"^\w+$",
        description="Airflow's connection to Google; one of your own is left as it is",
    )
    remote_logs: bool | None = Field(
        None, description="keep Airflow's task logs in the lake's bucket; by default on gcp only"
    )
    log_format: LogFormat = Field(LogFormat.TEXT, description="text, or json: one JSON object a line")
    otlp: str | None = Field(
        None, pattern=r"^https?://", description="address of the OpenTelemetry receiver that Airflow's metrics go to"
    )

    publishers: str = Field("offline", description="offline, live, or the address of a server with the same files")
    sources: dict[str, str] = Field(
        default_factory=dict,
        description='which of its sources to ask for a dataset, such as {"collisions_history": "export"}',
    )
    rate_limits: dict[str, PositiveFloat] = Field(
        default_factory=dict, description='requests a minute by publisher, such as {"coingecko": 10}'
    )
    sample_rows: int = Field(
        600_000,
        gt=0,
        description="rows of the offline publishers' March 2019; other months keep their proportion to it",
    )

    root: Path = Field(CHECKOUT, description="folder that holds datasets/, dags/, plugins/ and dbt/")
    home: Path = Field(CHECKOUT / ".tarn", description="folder of all state: staging, the local cloud, Airflow, logs")

    staging: str = Field(
        "",
        description="where the steps keep their files: a folder, or gs://BUCKET/PREFIX for tasks on several machines;"
        " `staging` under `TARN_HOME` by default",
    )

    host: str = Field("127.0.0.1", description="address that the local servers bind to")
    airflow_port: int = Field(8080, ge=1, le=65535, description="port of Airflow's UI and API")
    bigquery_port: int = Field(9050, ge=1, le=65535, description="port of the local BigQuery")
    gcs_port: int = Field(4443, ge=1, le=65535, description="port of the local GCS")
    publishers_port: int = Field(8070, ge=1, le=65535, description="port of the offline publishers")
    docs_port: int = Field(8081, ge=1, le=65535, description="port of dbt's docs")
    gcs_endpoint: str | None = Field(
        None, description="address of another GCS server, such as fake-gcs-server, instead of the embedded one"
    )
    bigquery_endpoint: str | None = Field(None, description="address of another BigQuery server")

    @field_validator("gcs_endpoint", "bigquery_endpoint")
    @classmethod
    def _address_ends_without_slash(cls, address: str | None) -> str | None:
        return address.rstrip("/") if address else None

    @field_validator("staging")
    @classmethod
    def _staging_is_a_folder_or_in_a_bucket(cls, uri: str) -> str:
        if "://" in uri and not STAGING_BUCKET.fullmatch(uri):
            raise ValueError("it must be a folder, or gs://BUCKET/PREFIX")
        return uri.rstrip("/")

    @field_validator("labels")
    @classmethod
    def _labels_are_of_google_s_form(cls, text: str) -> str:
        for part in filter(None, text.split(",")):
            if not LABEL.fullmatch(part):
                raise ValueError(
                    f"{part!r} is no label: KEY=VALUE of lower-case letters, digits, - and _, at most 63 each"
                )
        return text

    @model_validator(mode="before")
    @classmethod
    def _gcp_names_are_ones_own(cls, given: dict[str, Any]) -> dict[str, Any]:
        if given.get("target") != Target.GCP:
            return given
        project = given.get("project") or _project_of_the_environment(given.get("credentials"))
        if not project:
            raise ValueError("TARN_TARGET=gcp needs TARN_PROJECT: the name of your own project")
        return {"bucket": f"{project}-lake"} | given | {"project": project}

    @property
    def datasets_folder(self) -> Path:
        """Folder of the datasets' YAML files."""
        return self.root / "datasets"

    @property
    def dbt_folder(self) -> Path:
        """Folder of the dbt project and its profiles."""
        return self.root / "dbt"

    @property
    def staging_folder(self) -> Path:
        """Folder of the steps' durable files, where they do not lie in a bucket."""
        return self.home / "staging" if self.staging_bucket or not self.staging else Path(self.staging)

    @property
    def staging_bucket(self) -> tuple[str, str] | None:
        """Bucket of the steps' durable files and the start of their names there; None where they lie in a folder."""
        place = STAGING_BUCKET.fullmatch(self.staging)
        return (place["bucket"], place["prefix"] or "") if place else None

    @property
    def resource_labels(self) -> dict[str, str]:
        """The labels of whatever the lake makes: buckets, datasets, tables and jobs."""
        return {"managed-by": "tarn"} | dict(part.split("=") for part in self.labels.split(",") if part)

    @property
    def airflow_connection(self) -> str:
        """Airflow's connection to Google that tasks use: a local server has no need of one's own."""
        return self.connection if self.target is Target.GCP else OWN_CONNECTION

    @property
    def remote_log_folder(self) -> str:
        """Where in the bucket Airflow's task logs are."""
        return f"gs://{self.bucket}/logs"

    @property
    def keeps_remote_logs(self) -> bool:
        """Whether Airflow's task logs go to the lake's bucket."""
        return self.target is Target.GCP if self.remote_logs is None else self.remote_logs

    @property
    def gcs_url(self) -> str | None:
        """Address of the GCS server; None is Google's own."""
        if self.target is Target.GCP:
            return None
        return self.gcs_endpoint or f"http://{self.host}:{self.gcs_port}"

    @property
    def bigquery_url(self) -> str | None:
        """Address of the BigQuery server; None is Google's own."""
        if self.target is Target.GCP:
            return None
        return self.bigquery_endpoint or f"http://{self.host}:{self.bigquery_port}"

    @property
    def publishers_url(self) -> str | None:
        """Address of the publishers' stand-in; None where the live publishers are asked."""
        match self.publishers:
            case "live":
                return None
            case "offline":
                return f"http://{self.host}:{self.publishers_port}"
            case address:
                return address.rstrip("/")

    @property
    def key_file(self) -> Path | None:
        """The service account's key on gcp: the one in ``credentials/``, or the one that TARN_CONNECTION names.

        Raises TarnError where there are several, CredentialsMissing where the connection cannot be read.
        """
        if self.target is Target.LOCAL:
            return None
        keys = sorted(self.credentials.glob("*.json"))
        if len(keys) > 1:
            names = ", ".join(key.name for key in keys)
            raise TarnError(f"{self.credentials} holds {len(keys)} keys ({names}): leave the one to use.")
        return keys[0] if keys else connection_key_file(self.connection)

    def environment(self) -> dict[str, str]:
        """The variables that lead Google's own clients, Airflow and dbt to the same cloud as these settings."""
        values = {name: getattr(self, name) for name in self.model_fields_set}
        given = {f"TARN_{name.upper()}": _as_variable(value) for name, value in values.items() if value is not None}
        cloud = {"GOOGLE_CLOUD_PROJECT": self.project}
        if self.gcs_url:
            cloud["STORAGE_EMULATOR_HOST"] = self.gcs_url
        if self.bigquery_url:
            cloud["BIGQUERY_EMULATOR_HOST"] = self.bigquery_url
        if self.key_file:
            cloud["GOOGLE_APPLICATION_CREDENTIALS"] = str(self.key_file)
        return given | cloud


def _as_variable(value: Any) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def read_settings(target: Target | None = None) -> Settings:
    """Read the settings from the environment, for another target than its own where one is named.

    Raises TarnError naming each variable that is wrong.
    """
    try:
        return Settings(target=target) if target else Settings()
    except ValidationError as error:
        raise TarnError("\n".join(_complaint(problem) for problem in error.errors())) from None


@lru_cache(maxsize=1)
def _cached(_environment: tuple[tuple[str, str], ...]) -> Settings:
    return read_settings()


def current_settings() -> Settings:
    """The settings of this process, read again only when a ``TARN_*`` variable has changed."""
    return _cached(tuple(sorted((k, v) for k, v in os.environ.items() if k.startswith("TARN_"))))


def _project_of_the_environment(credentials: Any) -> str | None:
    named = os.environ.get("GOOGLE_CLOUD_PROJECT")
    # `tarn environment` of a local lake may have left its own project's name in the shell.
    if named and named != LOCAL_PROJECT:
        return named
    keys = list(Path(credentials or CHECKOUT / "credentials").glob("*.json"))
    try:
        return str(json.loads(keys[0].read_bytes())["project_id"]) if len(keys) == 1 else None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _complaint(problem: "ErrorDetails") -> str:
    reason = problem["msg"].removeprefix("Value error, ")
    if not problem["loc"]:
        return reason
    name = f"TARN_{str(problem['loc'][0]).upper()}"
    return f"{name}={problem['input']!r} is wrong: {reason}."
