from pathlib import Path

import pytest

from tarn.errors import TarnError
from tarn.settings import Settings, current_settings, read_settings


def test_the_local_lake_needs_no_setting() -> None:
    settings = Settings()
    assert settings.gcs_url == f"http://127.0.0.1:{settings.gcs_port}"
    assert settings.bigquery_url == f"http://127.0.0.1:{settings.bigquery_port}"
    assert settings.publishers_url == f"http://127.0.0.1:{settings.publishers_port}"
    assert settings.key_file is None


def test_what_is_given_as_nothing_is_not_handed_on() -> None:
    assert "TARN_GCS_ENDPOINT" not in Settings(gcs_endpoint=None).environment()


def test_a_wrong_variable_is_told_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARN_GCS_PORT", "70000")
    monkeypatch.setenv("TARN_TARGET", "aws")
    with pytest.raises(TarnError) as error:
        read_settings()
    assert "TARN_GCS_PORT='70000' is wrong" in str(error.value)
    assert "TARN_TARGET='aws' is wrong" in str(error.value)


def test_gcp_needs_a_project_of_ones_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("TARN_TARGET", "gcp")
    monkeypatch.setenv("TARN_CREDENTIALS", str(tmp_path))
    monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "tarn-local")
    with pytest.raises(TarnError, match="needs TARN_PROJECT"):
        read_settings()


@pytest.mark.parametrize("source", ["setting", "environment", "key"])
def test_on_gcp_the_project_is_found_and_names_the_bucket(
    source: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("GOOGLE_CLOUD_PROJECT", raising=False)
    monkeypatch.setenv("TARN_TARGET", "gcp")
    monkeypatch.setenv("TARN_CREDENTIALS", str(tmp_path))
    match source:
        case "setting":
            monkeypatch.setenv("TARN_PROJECT", "mine")
        case "environment":
            monkeypatch.setenv("GOOGLE_CLOUD_PROJECT", "mine")
        case "key":
            (tmp_path / "key.json").write_text('{"project_id": "mine"}')
    settings = read_settings()
    assert (settings.project, settings.bucket) == ("mine", "mine-lake")
    assert settings.environment()["TARN_BUCKET"] == "mine-lake"
    monkeypatch.setenv("TARN_BUCKET", "my-bucket")
    assert read_settings().bucket == "my-bucket"


def test_names_are_of_google_s_form(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARN_BUCKET", "My Bucket")
    monkeypatch.setenv("TARN_LAKE_DATASET", "my-lake")
    monkeypatch.setenv("TARN_LABELS", "team=data,Env=prod")
    with pytest.raises(TarnError) as error:
        read_settings()
    assert "TARN_BUCKET='My Bucket' is wrong" in str(error.value)
    assert "TARN_LAKE_DATASET='my-lake' is wrong" in str(error.value)
    assert "'Env=prod' is no label" in str(error.value)


def test_labels_are_given_as_pairs() -> None:
    assert Settings().resource_labels == {"managed-by": "tarn"}
    assert Settings(labels="team=data,env=").resource_labels == {"managed-by": "tarn", "team": "data", "env": ""}


def test_task_logs_go_to_the_bucket_on_gcp_and_where_asked() -> None:
    assert not Settings().keeps_remote_logs
    assert Settings(remote_logs=True).keeps_remote_logs
    assert Settings(target="gcp", project="mine").keeps_remote_logs
    assert not Settings(target="gcp", project="mine", remote_logs=False).keeps_remote_logs


def test_on_gcp_no_emulator_is_talked_to(tmp_path: Path) -> None:
    settings = Settings(target="gcp", project="mine", bucket="my-lake", credentials=tmp_path)
    assert (settings.gcs_url, settings.bigquery_url, settings.key_file) == (None, None, None)
    (tmp_path / "key.json").touch()
    assert settings.environment()["GOOGLE_APPLICATION_CREDENTIALS"] == str(tmp_path / "key.json")
    assert not {"STORAGE_EMULATOR_HOST", "BIGQUERY_EMULATOR_HOST"} & settings.environment().keys()
    (tmp_path / "other.json").touch()
    with pytest.raises(TarnError, match=r"holds 2 keys \(key.json, other.json\)"):
        _ = settings.key_file


@pytest.mark.parametrize(
    ("publishers", "url"), [("live", None), ("http://mirror:1/", "http://mirror:1"), ("offline", "http://h:8070")]
)
def test_the_publishers_are_chosen_by_one_setting(publishers: str, url: str | None) -> None:
    assert Settings(publishers=publishers, host="h", publishers_port=8070).publishers_url == url


def test_the_environment_leads_a_child_to_the_same_settings(tmp_path: Path) -> None:
    given = Settings(home=tmp_path, gcs_port=4444, bigquery_endpoint="http://elsewhere")
    environment = given.environment()
    assert environment["STORAGE_EMULATOR_HOST"] == "http://127.0.0.1:4444"
    assert environment["BIGQUERY_EMULATOR_HOST"] == "http://elsewhere"
    assert environment["TARN_HOME"] == str(tmp_path)


def test_settings_are_read_again_when_a_variable_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARN_BUCKET", "one")
    assert current_settings() is current_settings()
    assert current_settings().bucket == "one"
    monkeypatch.setenv("TARN_BUCKET", "two")
    assert current_settings().bucket == "two"


def test_staging_is_a_folder_or_in_a_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert (Settings(home=tmp_path).staging_folder, Settings().staging_bucket) == (tmp_path / "staging", None)
    monkeypatch.setenv("TARN_STAGING", str(tmp_path / "shared"))
    assert (read_settings().staging_folder, read_settings().staging_bucket) == (tmp_path / "shared", None)
    monkeypatch.setenv("TARN_STAGING", "gs://my-bucket/lake/staging/")
    assert read_settings().staging_bucket == ("my-bucket", "lake/staging")
    monkeypatch.setenv("TARN_STAGING", "gs://my-bucket")
    assert read_settings().staging_bucket == ("my-bucket", "")
    for wrong in ("s3://my-bucket/x", "gs://", "gs://My Bucket/x"):
        monkeypatch.setenv("TARN_STAGING", wrong)
        with pytest.raises(TarnError, match=r"TARN_STAGING=.* is wrong: it must be a folder, or gs://BUCKET/PREFIX"):
            read_settings()
