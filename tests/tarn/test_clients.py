"""Whom the clients of Cloud Storage and BigQuery talk to, and as whom."""

import asyncio
import json
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from google.auth.credentials import AnonymousCredentials

from tarn import gcs
from tarn.bigquery import bigquery_client
from tarn.settings import Settings, Target

ACCOUNT = "lake@my-project.iam.gserviceaccount.com"


@pytest.fixture
def on_gcp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A lake on Google Cloud with a key of its own, in a shell that still points at the local cloud."""
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "http://127.0.0.1:4443")
    monkeypatch.setenv("BIGQUERY_EMULATOR_HOST", "http://127.0.0.1:9050")
    private = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    key = {
        "type": "service_account",
        "project_id": "my-project",
        "private_key_id": "1",
        "private_key": private.decode(),
        "client_email": ACCOUNT,
        "token_uri": "https://oauth2.googleapis.com/token",
    }
    (tmp_path / "key.json").write_text(json.dumps(key))
    return Settings(target=Target.GCP, project="my-project", bucket="my-bucket", credentials=tmp_path)


def storage_client_of(settings: Settings) -> gcs._Client:
    async def client() -> gcs._Client:
        async with gcs.open_bucket(settings) as bucket:
            return bucket._client

    return asyncio.run(client())


def test_on_gcp_storage_is_google_s_with_the_key(on_gcp: Settings) -> None:
    client = storage_client_of(on_gcp)
    assert client._api_root == "https://storage.googleapis.com"
    assert not client._api_is_dev
    assert client.token.service_data["client_email"] == ACCOUNT


def test_on_gcp_bigquery_is_google_s_with_the_key(on_gcp: Settings) -> None:
    client = bigquery_client(on_gcp)
    assert client._connection.API_BASE_URL == "https://bigquery.googleapis.com"
    assert client._credentials.service_account_email == ACCOUNT
    assert client.project == "my-project"


def test_locally_no_credentials_are_looked_for(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(tmp_path / "no such key.json"))
    client = storage_client_of(settings)
    assert client._api_root == settings.gcs_url
    assert asyncio.run(client._headers()) == {}
    assert isinstance(bigquery_client(settings)._credentials, AnonymousCredentials)
    assert settings.bigquery_url == bigquery_client(settings)._connection.API_BASE_URL


def test_an_address_may_end_with_a_slash() -> None:
    settings = Settings(gcs_endpoint="http://gcs:4443/", bigquery_endpoint="http://bigquery:9050/")
    assert storage_client_of(settings)._api_root == "http://gcs:4443"
    assert bigquery_client(settings)._connection.API_BASE_URL == "http://bigquery:9050"
