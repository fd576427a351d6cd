"""What a service of the local cloud is: a command, where it listens, and how it tells that it is ready."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Endpoint:
    """Where a service listens."""

    host: str
    port: int
    setting: str = field(metadata={"meaning": "the TARN_* variable that moves the port"})
    health_path: str

    @property
    def address(self) -> str:
        """The address that clients use."""
        return f"http://{self.host}:{self.port}"

    @property
    def health_url(self) -> str:
        """Answers 200 once the service is ready."""
        return self.address + self.health_path


@dataclass(frozen=True)
class Service:
    """One long-running program. ``prepare`` commands run to their end before it starts."""

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    endpoint: Endpoint | None = None
    prepare: tuple[tuple[str, ...], ...] = ()
    start_seconds: float = 60.0
