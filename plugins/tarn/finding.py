"""What an examination finds: of the machine, or of a project of Google Cloud."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at; ``remedy`` is empty where it is well."""

    subject: str
    fact: str
    remedy: str = ""
