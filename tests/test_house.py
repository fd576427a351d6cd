"""Who may import whom: the lake and the emulators meet over HTTP only, and the steps know no Airflow."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "plugins" / "tarn"
FORBIDDEN = {
    LIBRARY: {"tarn_bigquery", "tarn_publishers"},
    ROOT / "dags": {"tarn_bigquery", "tarn_publishers"},
    ROOT / "scripts": {"airflow", "tarn_bigquery", "tarn_publishers"},
    LIBRARY / "steps": {"airflow", "tarn.airflow"},
    LIBRARY / "parquetize": {"airflow", "tarn.airflow"},
    ROOT / "emulators" / "bigquery": {"airflow", "tarn", "tarn_publishers"},
    ROOT / "emulators" / "publishers": {"airflow", "tarn", "tarn_bigquery"},
}


def imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("folder", FORBIDDEN, ids=lambda folder: str(folder.relative_to(ROOT)))
def test_a_room_imports_only_what_it_may(folder: Path) -> None:
    files = sorted(folder.rglob("*.py"))
    assert files
    wrong = {
        f"{file.relative_to(ROOT)}: {module}"
        for file in files
        for module in imported(file)
        for forbidden in FORBIDDEN[folder]
        if module == forbidden or module.startswith(f"{forbidden}.")
    }
    assert wrong == set()
