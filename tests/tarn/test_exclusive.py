"""Two processes in one folder take turns, and a killed one holds nobody up."""

import subprocess
import sys
from pathlib import Path

from tarn.exclusive import exclusive

HOLD = """
import sys, time
from pathlib import Path
from tarn.exclusive import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
    print("done", flush=True)
"""


def holder(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", HOLD, str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_the_second_waits_for_the_first(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        with holder(tmp_path) as second:
            assert second.stdout is not None
            assert second.stderr is not None
            assert second.stderr.readline().startswith("Another run works in ")
            first.communicate()
            assert second.stdout.readline() == "held\n"
            second.communicate()
    assert (first.returncode, second.returncode) == (0, 0)


def test_a_killed_process_holds_nobody_up(tmp_path: Path) -> None:
    with holder(tmp_path) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == "held\n"
        first.kill()
    with exclusive(tmp_path):
        pass


def test_other_folders_are_free(tmp_path: Path) -> None:
    with exclusive(tmp_path / "one"), exclusive(tmp_path / "other"):
        pass
