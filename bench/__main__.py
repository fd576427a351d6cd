"""Every bench, one after the other, each a process of its own: ``python -m bench [NAME ...]``."""

import subprocess
import sys
from pathlib import Path

FOLDER = Path(__file__).parent


def main() -> int:
    """Run the benches that are named, or all; the exit code of the first that fails."""
    names = sys.argv[1:] or sorted(path.stem for path in FOLDER.glob("[!_]*.py"))
    for name in names:
        print(f"\n== {name}", flush=True)
        done = subprocess.run([sys.executable, FOLDER / f"{name}.py"], check=False)
        if done.returncode:
            return done.returncode
    return 0


if __name__ == "__main__":
    sys.exit(main())
