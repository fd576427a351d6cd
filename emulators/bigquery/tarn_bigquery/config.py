"""What the program is started with."""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Settings:
    """One emulator: where it listens, where it keeps its data, where its objects are.

    `data_dir` of None keeps nothing: the state lives in memory and in a temporary folder. `grpc_port` is that of the
    Storage Read API: 0 turns it off, None puts it ten above `port` where that is free. A `token` is required of every
    client where it is given.
    """

    host: str = "127.0.0.1"
    port: int = 9050
    grpc_port: int | None = None
    data_dir: Path | None = None
    storage_endpoint: str = "http://127.0.0.1:4443"
    project: str = "default"
    workers: int = 8
    cache_bytes: int = 10 * 1024**3
    token: str | None = None
