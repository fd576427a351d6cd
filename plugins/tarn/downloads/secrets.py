"""Publishers' keys outside Airflow: TARN_KEY_<PUBLISHER>. They are no settings, so that nothing prints them."""

import os
from collections.abc import Callable

SecretOf = Callable[[str], str | None]
"""Gives the key for a publisher's id; None where there is none."""


def key_from_environment(publisher: str) -> str | None:
    """The key that the environment has for a publisher."""
    return os.environ.get(f"TARN_KEY_{publisher.upper()}") or None
