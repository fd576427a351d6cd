"""Publishers' keys: from Airflow's connection, else from the environment."""

import subprocess
import sys
from pathlib import Path

import pytest

ASK = "from tarn.airflow.secrets import key_from_connection; print(key_from_connection('coingecko'))"


@pytest.mark.parametrize(
    ("environment", "key"),
    [
        ({}, "None"),
        ({"TARN_KEY_COINGECKO": "of-environment"}, "of-environment"),
        (
            {
                "TARN_KEY_COINGECKO": "of-environment",
                "AIRFLOW_CONN_COINGECKO": '{"conn_type": "http", "password": "of-connection"}',
            },
            "of-connection",
        ),
    ],
)
def test_the_connection_goes_before_the_environment(
    airflow_home: Path, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], key: str
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    answer = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    assert answer.stdout.split()[-1] == key
