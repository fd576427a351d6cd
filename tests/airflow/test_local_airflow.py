"""Airflow as a service: its environment, its secrets and its processes."""

import json
import stat
import sys
from pathlib import Path

import pytest

from tarn.local import migrate
from tarn.local.airflow import airflow_environment, airflow_services, login
from tarn.settings import Settings


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_the_password_is_made_once_and_read_by_nobody_else(settings: Settings) -> None:
    first = login(settings)
    file = settings.home / "airflow" / "passwords.json"
    assert json.loads(file.read_text(encoding="utf-8")) == {"admin": first.password}
    assert mode(file) == 0o600
    assert login(settings) == first


def test_two_lakes_have_other_secrets(settings: Settings, tmp_path: Path) -> None:
    other = settings.model_copy(update={"home": tmp_path / "other"})
    assert login(settings) != login(other)
    key = "AIRFLOW__API_AUTH__JWT_SECRET"
    assert airflow_environment(settings)[key] != airflow_environment(other)[key]
    assert airflow_environment(settings)[key] == airflow_environment(settings)[key]
    assert mode(settings.home / "airflow" / "jwt_secret") == 0o600


def test_the_local_connection_needs_no_key(settings: Settings) -> None:
    environment = airflow_environment(settings)
    connection = json.loads(environment["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"])
    assert connection["extra"] == {"project": settings.project, "is_anonymous": True}
    assert environment["STORAGE_EMULATOR_HOST"] == settings.gcs_url
    assert environment["BIGQUERY_EMULATOR_HOST"] == settings.bigquery_url


def test_on_gcp_the_connection_has_the_one_key_or_leaves_it_to_the_machine(tmp_path: Path) -> None:
    settings = Settings(target="gcp", project="p", bucket="a-bucket", home=tmp_path / "home", credentials=tmp_path)

    def extra() -> dict[str, object]:
        return json.loads(airflow_environment(settings)["AIRFLOW_CONN_GOOGLE_CLOUD_DEFAULT"])["extra"]  # type: ignore[no-any-return]

    assert extra() == {"project": "p"}
    (tmp_path / "key.json").touch()
    assert extra() == {"project": "p", "key_path": str(tmp_path / "key.json")}
    assert "BIGQUERY_EMULATOR_HOST" not in airflow_environment(settings)


def test_a_home_given_from_here_holds_from_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    environment = airflow_environment(Settings(home=Path("state"), root=Path("checkout")))
    assert environment["TARN_HOME"] == str(tmp_path / "state")
    assert environment["AIRFLOW_HOME"] == str(tmp_path / "state" / "airflow")
    assert environment["AIRFLOW__CORE__DAGS_FOLDER"] == str(tmp_path / "checkout" / "dags")


def test_the_database_is_brought_up_to_date_before_any_process_starts(settings: Settings) -> None:
    first, *others = airflow_services(settings)
    assert first.prepare
    assert not any(service.prepare for service in others)
    [endpoint] = [service.endpoint for service in (first, *others) if service.endpoint]
    assert (endpoint.port, endpoint.setting) == (settings.airflow_port, "TARN_AIRFLOW_PORT")


@pytest.fixture
def fake_airflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An Airflow that only counts how often it is told to migrate, and fails while a file named ``broken`` is there."""
    home = tmp_path / "airflow"
    home.mkdir()
    program = tmp_path / "bin" / "airflow"
    program.parent.mkdir()
    count = '[ "$*" = "db migrate" ] && echo x >> "$AIRFLOW_HOME/airflow.db"'
    program.write_text(f'#!/bin/sh\n{count}\ntest ! -e "$AIRFLOW_HOME/broken"\n', encoding="utf-8")
    program.chmod(0o755)
    python = program.with_name("python")
    python.write_text('#!/bin/sh\necho "$*" >> "$AIRFLOW_HOME/modules"\n', encoding="utf-8")
    python.chmod(0o755)
    monkeypatch.setenv("AIRFLOW_HOME", str(home))
    monkeypatch.setattr(sys, "executable", str(python))
    return home


def migrations(home: Path) -> int:
    return len((home / "airflow.db").read_text(encoding="utf-8").split())


def test_the_database_is_migrated_once_a_version(fake_airflow: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (migrate.main(), migrate.main(), migrations(fake_airflow)) == (0, 0, 1)
    monkeypatch.setattr(migrate, "version", lambda _name: "99.0")
    assert (migrate.main(), migrate.main(), migrations(fake_airflow)) == (0, 0, 2)


def test_the_pools_are_made_with_it_and_again_where_a_publisher_is_new(
    fake_airflow: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert (migrate.main(), migrate.main()) == (0, 0)
    made = (fake_airflow / "modules").read_text(encoding="utf-8")
    assert made.splitlines() == ["-m tarn.airflow.pools"]
    monkeypatch.setattr(migrate, "needed_pools", lambda _settings: {"another": "a reason"})
    assert migrate.main() == 0
    assert len((fake_airflow / "modules").read_text(encoding="utf-8").splitlines()) == 2


def test_a_dataset_that_is_wrong_is_named_and_airflow_does_not_start(
    fake_airflow: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "datasets").mkdir()
    (tmp_path / "datasets" / "wrong.yaml").write_text("name: wrong", encoding="utf-8")
    monkeypatch.setenv("TARN_ROOT", str(tmp_path))
    assert migrate.main() == 1
    assert "wrong.yaml" in capsys.readouterr().err


def test_a_migration_that_failed_is_done_again(fake_airflow: Path) -> None:
    (fake_airflow / "broken").touch()
    assert migrate.main() == 1
    (fake_airflow / "broken").unlink()
    assert (migrate.main(), migrations(fake_airflow)) == (0, 2)


def test_a_lost_database_is_made_anew(fake_airflow: Path) -> None:
    assert migrate.main() == 0
    (fake_airflow / "airflow.db").unlink()
    assert (migrate.main(), migrations(fake_airflow)) == (0, 1)
