"""Write the tables of what the emulator supports into the READMEs, of the marks that its tests carry.

A test says what it proves: `@pytest.mark.feature("External tables", "hive partitioning")`. Where BigQuery has more, it
says so with `lacks="..."`; a test that asserts a refusal says `refused=True`. The cases of SQL are counted by file.

usage: python emulators/bigquery/feature_table.py [--check]
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TESTS = ROOT / "tests" / "bigquery"
CASES = TESTS / "sql" / "cases"
TARGETS = {ROOT / "emulators" / "bigquery" / "README.md": False, ROOT / "README.md": True}
"""The files that hold a table, and whether it is the short one. A file without the two marks is left alone."""

BEGIN, END = "<!-- features: begin -->", "<!-- features: end -->"
STATUSES = ("supported", "partly", "refused")
REFUSALS = {"BadRequest", "MethodNotImplemented", "ApiError", "NotFound", "raises", "refused", "StorageError"}


@dataclass(frozen=True)
class Feature:
    """One row: what a test proves, and what BigQuery has beyond it."""

    part: str
    name: str
    status: str
    lacks: str
    proof: str


def features() -> list[Feature]:
    """Every feature that a test or a file of cases stands for, in the order of the parts and names."""
    found = [feature for path in sorted(TESTS.rglob("test_*.py")) for feature in _marked(path)]
    return sorted([*found, *_cases()], key=lambda f: (f.part.lower(), STATUSES.index(f.status), f.name.lower()))


def long_table(rows: list[Feature]) -> str:
    lines = ["| part | feature | status | proved by |", "| --- | --- | --- | --- |"]
    for row in rows:
        name = f"{row.name}; not {row.lacks}" if row.lacks else row.name
        lines.append(f"| {row.part} | {name} | {row.status} | `{row.proof}` |")
    return "\n".join(lines)


def short_table(rows: list[Feature]) -> str:
    lines = ["| part | supported | partly | refused by name |", "| --- | --- | --- | --- |"]
    for part in dict.fromkeys(row.part for row in rows):
        cells = ["; ".join(r.name for r in rows if r.part == part and r.status == status) for status in STATUSES]
        lines.append(f"| {part} | {' | '.join(cells)} |")
    return "\n".join(lines)


def with_table(text: str, table: str) -> str:
    """The text with the table between its two marks."""
    return re.sub(f"{BEGIN}.*?{END}", lambda _: f"{BEGIN}\n{table}\n{END}", text, flags=re.DOTALL)


def _marked(path: Path) -> Iterator[Feature]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.ClassDef):
            continue
        for mark in node.decorator_list:
            if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.feature":
                yield _feature(mark, node, f"{path.relative_to(TESTS)}::{node.name}")


def _feature(mark: ast.Call, node: ast.AST, proof: str) -> Feature:
    part, name = (ast.literal_eval(argument) for argument in mark.args)
    more = {keyword.arg: ast.literal_eval(keyword.value) for keyword in mark.keywords}
    if more.get("refused"):
        named = {getattr(n, "attr", getattr(n, "id", "")) for n in ast.walk(node)}
        if not named & REFUSALS:
            raise SystemExit(f"{proof} says that {name} is refused, and asserts no refusal.")
    status = "refused" if more.get("refused") else "partly" if more.get("lacks") else "supported"
    return Feature(part, name, status, more.get("lacks", ""), proof)


def _cases() -> Iterator[Feature]:
    for path in sorted(CASES.glob("*.yaml")):
        title, *lines = path.read_text(encoding="utf-8").splitlines()
        count = sum(line.startswith("- ") for line in lines)
        name = f"{title.removeprefix('#').strip().rstrip('.')}: {count} cases"
        yield Feature("SQL", name, "supported", "", f"sql/cases/{path.name}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--check", action="store_true", help="write nothing; fail where a README is out of date")
    check = parser.parse_args().check
    rows, stale = features(), []
    for path, is_short in TARGETS.items():
        before = path.read_text(encoding="utf-8")
        after = with_table(before, short_table(rows) if is_short else long_table(rows))
        if after != before:
            stale.append(path.relative_to(ROOT))
            if not check:
                path.write_text(after, encoding="utf-8")
    for path in stale:
        print(f"{path} {'is out of date: run emulators/bigquery/feature_table.py' if check else 'is written'}")  # noqa: T201
    return int(check and bool(stale))


if __name__ == "__main__":
    sys.exit(main())
