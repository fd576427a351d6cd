"""The lake's own tests, for Google Cloud: ``pytest tests/gcp --target gcp --project P --bucket B``.

Without ``--target`` they rehearse on the emulators.
"""

import subprocess
import sys
from collections.abc import Iterator

import pytest

from tarn.settings import Settings, Target

from .trial import Trial, announcement, trial_of

REHEARSAL_BUCKET = "tarn-rehearsal"


@pytest.fixture(scope="session")
def publishers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of offline publishers with few rows."""
    folder = str(tmp_path_factory.mktemp("publishers"))
    command = [sys.executable, "-m", "tarn_publishers", "--port", "0", "--data-dir", folder, "--rows", "2000"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture(scope="session")
def target(request: pytest.FixtureRequest, publishers: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The settings of the cloud that the suite runs on."""
    home = tmp_path_factory.mktemp("gcp")
    given = {name: request.config.getoption(f"--{name}") for name in ("project", "bucket", "location")}
    chosen = {name: value for name, value in given.items() if value}
    if request.config.getoption("--target") == Target.GCP:
        return Settings(target=Target.GCP, home=home, publishers=publishers, **chosen)
    return Settings(
        home=home,
        publishers=publishers,
        gcs_endpoint=request.getfixturevalue("any_gcs"),
        bigquery_endpoint=request.getfixturevalue("bigquery_url"),
        **({"bucket": REHEARSAL_BUCKET} | chosen),
    )


@pytest.fixture(scope="session")
def trial(target: Settings, request: pytest.FixtureRequest) -> Iterator[Trial]:
    """The suite's trial: told with its cost before anything is made, and cleaned up after."""
    reporter = request.config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(f"\n{announcement(target)}")
    with trial_of(target) as trial:
        if target.target is Target.LOCAL:
            objects = trial.objects()
            objects.lookup_bucket(target.bucket) or objects.create_bucket(target.bucket)
        yield trial
