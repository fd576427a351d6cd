"""The suite's own manners: names, cost, clean-up, and what it says when it is asked for too little."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tarn.settings import Settings, Target

from .trial import MARK, Trial, announcement, cost_in_dollars, trial_of

CHECKOUT = Path(__file__).parents[2]


@pytest.fixture
def local(settings: Settings, any_gcs: str, bigquery_url: str) -> Settings:
    given = settings.model_copy(update={"root": CHECKOUT, "gcs_endpoint": any_gcs, "bigquery_endpoint": bigquery_url})
    Trial.of(given).objects().create_bucket(given.bucket)
    return given


def fill(trial: Trial) -> None:
    """Make something of each kind that the suite makes."""
    client = trial.tables()
    for name in (trial.settings.lake_dataset, f"{trial.settings.marts_dataset}_staging"):
        client.create_dataset(name)
        client.query_and_wait(f"CREATE TABLE `{name}.t` (x INT64)")
    bucket = trial.objects().bucket(trial.settings.bucket)
    for name in ("a.parquet", "b/c.parquet"):
        bucket.blob(f"{trial.prefix}/{name}").upload_from_string(b"x")


def test_two_trials_never_meet(local: Settings) -> None:
    one, other = Trial.of(local), Trial.of(local)
    assert one.settings.lake_dataset != other.settings.lake_dataset
    assert not other.prefix.startswith(one.prefix)
    assert one.dataset("taxi_green").prefix == f"{one.prefix}/taxi_green"


def test_a_trial_that_ends_well_leaves_nothing(local: Settings) -> None:
    with trial_of(local) as trial:
        fill(trial)
        assert len(trial.leftovers()) == 4
    assert trial.leftovers() == []


def test_a_trial_that_fails_leaves_nothing(local: Settings) -> None:
    with pytest.raises(RuntimeError, match="in the middle"), trial_of(local) as trial:
        fill(trial)
        raise RuntimeError("in the middle")
    assert trial.leftovers() == []


def test_what_others_have_there_stays(local: Settings) -> None:
    with trial_of(local) as other:
        fill(other)
        with trial_of(local) as trial:
            fill(trial)
        assert len(other.leftovers()) == 4


def test_one_thing_that_cannot_be_removed_does_not_keep_the_others(
    local: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = Trial.of(local)
    fill(trial)
    with monkeypatch.context() as patch:
        patch.setattr(Trial, "_remove_objects", lambda _: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            trial.clean()
    assert all(name.startswith(trial.prefix) for name in trial.leftovers())
    trial.clean()
    assert trial.leftovers() == []


def test_the_cost_is_told_and_is_small() -> None:
    assert 0 < cost_in_dollars() < 0.5
    told = announcement(Settings(target=Target.GCP, project="mine", bucket="my-lake"))
    assert re.search(r"project mine, bucket my-lake, location US.* at most \$0\.\d\d ", told)
    assert MARK in told
    assert "free" in announcement(Settings())


def test_the_same_tests_are_collected_for_google_cloud() -> None:
    options = ["--target", "gcp", "--project", "mine", "--bucket", "my-lake"]
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", "tests/gcp/test_lake.py", *options]
    plain = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    collected = subprocess.run(command, cwd=CHECKOUT, env=plain, capture_output=True, text=True, check=False)
    assert collected.returncode == 0, collected.stderr
    written = re.findall(r"^def (test_\w+)", Path(__file__).with_name("test_lake.py").read_text(), re.MULTILINE)
    assert re.findall(r"^tests/gcp/test_lake.py::(\w+)$", collected.stdout, re.MULTILINE) == written
