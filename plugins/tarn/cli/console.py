"""Where the command line prints: results to standard output, everything else to standard error."""

import sys

from rich.console import Console

WIDTH_OF_FILES = 160

results = Console(width=None if sys.stdout.isatty() else WIDTH_OF_FILES)
errors = Console(stderr=True)


def seconds(value: float) -> str:
    """A duration for people."""
    return f"{value:.1f} s" if value < 60 else f"{int(value // 60)} min {value % 60:.0f} s"


def size(count: int) -> str:
    """A number of bytes for people, in binary units."""
    value = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} TiB"
